import { type ReferenceOp } from "./call.ts";

/**
 * Turns pair (i, i + D/2) of position n by `n base^(-2i/D)`; xPos also scales by `zeta_i^(side (n - centre)/scaleBase)`.
 */
export const rotary: ReferenceOp = ({ inputs: [x, frequencies], outputs: [y], attributes }) => {
  const { kind, side, base, scaleBase, gamma, centre, inverse } = attributes;
  const [B, T, N, D] = x.shape;
  const half = D / 2;
  for (let b = 0; b < B; b++) {
    for (let n = 0; n < T; n++) {
      for (let i = 0; i < half; i++) {
        const frequency = frequencies ? frequencies.data[i] : base ** ((-2 * i) / D);
        const angle = (inverse ? -1 : 1) * n * frequency;
        const zeta = ((2 * i) / D + gamma) / (1 + gamma);
        const scale = kind === 1 ? zeta ** ((side * (n - centre)) / scaleBase) : 1;
        const cos = scale * Math.cos(angle);
        const sin = scale * Math.sin(angle);
        for (let head = 0; head < N; head++) {
          const first = ((b * T + n) * N + head) * D + i;
          const u = x.data[first];
          const v = x.data[first + half];
          y.data[first] = u * cos - v * sin;
          y.data[first + half] = u * sin + v * cos;
        }
      }
    }
  }
};
