import { type ReferenceOp, lastAxis, startGradient } from "./call.ts";

/** `d[n] = sum_r dy[r, n]` */
export const columnSum: ReferenceOp = (call) => {
  const [dy] = call.inputs;
  const d = startGradient(call, call.outputs[0]);
  const N = lastAxis(dy);
  for (let i = 0; i < dy.data.length; i++) d[i % N] += dy.data[i];
};
