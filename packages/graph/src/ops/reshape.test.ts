import { describe, expect, it } from "vitest";
import { Graph } from "../graph.ts";
import { plan } from "../plan.ts";
import { evaluate } from "../testing/run.ts";
import { matmul } from "./matmul.ts";
import { reshape } from "./reshape.ts";
import { scale } from "./scale.ts";

describe("reshape", () => {
  it("is another name for the same storage, not an instruction", async () => {
    const g = new Graph();
    g.output("y", scale(reshape(reshape(scale(g.owned("x", [2, 3]), 2), [6]), [3, 2]), 2));
    const program = plan(g);
    expect(program.instructions.map(({ op }) => op)).toEqual(["scale", "scale"]);
    const viewed = program.tensors[program.instructions[1].inputs[0]];
    expect(viewed.shape).toEqual([3, 2]);
    expect(viewed.viewOf).toBe(program.instructions[0].outputs[0]);
  });

  it("regroups rows", async () => {
    // [1, 4] as [2, 2], times [[1], [1]]
    const y = await evaluate((g) => matmul(reshape(scale(g.owned("x", [1, 4]), 2), [2, 2]), g.owned("w", [2, 1])), {
      x: [1, 2, 3, 4],
      w: 1,
    });
    expect(y).toEqual([6, 14]);
  });

  it("can itself be an output", async () => {
    expect(await evaluate((g) => reshape(scale(g.owned("x", [4]), 2), [2, 2]), { x: [1, 2, 3, 4] })).toEqual([2, 4, 6, 8]);
  });

  it("refuses other sizes, and tensors that are declared", () => {
    const g = new Graph();
    const x = g.owned("x", [4]);
    expect(() => reshape(scale(x, 2), [3])).toThrow("reshape: shape: [3] has 3 elements, expected 4 as in [4].");
    expect(() => reshape(x, [2, 2])).toThrow("reshape: x: 'x' is of region owned, expected an intermediate.");
  });
});
