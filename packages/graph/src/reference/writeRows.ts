import { DataError } from "@espalier/core";
import { type ReferenceOp } from "./call.ts";

/** `pool[rows[r]] = x[r]` */
export const writeRows: ReferenceOp = ({ inputs: [x, rows], outputs: [pool] }) => {
  const size = x.data.length / rows.data.length;
  const P = pool.data.length / size;
  rows.data.forEach((row, r) => {
    if (row >= P) throw new DataError(`writeRows: row ${r} goes to ${row}, expected below ${P}. Pass a row of the pool.`);
    if (row >= 0) pool.data.set(x.data.subarray(r * size, (r + 1) * size), row * size);
  });
};
