/** Two rounds of multiply and shift ("lowbias32", C. Wellons 2018, hash-prospector). */
function mixed(x: number): number {
  let bits = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  bits = Math.imul(bits ^ (bits >>> 15), 0x846ca68b);
  return (bits ^ (bits >>> 16)) >>> 0;
}

/** 16 random bits: a pure function of seed, step and element, the same in every executor. */
export function random16(seed: number, step: number, element: number): number {
  return mixed(element ^ mixed(Math.floor(element / 2 ** 32) ^ mixed(step ^ mixed(seed)))) >>> 16;
}

const float = new Float32Array(1);
const word = new Uint32Array(float.buffer);

/**
 * A value, first to fp32, as bf16: up when its lower half and the random bits carry, down when they do not, so that the
 * mean over all random bits is the value. Infinity and not-a-number stay.
 */
export function roundStochastically(value: number, random: number): number {
  float[0] = value;
  if (Number.isFinite(float[0])) word[0] = (word[0]! + random) & 0xffff0000;
  return float[0]!;
}
