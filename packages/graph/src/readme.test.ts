import { execFileSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import * as graph from "./index.ts";

const root = new URL("../", import.meta.url);
const readme = readFileSync(new URL("README.md", root), "utf8");

describe("the README", () => {
  it("has an example that prints the loss and the gradient that it names", () => {
    const [, code] = readme.match(/```ts\n(.*?)```/s)!;
    const file = fileURLToPath(new URL(`.readme-example.${process.pid}.ts`, root));
    writeFileSync(file, code);
    try {
      const flags = ["--conditions=@espalier/source", "--disable-warning=ExperimentalWarning"];
      const printed = execFileSync(process.execPath, [...flags, file], { encoding: "utf8" });
      expect(printed).toMatch(/^0\.3133 Float32Array\(4\)/);
      // softmax([1, 0]) - [1, 0] = [-0.2689, 0.2689], times x = [1, 0]
      expect(printed).toMatch(/\[\s*-0\.26894\d+,\s*0,\s*0\.26894\d+,\s*0\s*\]/);
    } finally {
      rmSync(file);
    }
  });

  it("names every op that can be traced", () => {
    const row = readme.split("\n").find((line) => line.startsWith("| tracing"))!;
    for (const op of Object.keys(graph.opTable).filter((name) => name in graph)) expect(row).toContain(`\`${op}\``);
  });

  it("names every op that may write over its input", () => {
    const paragraph = readme.slice(readme.indexOf("- An output may be written over"), readme.indexOf("- `RuntimeInputs.bytes`"));
    const named = [...paragraph.matchAll(/`(\w+)`/g)].map(([, name]) => name).filter((name) => name !== "inPlace");
    const allowed = Object.values(graph.opTable).filter(({ inPlace }) => inPlace).map(({ name }) => name);
    expect(named.toSorted()).toEqual(allowed.toSorted());
  });
});
