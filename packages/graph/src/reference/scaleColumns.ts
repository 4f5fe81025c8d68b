import { type ReferenceOp } from "./call.ts";

/** `y[r, n] = x[r, n] * gate[n]` */
export const scaleColumns: ReferenceOp = ({ inputs: [x, gate], outputs: [y] }) => {
  const N = gate.data.length;
  for (let i = 0; i < x.data.length; i++) y.data[i] = x.data[i] * gate.data[i % N];
};
