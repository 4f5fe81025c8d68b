import { ShapeError } from "@espalier/core";
import type { Tensor } from "../graph.ts";
import { elements, expectDtype, expectFloats, expectInputs, showShape } from "../shapes.ts";
import { type OpDefinition, record } from "./definition.ts";

export const writeRowsOp: OpDefinition = {
  name: "writeRows",
  attributes: [],
  infer(inputs, _attributes, [pool]) {
    expectInputs("writeRows", inputs, 2);
    const [x, rows] = inputs;
    expectFloats("writeRows", { x, pool });
    expectDtype("writeRows: rows", rows, "i32");
    const R = elements(rows.shape);
    const rowSize = elements(x.shape) / R;
    // How many rows the pool has is not to be seen in the inputs: the caller states it with the pool.
    if (!Number.isInteger(rowSize) || !pool || elements(pool.shape) !== rowSize * pool.shape[0]) {
      throw new ShapeError(
        `writeRows: pool: shape is ${pool ? showShape(pool.shape) : "unknown"} for ${R} rows of x ${showShape(x.shape)}, ` +
          "expected one row of x in each of its rows. Give the pool the row size of x.",
      );
    }
    return [pool];
  },
  flops: () => 0,
  bytes: ([x, rows]) => 8 * elements(x.shape) + 4 * elements(rows.shape), // the rows written, not the pool
};

/**
 * Writes rows into a pool in place: `pool[rows[r]] = x[r]`. Rows below 0 are not written. Two rows must not name the
 * same place. It has no gradient.
 *
 * @param pool  owned `[P, ...]`
 * @param x     `[R, ...]`, leading axes may be split
 * @param rows  runtime i32 `[R]`, each below P
 * @throws {ShapeError} when a row of x has not the size of a row of the pool
 */
export function writeRows(pool: Tensor, x: Tensor, rows: Tensor): Tensor {
  return record(writeRowsOp, [x, rows], {}, [pool])[0];
}
