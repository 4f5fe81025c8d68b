import { type ReferenceOp } from "./call.ts";

/** `y = a + b` */
export const add: ReferenceOp = ({ inputs: [a, b], outputs: [y] }) => {
  for (let i = 0; i < y.data.length; i++) y.data[i] = a.data[i] + b.data[i];
};
