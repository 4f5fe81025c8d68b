import { type ReferenceOp } from "./call.ts";

const SQRT_2_OVER_PI = Math.sqrt(2 / Math.PI);
const CUBIC = 0.044715; // Hendrycks & Gimpel 2016, arXiv:1606.08415, section 2

export function geluValue(x: number): number {
  return 0.5 * x * (1 + Math.tanh(SQRT_2_OVER_PI * (x + CUBIC * x ** 3)));
}

/** `y = 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))` */
export const gelu: ReferenceOp = ({ inputs: [x], outputs: [y] }) => {
  for (let i = 0; i < x.data.length; i++) y.data[i] = geluValue(x.data[i]);
};

export function geluDerivative(x: number): number {
  const t = Math.tanh(SQRT_2_OVER_PI * (x + CUBIC * x ** 3));
  const innerSlope = SQRT_2_OVER_PI * (1 + 3 * CUBIC * x ** 2);
  return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * innerSlope;
}

/** `dx = dy * gelu'(x)` */
export const geluGrad: ReferenceOp = ({ inputs: [x, dy], outputs: [dx] }) => {
  for (let i = 0; i < x.data.length; i++) dx.data[i] = dy.data[i] * geluDerivative(x.data[i]);
};
