import { DataError } from "@espalier/core";
import type { Batch } from "./batch.ts";
import { numWindows } from "./windowOrder.ts";

/**
 * First tokens of a fixed set of windows, spread evenly over the validation tokens: the same for every model, seed and
 * batch size, so that losses compare.
 *
 * @param maxWindows  fewer when there are not so many
 * @throws {DataError} when there is not one window
 */
export function validationStarts(numTokens: number, seqLen: number, maxWindows: number): number[] {
  const available = numWindows(numTokens, seqLen);
  if (available === 0) {
    throw new DataError(`validationStarts: ${numTokens} validation tokens, expected at least ${seqLen + 1} for one window. Give more text or a larger validation share.`);
  }
  const count = Math.min(available, maxWindows);
  return Array.from({ length: count }, (_, i) => Math.floor((i * available) / count) * seqLen);
}

/** The windows that start at the given tokens: inputs and targets `[starts.length, T]`. */
export function windowsAt(source: Uint32Array, starts: readonly number[], seqLen: number): Batch {
  const tokens = new Int32Array(starts.length * seqLen);
  const targets = new Int32Array(starts.length * seqLen);
  starts.forEach((start, row) => {
    tokens.set(source.subarray(start, start + seqLen), row * seqLen);
    targets.set(source.subarray(start + 1, start + seqLen + 1), row * seqLen);
  });
  return { tokens, targets };
}
