import { type ReferenceCall, type ReferenceOp, type Values } from "./call.ts";

/** Offset of row (b, t, head) in `[B, T, heads, D]`. */
function rowAt({ shape: [, T, heads, D] }: Values, b: number, t: number, head: number): number {
  return ((b * T + t) * heads + head) * D;
}

function dot(a: Float64Array, aStart: number, b: Float64Array, bStart: number, length: number): number {
  let sum = 0;
  for (let d = 0; d < length; d++) sum += a[aStart + d] * b[bStart + d];
  return sum;
}

function addScaled(
  y: Float64Array,
  yStart: number,
  factor: number,
  x: Float64Array,
  xStart: number,
  length: number,
): void {
  for (let d = 0; d < length; d++) y[yStart + d] += factor * x[xStart + d];
}

/** Calls `row` for each query of each sequence and head that is a real token, with the first key that it sees. */
function forEachQuery(
  q: Values,
  k: Values,
  lengths: Values | undefined,
  starts: Values | undefined,
  row: (b: number, n: number, first: number, head: number, kvHead: number) => void,
): void {
  const [B, T, N] = q.shape;
  const group = N / k.shape[2];
  for (let b = 0; b < B; b++) {
    const length = Math.min(T, lengths ? lengths.data[b] : T);
    for (let head = 0; head < N; head++) {
      for (let n = 0; n < length; n++) row(b, n, starts ? starts.data[b * T + n] : 0, head, Math.floor(head / group));
    }
  }
}

/** `y[n] = sum over starts[n] <= m <= n of softmax_m(scale q[n].k[m]) v[m]`, `lse[n] = log sum_m exp(scale q[n].k[m])` */
export const causalAttention: ReferenceOp = ({ inputs, outputs: [y, lse], attributes: { scale } }: ReferenceCall) => {
  const [q, k, v, lengths, starts] = inputs;
  const [, T, N, D] = q.shape;
  y.data.fill(0);
  lse.data.fill(0);
  const scores = new Float64Array(T);
  forEachQuery(q, k, lengths, starts, (b, n, first, head, kvHead) => {
    const query = rowAt(q, b, n, head);
    let largest = -Infinity;
    for (let m = first; m <= n; m++) {
      scores[m] = scale * dot(q.data, query, k.data, rowAt(k, b, m, kvHead), D);
      largest = Math.max(largest, scores[m]);
    }
    let sum = 0;
    for (let m = first; m <= n; m++) sum += Math.exp(scores[m] - largest);
    const logSum = largest + Math.log(sum);
    lse.data[(b * N + head) * T + n] = logSum;
    for (let m = first; m <= n; m++) {
      addScaled(y.data, query, Math.exp(scores[m] - logSum), v.data, rowAt(v, b, m, kvHead), D);
    }
  });
};

/**
 * With `p = exp(scale q.k - lse)`, `ds = p (dy.v - dy.y)`: `dq = scale sum ds k`, `dk = scale sum ds q`, `dv = sum p dy`
 */
export const causalAttentionGrad: ReferenceOp = ({ inputs, outputs: [dq, dk, dv], attributes: { scale } }) => {
  const [q, k, v, y, lse, dy, lengths, starts] = inputs;
  const [, T, N, D] = q.shape;
  for (const gradient of [dq, dk, dv]) gradient.data.fill(0);
  forEachQuery(q, k, lengths, starts, (b, n, first, head, kvHead) => {
    const query = rowAt(q, b, n, head);
    const delta = dot(dy.data, query, y.data, query, D);
    for (let m = first; m <= n; m++) {
      const key = rowAt(k, b, m, kvHead);
      const p = Math.exp(scale * dot(q.data, query, k.data, key, D) - lse.data[(b * N + head) * T + n]);
      const ds = p * (dot(dy.data, query, v.data, key, D) - delta);
      addScaled(dq.data, query, scale * ds, k.data, key, D);
      addScaled(dk.data, key, scale * ds, q.data, query, D);
      addScaled(dv.data, key, p, dy.data, query, D);
    }
  });
};
