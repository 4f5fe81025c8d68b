import { type ReferenceOp } from "./call.ts";

/** `norm = sqrt(sum of g^2 over all inputs)` */
export const gradNorm: ReferenceOp = ({ inputs, outputs: [norm] }) => {
  let sum = 0;
  for (const { data } of inputs) for (const g of data) sum += g * g;
  norm.data[0] = Math.sqrt(sum);
};
