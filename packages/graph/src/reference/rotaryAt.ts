import { type ReferenceOp } from "./call.ts";

/** `[scale cos(n w_i), scale sin(n w_i)]` at position n of each row, `w_i = base^(-2i/D)` unless frequencies are given. */
export const rotaryAngles: ReferenceOp = ({ inputs: [positions, frequencies], outputs: [angles], attributes }) => {
  const { numPairs, kind, side, base, scaleBase, gamma, centre } = attributes;
  positions.data.forEach((n, r) => {
    for (let i = 0; i < numPairs; i++) {
      const frequency = frequencies ? frequencies.data[i] : base ** (-i / numPairs);
      const zeta = (i / numPairs + gamma) / (1 + gamma);
      const scale = kind === 1 ? zeta ** ((side * (n - centre)) / scaleBase) : 1;
      angles.data[2 * r * numPairs + i] = scale * Math.cos(n * frequency);
      angles.data[(2 * r + 1) * numPairs + i] = scale * Math.sin(n * frequency);
    }
  });
};

/** Turns pair (i, i + D/2) of every head of a row by the row's angle. */
export const rotaryAt: ReferenceOp = ({ inputs: [x, angles], outputs: [y] }) => {
  const [R, , half] = angles.shape;
  const heads = x.data.length / (R * 2 * half);
  for (let r = 0; r < R; r++) {
    for (let head = 0; head < heads; head++) {
      for (let i = 0; i < half; i++) {
        const first = (r * heads + head) * 2 * half + i;
        const [cos, sin] = [angles.data[2 * r * half + i], angles.data[(2 * r + 1) * half + i]];
        const [u, v] = [x.data[first], x.data[first + half]];
        y.data[first] = u * cos - v * sin;
        y.data[first + half] = u * sin + v * cos;
      }
    }
  }
};
