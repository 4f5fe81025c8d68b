import { execFileSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { operators } from "./index.ts";

const root = new URL("../", import.meta.url);
const readme = readFileSync(new URL("README.md", root), "utf8");

describe("the README", () => {
  it("has an example that says where a growth is not exact, and grows when it is", () => {
    const [, code] = readme.match(/```ts\n(.*?)```/s)!;
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
      expect(printed).toContain("where: 'layers.4'");
      expect(printed).toContain("found: 'it runs source layer 0 where no layer is left'");
      expect(printed).toMatch(
        /true 98304 \[\s+'gate\.residual',\s+'gate\.ffn',\s+'gate\.query',\s+'gate\.keyValue'\s+\]/,
      );
    } finally {
      rmSync(file);
    }
  });

  it("lists every operator with what it preserves", () => {
    for (const { name, preserves } of operators) {
      const row = readme.split("\n").find((line) => line.startsWith("|") && line.includes(`\`${name}\``))!;
      const [, , , logits, gradients] = row.split("|").map((cell) => cell.trim());
      expect(logits!.startsWith("kept"), name).toBe(preserves.logits);
      expect(gradients!.startsWith("kept"), name).toBe(preserves.gradients);
    }
  });
});
