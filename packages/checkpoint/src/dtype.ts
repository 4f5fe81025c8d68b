/**
 * Element types of safetensors and their size in bits, in the order of their alignment: a writer sorts tensors by
 * descending place in this table, then by name. Source: safetensors 0.6, `Dtype` in tensor.rs.
 */
const BITS = {
  BOOL: 8,
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  U8: 8,
  I8: 8,
  F8_E5M2: 8,
  F8_E4M3: 8,
  F8_E8M0: 8,
  F8_E4M3FNUZ: 8,
  F8_E5M2FNUZ: 8,
  I16: 16,
  U16: 16,
  F16: 16,
  BF16: 16,
  I32: 32,
  U32: 32,
  F32: 32,
  C64: 64,
  F64: 64,
  I64: 64,
  U64: 64,
} as const;

export type SafetensorsDType = keyof typeof BITS;

const ORDER = Object.keys(BITS);

export function isDType(value: unknown): value is SafetensorsDType {
  return typeof value === "string" && Object.hasOwn(BITS, value);
}

/** Place in the table of element types. */
export function dtypeRank(dtype: SafetensorsDType): number {
  return ORDER.indexOf(dtype);
}

/** Bytes of a tensor, or nothing when they are no whole number or not exactly representable. */
export function tensorBytes(dtype: SafetensorsDType, shape: readonly number[]): number | undefined {
  const bits = shape.reduce((a, b) => a * b, BITS[dtype]);
  return Number.isSafeInteger(bits) && bits % 8 === 0 ? bits / 8 : undefined;
}

/** Widens bfloat16 (the upper half of a float32) exactly. */
export function bf16ToF32(halves: Uint16Array): Float32Array {
  const words = new Uint32Array(halves.length);
  for (let i = 0; i < halves.length; i++) words[i] = halves[i]! << 16;
  return new Float32Array(words.buffer);
}

/** Widens IEEE half precision exactly, subnormal numbers included. */
export function f16ToF32(halves: Uint16Array): Float32Array {
  const values = new Float32Array(halves.length);
  for (let i = 0; i < halves.length; i++) {
    const exponent = (halves[i]! >>> 10) & 31;
    const fraction = halves[i]! & 1023;
    const size = exponent === 0 ? fraction * 2 ** -24 : exponent === 31 ? (fraction === 0 ? Infinity : NaN) : (1 + fraction / 1024) * 2 ** (exponent - 15);
    values[i] = halves[i]! & 0x8000 ? -size : size;
  }
  return values;
}

/** Rounds to bfloat16, to nearest with ties to even; NaN stays NaN. */
export function f32ToBf16(values: Float32Array): Uint16Array {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const halves = new Uint16Array(values.length);
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    const isNaN = (word & 0x7fffffff) > 0x7f800000;
    halves[i] = isNaN ? (word >>> 16) | 0x40 : (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
  }
  return halves;
}
