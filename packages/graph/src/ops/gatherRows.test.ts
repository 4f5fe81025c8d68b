import { describe, expect, it } from "vitest";
import { differentiate } from "../differentiate.ts";
import { Graph } from "../graph.ts";
import { lossOn } from "../testing/gradients.ts";
import { evaluate } from "../testing/run.ts";
import { gatherRows } from "./gatherRows.ts";

const trace = (g: Graph) => gatherRows(g.owned("x", [2, 2, 2]), g.runtime("index", [2], "i32"));

describe("gatherRows", () => {
  it("takes one row of each sequence", async () => {
    expect(await evaluate(trace, { x: [1, 2, 3, 4, 5, 6, 7, 8] }, { index: [1, 0] })).toEqual([3, 4, 5, 6]);
  });

  it("refuses an index outside of the sequence", async () => {
    await expect(evaluate(trace, {}, { index: [1, 2] })).rejects.toThrow("gatherRows: index of sequence 1 is 2, expected 0 to 1.");
  });

  it("refuses to be differentiated", () => {
    const g = new Graph();
    const loss = lossOn(trace(g));
    expect(() => differentiate({ loss, wrt: [g.owned("x", [2, 2, 2])] })).toThrow("differentiate: gatherRows: ");
  });

  it("names the argument when the index does not match the batch", () => {
    const g = new Graph();
    expect(() => gatherRows(g.owned("x", [2, 2, 2]), g.runtime("index", [3], "i32"))).toThrow(
      "gatherRows: index: shape is [3], expected [2].",
    );
  });
});
