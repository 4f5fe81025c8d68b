import type { BatchShape } from "./programs.ts";

const SHORTEST = 16;
/** Tokens of the largest program: more rows would not make the kernels faster. */
const MAX_TOKENS = 2048;

/** The program length for a sequence: the next power of two, at most the model's own length. */
export function lengthBucket(length: number, seqLen: number): number {
  return Math.min(seqLen, Math.max(SHORTEST, 2 ** Math.ceil(Math.log2(length))));
}

/** One run: a shape and the items in its first rows; rows beyond them are padding. */
export interface Batch {
  shape: BatchShape;
  items: number[];
}

/**
 * Groups items by length into runs of few shapes: T by the item's own length, B 16, 4 or 1. Which items share a run
 * never changes an answer: rows do not read each other, and sums run along a row.
 */
export function batches(lengths: readonly number[], seqLen: number): Batch[] {
  const byLength = new Map<number, number[]>();
  lengths.forEach((length, i) => {
    const T = lengthBucket(length, seqLen);
    byLength.set(T, [...(byLength.get(T) ?? []), i]);
  });
  return [...byLength].flatMap(([T, items]) => {
    const sizes = [16, 4, 1].filter((B) => B === 1 || B * T <= MAX_TOKENS);
    const out: Batch[] = [];
    for (let done = 0; done < items.length; ) {
      const left = items.length - done;
      // Half-empty is still cheaper than several smaller runs.
      const B = sizes.find((size) => left > size / 2) ?? 1;
      out.push({ shape: { B, T }, items: items.slice(done, done + B) });
      done += B;
    }
    return out;
  });
}
