import { type ReferenceOp } from "./call.ts";

/** `y = factor * x` */
export const scale: ReferenceOp = ({ inputs: [x], outputs: [y], attributes: { factor } }) => {
  for (let i = 0; i < y.data.length; i++) y.data[i] = factor * x.data[i];
};
