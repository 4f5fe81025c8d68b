import { DataError } from "@espalier/core";
import { type ReferenceOp } from "./call.ts";

/** `y[b] = x[b, index[b]]` */
export const gatherRows: ReferenceOp = ({ inputs: [x, index], outputs: [y] }) => {
  const [B, T, C] = x.shape;
  for (let b = 0; b < B; b++) {
    const t = index.data[b];
    if (t < 0 || t >= T) {
      throw new DataError(
        `gatherRows: index of sequence ${b} is ${t}, expected 0 to ${T - 1}. Pass a position inside the sequence.`,
      );
    }
    for (let c = 0; c < C; c++) y.data[b * C + c] = x.data[(b * T + t) * C + c];
  }
};
