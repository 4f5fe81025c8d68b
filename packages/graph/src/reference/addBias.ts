import { type ReferenceOp } from "./call.ts";

/** `y[r, n] = x[r, n] + bias[n]` */
export const addBias: ReferenceOp = ({ inputs: [x, bias], outputs: [y] }) => {
  const N = bias.data.length;
  for (let i = 0; i < x.data.length; i++) y.data[i] = x.data[i] + bias.data[i % N];
};
