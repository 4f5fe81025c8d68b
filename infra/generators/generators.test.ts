import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "../..");
const require = createRequire(import.meta.url);

/** The workspace as nx hands it to a generator; what is written stays in memory. */
class Overlay {
  readonly written = new Map<string, string>();
  exists(path: string): boolean {
    return this.written.has(path) || existsSync(join(root, path));
  }
  read(path: string): string {
    return this.written.get(path) ?? readFileSync(join(root, path), "utf8");
  }
  write(path: string, text: string): void {
    this.written.set(path, text);
  }
}

type Generator = (tree: Overlay, options: Record<string, string>) => Promise<() => void>;
const op = require("./op/generator.cjs") as Generator;
const newPackage = require("./package/generator.cjs") as Generator;
const parseExpression = require("./op/expression.cjs") as (text: string, where: string) => Record<"typescript" | "cuda" | "vector", string>;

let tree: Overlay;
beforeEach(() => {
  tree = new Overlay();
});

describe("op", () => {
  it("writes every place of an op, in the words of each", async () => {
    await op(tree, { name: "softSquare", value: "x * x / 3 - -x", derivative: "2 * x / 3 + 1" });
    expect([...tree.written.keys()].sort()).toEqual([
      "docs/ops.md",
      "packages/graph/README.md",
      "packages/graph/src/index.ts",
      "packages/graph/src/ops/softSquare.test.ts",
      "packages/graph/src/ops/softSquare.ts",
      "packages/graph/src/ops/table.ts",
      "packages/graph/src/reference/softSquare.ts",
      "packages/graph/src/reference/table.ts",
      "packages/kernels/native/ops/op_list.h",
      "packages/kernels/native/ops/soft_square.h",
      "packages/kernels/native/ops/soft_square_cpu.cc",
      "packages/kernels/native/ops/soft_square_cuda.cu",
      "packages/kernels/src/testing/cases/pointwise.ts",
    ]);
    expect(tree.read("packages/kernels/native/ops/soft_square_cpu.cc")).toContain("x * x / splat(3.0f) - splat(-1.0f) * x");
    expect(tree.read("packages/kernels/native/ops/soft_square_cuda.cu")).toContain("d[j] *= 2.0f * x / 3.0f + 1.0f;");
    expect(tree.read("packages/kernels/native/ops/op_list.h")).toMatch(/ESPALIER_OP\(soft_square\)\nESPALIER_OP\(soft_square_grad\)\nESPALIER_OP\(swiglu\)/);
    for (const path of ["packages/graph/src/ops/table.ts", "packages/graph/src/reference/table.ts"]) {
      expect(tree.read(path).match(/softSquare/g)!.length, path).toBeGreaterThanOrEqual(4);
    }
  });

  it("refuses a name that is taken and formulas that it cannot carry into C++", async () => {
    await expect(op(tree, { name: "gelu", value: "x", derivative: "1" })).rejects.toThrow(/gelu\.ts exists already\. Choose another name/);
    expect(tree.written.size).toBe(0);
    expect(() => parseExpression("Math.max(x, 0)", "--value")).toThrow("op: --value holds `M`, expected x, numbers, + - * / and parentheses.");
    expect(() => parseExpression("(x", "--value")).toThrow(/does not parse/);
    expect(() => parseExpression("3 + 4", "--value")).toThrow(/expected an expression of x/);
  });
});

describe("package", () => {
  it("writes a package with its row in the import table", async () => {
    await newPackage(tree, { name: "top-shelf", description: "Things.", imports: "spec, graph" });
    const manifest = JSON.parse(tree.read("packages/top-shelf/package.json")) as { dependencies: object };
    expect(Object.keys(manifest.dependencies)).toEqual(["@espalier/core", "@espalier/spec", "@espalier/graph"]);
    const { importTable: rows } = (await import(`data:text/javascript,${encodeURIComponent(tree.read("infra/importTable.mjs"))}`)) as { importTable: Record<string, string[]> };
    expect(rows["top-shelf"]).toEqual(["spec", "graph"]);
  });

  it("refuses a package that is there and imports of one that is not", async () => {
    await expect(newPackage(tree, { name: "core", description: "x" })).rejects.toThrow(/exists already/);
    await expect(newPackage(tree, { name: "x", description: "x", imports: "nothing" })).rejects.toThrow(/names nothing, which is no package/);
  });
});
