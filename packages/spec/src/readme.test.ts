import { execFileSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = new URL("../", import.meta.url);

describe("the README's example", () => {
  it("prints what a model is", () => {
    const [, code] = readFileSync(new URL("README.md", root), "utf8").match(/```ts\n(.*?)```/s)!;
    const file = fileURLToPath(new URL(`.readme-example.${process.pid}.ts`, root));
    writeFileSync(file, code!);
    try {
      const printed = execFileSync(
        process.execPath,
        ["--conditions=@espalier/source", "--disable-warning=ExperimentalWarning", file],
        {
          encoding: "utf8",
        },
      );
      expect(printed.trim().split("\n")).toEqual([
        "published 101.70",
        "80 layers, width 10,240, 80 heads, FFN 40,960",
        "kvHead out, group out, headSize out, residual in",
        "[ 80, 1, 128, 10240 ] 10240 10240",
      ]);
    } finally {
      rmSync(file);
    }
  });
});
