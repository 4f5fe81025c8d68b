import { type ReferenceOp } from "./call.ts";

/** `y[r] = sum over m <= positions[r] of softmax_m(scale q[r].k[key(m)]) v[key(m)]`, `key(m) = keyRows[starts[r] + m]` */
export const cachedAttention: ReferenceOp = ({ inputs, outputs: [y], attributes: { scale } }) => {
  const [q, k, v, positions, starts, keyRows] = inputs;
  const [, G, D] = k.shape;
  const R = positions.data.length;
  const N = q.data.length / (R * D);
  y.data.fill(0);
  for (let r = 0; r < R; r++) {
    const keys = keyRows.data.subarray(starts.data[r], starts.data[r] + positions.data[r] + 1);
    for (let head = 0; head < N; head++) {
      const query = (r * N + head) * D;
      const at = (key: number) => (key * G + Math.floor((head * G) / N)) * D;
      const scores = keys.map((key) => {
        let dot = 0;
        for (let d = 0; d < D; d++) dot += q.data[query + d] * k.data[at(key) + d];
        return scale * dot;
      });
      const largest = scores.reduce((a, b) => Math.max(a, b), -Infinity);
      const weights = scores.map((score) => Math.exp(score - largest));
      const total = weights.reduce((a, b) => a + b, 0);
      keys.forEach((key, m) => {
        for (let d = 0; d < D; d++) y.data[query + d] += (weights[m] / total) * v.data[at(key) + d];
      });
    }
  }
};
