import type { Tensor } from "../graph.ts";
import { elements, expectDtype, expectFloats, expectInputs, expectRank, expectShape, f32 } from "../shapes.ts";
import { type OpDefinition, record } from "./definition.ts";

export const gatherRowsOp: OpDefinition = {
  name: "gatherRows",
  attributes: [],
  infer(inputs) {
    expectInputs("gatherRows", inputs, 2);
    const [x, index] = inputs;
    expectFloats("gatherRows", { x });
    expectRank("gatherRows: x", x, 3, "[B, T, C]");
    const [B, , C] = x.shape;
    expectDtype("gatherRows: index", index, "i32");
    expectShape("gatherRows: index", index, [B], "It must have one position a sequence.");
    return [f32([B, C])];
  },
  flops: () => 0,
  bytes: ([, index], [y]) => 4 * elements(index.shape) + 8 * elements(y.shape), // the rows picked, not all of x
};

/**
 * One row of each sequence: `y[b] = x[b, index[b]]`, e.g. the last real token while decoding. It has no gradient.
 *
 * @param x      `[B, T, C]`
 * @param index  runtime i32 `[B]`, each in `[0, T)`
 * @returns      `[B, C]`
 * @throws {ShapeError} when x is not of rank 3 or index is not i32 `[B]`
 */
export function gatherRows(x: Tensor, index: Tensor): Tensor {
  return record(gatherRowsOp, [x, index])[0];
}
