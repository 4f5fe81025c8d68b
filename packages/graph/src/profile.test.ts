import { describe, expect, it } from "vitest";
import { add } from "./ops/add.ts";
import { matmul } from "./ops/matmul.ts";
import { Graph } from "./graph.ts";
import { plan } from "./plan.ts";
import { profileByOp } from "./profile.ts";

describe("profileByOp", () => {
  const graph = new Graph();
  const a = graph.runtime("a", [2, 3]);
  const b = graph.runtime("b", [3, 4]);
  const product = matmul(a, b);
  graph.output("sum", add(add(product, product), product));
  const program = plan(graph);

  it("sums calls, seconds, FLOPs and bytes by op, the longest first", () => {
    expect(program.instructions.map(({ op }) => op)).toEqual(["matmul", "add", "add"]);
    expect(profileByOp(program, [5, 5, 5], [1, 2, 3])).toEqual([
      { op: "add", calls: 10, seconds: 5, flops: 10 * 8, bytes: 10 * 4 * 3 * 8 },
      { op: "matmul", calls: 5, seconds: 1, flops: 5 * 2 * 2 * 3 * 4, bytes: 5 * 4 * (6 + 12 + 8) },
    ]);
  });

  it("has no work before the first call", () => {
    for (const row of profileByOp(program, [0, 0, 0], [0, 0, 0])) expect(row).toMatchObject({ calls: 0, seconds: 0, flops: 0, bytes: 0 });
  });
});
