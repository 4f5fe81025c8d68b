import { type ReferenceOp } from "./call.ts";

const SQRT_TWO_PI = Math.sqrt(2 * Math.PI);

function normalDensity(x: number): number {
  return Math.exp((-x * x) / 2) / SQRT_TWO_PI;
}

/**
 * The normal distribution function. Near 0 by `1/2 + phi(x) (x + x^3/3 + x^5/(3 5) + ...)`; in the tails by the
 * continued fraction `phi(x) / (|x| + 1/(|x| + 2/(|x| + 3/...)))`, which keeps relative accuracy where Phi is tiny.
 *
 * @see Abramowitz & Stegun 1964, 26.2.11 and 26.2.14
 */
function normalDistribution(x: number): number {
  const size = Math.abs(x);
  if (Number.isNaN(x)) return x;
  if (size < 3) {
    let term = x;
    let sum = x;
    for (let k = 3; Math.abs(term) > 1e-18 * Math.abs(sum); k += 2) sum += term *= (x * x) / k;
    return 0.5 + normalDensity(x) * sum;
  }
  let fraction = size;
  for (let k = 100; k >= 1; k--) fraction = size + k / fraction;
  const tail = normalDensity(x) / fraction;
  return x < 0 ? tail : 1 - tail;
}

/** `y = x Phi(x)` */
export const geluErf: ReferenceOp = ({ inputs: [x], outputs: [y] }) => {
  for (let i = 0; i < x.data.length; i++) y.data[i] = x.data[i] * normalDistribution(x.data[i]);
};

/** `dx = dy (Phi(x) + x phi(x))` */
export const geluErfGrad: ReferenceOp = ({ inputs: [x, dy], outputs: [dx] }) => {
  for (let i = 0; i < x.data.length; i++) {
    dx.data[i] = dy.data[i] * (normalDistribution(x.data[i]) + x.data[i] * normalDensity(x.data[i]));
  }
};
