/**
 * Counter-based random numbers: every value is a pure function of (key, counter), so item i never depends on
 * items before it and any order, any thread and any machine gives the same numbers.
 * Generator: Philox-4x32 with 10 rounds. Source: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3".
 */

const MULTIPLIER_0 = 0xd2511f53;
const MULTIPLIER_1 = 0xcd9e8d57;
const WEYL_0 = 0x9e3779b9;
const WEYL_1 = 0xbb67ae85;

/** High 32 bits of the unsigned product a * b, without BigInt. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const carry = (middle & 0xffff) + aLow * bHigh;
  return (aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(carry / 0x10000)) >>> 0;
}

/** One Philox-4x32-10 block: four 32-bit words from a 128-bit counter and a 64-bit key. */
export function philox4x32(counter: readonly [number, number, number, number], key: readonly [number, number]): [number, number, number, number] {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < 10; round++) {
    const high0 = multiplyHigh(MULTIPLIER_0, c0);
    const low0 = Math.imul(MULTIPLIER_0, c0) >>> 0;
    const high1 = multiplyHigh(MULTIPLIER_1, c2);
    const low1 = Math.imul(MULTIPLIER_1, c2) >>> 0;
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = low1;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0;
    k0 = (k0 + WEYL_0) >>> 0;
    k1 = (k1 + WEYL_1) >>> 0;
  }
  return [c0 >>> 0, c1 >>> 0, c2 >>> 0, c3 >>> 0];
}

/** FNV-1a over UTF-16 code units, twice with different offsets: a 64-bit key from any text. */
function keyOf(text: string): [number, number] {
  let a = 0x811c9dc5;
  let b = 0x01000193;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    a = Math.imul(a ^ unit, 0x01000193) >>> 0;
    b = Math.imul(b ^ unit, 0x85ebca6b) >>> 0;
    b = (b ^ (b >>> 13)) >>> 0;
  }
  return [a, b];
}

/** A stream of random numbers named by a seed and any number of labels. */
export interface Random {
  /** 32 random bits of position i. */
  bits(i: number): number;
  /** Uniform in [0, 1) of position i, with 53 random bits. */
  uniform(i: number): number;
  /** Standard normal of position i (Box-Muller over the two halves of one block). */
  normal(i: number): number;
  /** Integer in [0, n) of position i. Bias below n / 2^53. */
  integer(i: number, n: number): number;
  /** A stream of its own under a further label. */
  derive(...labels: (string | number)[]): Random;
  /** A cursor that draws positions 0, 1, 2, ... in turn. */
  sequence(): RandomSequence;
}

/** Draws from a `Random` one position after the other. */
export interface RandomSequence {
  uniform(): number;
  normal(): number;
  integer(n: number): number;
  pick<T>(items: readonly T[]): T;
  /** A shuffled copy (Fisher-Yates). */
  shuffle<T>(items: readonly T[]): T[];
}

/**
 * The random stream of a seed and labels.
 *
 * @example random(7, "init", "layers.0.ffn.up").normal(123)
 */
export function random(seed: number | string, ...labels: (string | number)[]): Random {
  const name = [seed, ...labels].map((label) => `${typeof label}:${label}`).join("\u0000");
  const key = keyOf(name);
  const block = (i: number) => philox4x32([i >>> 0, Math.floor(i / 0x1_0000_0000) >>> 0, 0, 0], key);
  const unit = (high: number, low: number) => ((high >>> 5) * 0x400_0000 + (low >>> 6)) / 0x20_0000_0000_0000;

  const stream: Random = {
    bits: (i) => block(i)[0],
    uniform(i) {
      const [a, b] = block(i);
      return unit(a, b);
    },
    normal(i) {
      const [a, b, c, d] = block(i);
      return Math.sqrt(-2 * Math.log(1 - unit(a, b))) * Math.cos(2 * Math.PI * unit(c, d));
    },
    integer: (i, n) => Math.floor(stream.uniform(i) * n),
    derive: (...more) => random(name, ...more),
    sequence() {
      let position = 0;
      const sequence: RandomSequence = {
        uniform: () => stream.uniform(position++),
        normal: () => stream.normal(position++),
        integer: (n) => stream.integer(position++, n),
        pick: (items) => items[sequence.integer(items.length)]!,
        shuffle(items) {
          const copy = [...items];
          for (let i = copy.length - 1; i > 0; i--) {
            const j = sequence.integer(i + 1);
            [copy[i], copy[j]] = [copy[j]!, copy[i]!];
          }
          return copy;
        },
      };
      return sequence;
    },
  };
  return stream;
}
