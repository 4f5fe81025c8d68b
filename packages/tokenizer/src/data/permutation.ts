import type { Random } from "@espalier/core";

const ROUNDS = 6;

/**
 * A pseudo-random permutation of 0 .. n - 1 that is never written out: a Feistel network on the next power of four,
 * walked until it lands inside. Any position costs a few rounds, whatever n.
 *
 * @param n  up to 2^32
 * @see Black & Rogaway 2002, "Ciphers with arbitrary finite domains" (cycle walking)
 */
export function permutation(n: number, key: Random): (index: number) => number {
  const halfBits = Math.max(1, Math.ceil(Math.log2(n) / 2));
  const halfSize = 2 ** halfBits;
  const mask = halfSize - 1;
  const keys = Int32Array.from({ length: ROUNDS }, (_, round) => key.bits(round));
  return (index) => {
    let walked = index;
    do {
      let left = Math.floor(walked / halfSize);
      let right = walked & mask;
      for (const roundKey of keys) {
        const next = left ^ (mix(right ^ roundKey) & mask);
        left = right;
        right = next;
      }
      walked = left * halfSize + right;
    } while (walked >= n);
    return walked;
  };
}

/** The 32-bit finaliser of MurmurHash3. */
function mix(x: number): number {
  let h = x;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
