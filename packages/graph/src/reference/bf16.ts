import type { Values } from "./call.ts";

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/**
 * The nearest bf16, ties to even, of x as fp32: its sign, its 8 bits of exponent and the upper 7 of its mantissa. Beyond
 * the largest it is an infinity; what is not a number stays so.
 */
export function roundToBf16(x: number): number {
  float[0] = x;
  if (!Number.isFinite(float[0])) return float[0];
  bits[0] = (bits[0] + 0x7fff + ((bits[0] >>> 16) & 1)) & 0xffff0000;
  return float[0];
}

/** The values as a product with the attribute `bf16` sees them. */
export function factorsOf(values: Values, bf16: number | undefined): Values {
  return bf16 ? { ...values, data: values.data.map(roundToBf16) } : values;
}
