import { type ReferenceOp, lastAxis, numRows } from "./call.ts";
import { channelWeightsOf } from "./layerNorm.ts";

/** `rstd = (sum(c x^2)/S + epsilon)^-1/2`, `y = c x rstd gain` */
export const rmsNorm: ReferenceOp = ({ inputs, outputs: [y, rstd], attributes: { epsilon } }) => {
  const [x, gain] = inputs;
  const C = lastAxis(x);
  const { c, S } = channelWeightsOf(inputs[2], C);
  for (let r = 0; r < numRows(x); r++) {
    let squares = 0;
    for (let i = 0; i < C; i++) squares += c[i] * x.data[r * C + i] ** 2;
    const inverse = 1 / Math.sqrt(squares / S + epsilon);
    for (let i = 0; i < C; i++) y.data[r * C + i] = c[i] * x.data[r * C + i] * inverse * gain.data[i];
    rstd.data[r] = inverse;
  }
};

/** `dx = rstd (a - c xhat/S sum(a xhat))`, `a = c gain dy` */
export const rmsNormGrad: ReferenceOp = ({ inputs, outputs: [dx] }) => {
  const [dy, x, rstd, gain] = inputs;
  const C = lastAxis(x);
  const { c, S } = channelWeightsOf(inputs[4], C);
  for (let r = 0; r < numRows(x); r++) {
    const xhat = (i: number) => x.data[r * C + i] * rstd.data[r];
    const a = (i: number) => c[i] * gain.data[i] * dy.data[r * C + i];
    let sumAX = 0;
    for (let i = 0; i < C; i++) sumAX += a(i) * xhat(i);
    for (let i = 0; i < C; i++) {
      dx.data[r * C + i] = rstd.data[r] * (a(i) - ((c[i] * xhat(i)) / S) * sumAX);
    }
  }
};
