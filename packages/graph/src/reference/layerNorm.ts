import { type ReferenceOp, type Values, lastAxis, numRows } from "./call.ts";

/** Channel weights c, 1 everywhere when absent, and their sum S. */
export function channelWeightsOf(c: Values | undefined, C: number): { c: Float64Array; S: number } {
  const weights = c?.data ?? new Float64Array(C).fill(1);
  return { c: weights, S: weights.reduce((sum, weight) => sum + weight, 0) };
}

/** `mean = sum(c x)/S`, `rstd = (sum(c (x-mean)^2)/S + epsilon)^-1/2`, `y = c ((x-mean) rstd gain + bias)` */
export const layerNorm: ReferenceOp = ({ inputs, outputs: [y, mean, rstd], attributes: { epsilon } }) => {
  const [x, gain, bias] = inputs;
  const C = lastAxis(x);
  const { c, S } = channelWeightsOf(inputs[3], C);
  for (let r = 0; r < numRows(x); r++) {
    const row = x.data.subarray(r * C, (r + 1) * C);
    let sum = 0;
    for (let i = 0; i < C; i++) sum += c[i] * row[i];
    const m = sum / S;
    let squares = 0;
    for (let i = 0; i < C; i++) squares += c[i] * (row[i] - m) ** 2;
    const inverse = 1 / Math.sqrt(squares / S + epsilon);
    for (let i = 0; i < C; i++) {
      y.data[r * C + i] = c[i] * ((row[i] - m) * inverse * gain.data[i] + bias.data[i]);
    }
    mean.data[r] = m;
    rstd.data[r] = inverse;
  }
};

/** `dx = rstd (a - c/S sum a - c xhat/S sum(a xhat))`, `a = c gain dy` */
export const layerNormGrad: ReferenceOp = ({ inputs, outputs: [dx] }) => {
  const [dy, x, mean, rstd, gain] = inputs;
  const C = lastAxis(x);
  const { c, S } = channelWeightsOf(inputs[5], C);
  for (let r = 0; r < numRows(x); r++) {
    const xhat = (i: number) => (x.data[r * C + i] - mean.data[r]) * rstd.data[r];
    const a = (i: number) => c[i] * gain.data[i] * dy.data[r * C + i];
    let sumA = 0;
    let sumAX = 0;
    for (let i = 0; i < C; i++) {
      sumA += a(i);
      sumAX += a(i) * xhat(i);
    }
    for (let i = 0; i < C; i++) {
      dx.data[r * C + i] = rstd.data[r] * (a(i) - (c[i] / S) * sumA - ((c[i] * xhat(i)) / S) * sumAX);
    }
  }
};
