/**
 * CPython's `random.Random`: the Mersenne Twister MT19937 and the methods that lm-evaluation-harness draws with.
 * Few-shot prompts of other harnesses can only be rebuilt with the same numbers.
 *
 * @see Matsumoto & Nishimura 1998; CPython Modules/_randommodule.c and Lib/random.py
 */

import { ConfigError } from "@espalier/core";

const N = 624;
const M = 397;

export interface PythonRandom {
  /** Uniform in [0, 1) with 53 bits. */
  random(): number;
  /** The top `k` of the next 32 bits, k from 1 to 32. */
  getrandbits(k: number): number;
  /** Integer in [0, n). */
  randbelow(n: number): number;
  /** `k` elements without replacement, in the order drawn. */
  sample<T>(population: readonly T[], k: number): T[];
  /** A shuffled copy (Python's shuffles in place). */
  shuffle<T>(items: readonly T[]): T[];
  /** `k` elements with replacement. */
  choices<T>(population: readonly T[], k: number): T[];
}

/** State of MT19937 after `init_by_array` with the 32-bit limbs of a seed, lowest first. */
function initialState(seed: bigint): Uint32Array {
  const limbs: number[] = [];
  for (let rest = seed; rest > 0n || limbs.length === 0; rest >>= 32n) limbs.push(Number(rest & 0xffffffffn));
  const state = new Uint32Array(N);
  state[0] = 19650218;
  for (let i = 1; i < N; i++) state[i] = Math.imul(1812433253, state[i - 1] ^ (state[i - 1] >>> 30)) + i;
  let i = 1;
  for (let k = 0, j = 0; k < Math.max(N, limbs.length); k++) {
    state[i] = (state[i] ^ Math.imul(state[i - 1] ^ (state[i - 1] >>> 30), 1664525)) + limbs[j] + j;
    if (++i === N) {
      state[0] = state[N - 1];
      i = 1;
    }
    j = (j + 1) % limbs.length;
  }
  for (let k = 0; k < N - 1; k++) {
    state[i] = (state[i] ^ Math.imul(state[i - 1] ^ (state[i - 1] >>> 30), 1566083941)) - i;
    if (++i === N) {
      state[0] = state[N - 1];
      i = 1;
    }
  }
  state[0] = 0x80000000;
  return state;
}

function twist(state: Uint32Array): void {
  for (let k = 0; k < N; k++) {
    const y = (state[k] & 0x80000000) | (state[(k + 1) % N] & 0x7fffffff);
    state[k] = state[(k + M) % N] ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
  }
}

/** `random.Random(seed)` of CPython for a whole-number seed (its absolute value counts, as in CPython). */
export function pythonRandom(seed: number | bigint): PythonRandom {
  if (typeof seed === "number" && !Number.isSafeInteger(seed)) {
    throw new ConfigError(`pythonRandom: seed is ${seed}, expected a whole number. Pass a bigint for large seeds.`);
  }
  const whole = BigInt(seed);
  const state = initialState(whole < 0n ? -whole : whole);
  let position = N;

  const next = (): number => {
    if (position === N) {
      twist(state);
      position = 0;
    }
    let y = state[position++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  };
  const uniform = () => ((next() >>> 5) * 0x400_0000 + (next() >>> 6)) / 0x20_0000_0000_0000;
  const randbelow = (n: number): number => {
    if (!Number.isInteger(n) || n < 1 || n > 0xffffffff) {
      throw new ConfigError(`pythonRandom: randbelow(${n}), expected a whole number from 1 to 2^32 - 1.`);
    }
    const bits = 32 - Math.clz32(n);
    for (;;) {
      const r = next() >>> (32 - bits);
      if (r < n) return r;
    }
  };

  return {
    random: uniform,
    getrandbits: (k) => next() >>> (32 - k),
    randbelow,
    sample(population, k) {
      const n = population.length;
      if (k > n) throw new ConfigError(`pythonRandom: sample of ${k} from ${n}, expected no more than there are.`);
      // Below this size a pool is cheaper than a set (CPython's own estimate; the draws depend on it).
      const setSize = 21 + (k > 5 ? 4 ** Math.ceil(Math.log(k * 3) / Math.log(4)) : 0);
      if (n <= setSize) {
        const pool = [...population];
        return Array.from({ length: k }, (_, i) => {
          const j = randbelow(n - i);
          const drawn = pool[j];
          pool[j] = pool[n - i - 1];
          return drawn;
        });
      }
      const selected = new Set<number>();
      while (selected.size < k) selected.add(randbelow(n)); // a repeated draw is drawn again
      return [...selected].map((j) => population[j]);
    },
    shuffle(items) {
      const copy = [...items];
      for (let i = copy.length - 1; i > 0; i--) {
        const j = randbelow(i + 1);
        [copy[i], copy[j]] = [copy[j], copy[i]];
      }
      return copy;
    },
    choices: (population, k) => Array.from({ length: k }, () => population[Math.floor(uniform() * population.length)]),
  };
}
