import { ConfigError, DataError, random } from "@espalier/core";
import { permutation } from "./permutation.ts";

/** Token ids to train on, documents end to end. */
export interface TokenSource {
  /** Keys the order of this source's windows. */
  name: string;
  tokens: Uint32Array;
  /** Share of the windows that come from here, relative to the other sources; above 0. */
  weight: number;
}

export interface BatchRequest {
  sources: readonly TokenSource[];
  seed: number;
  /** Targets trained on before this batch, since the start of the run: the whole state of the data order. */
  tokenOffset: number;
  /** B */
  batchSize: number;
  /** T */
  seqLen: number;
}

/** Inputs and their successors, both `[B, T]`, row by row. */
export interface Batch {
  tokens: Int32Array;
  targets: Int32Array;
}

/** Weights are rounded to this fraction, so that the mixture is integer arithmetic and never drifts. */
const WEIGHT_UNIT = 2 ** 20;

/**
 * The batch at an offset: a pure function of its request.
 *
 * A source of n tokens is cut into `floor((n - 1) / T)` windows; window w has inputs `tokens[wT .. wT + T)` and targets
 * one further on. The tokens behind the last whole window (fewer than T + 1) are not used. Row b of the batch is the run's window
 * number `q = tokenOffset / T + b`. Sources take the numbers in turn, as evenly as their weights allow; the i-th number
 * that falls to a source is window `i mod numWindows` of its epoch `floor(i / numWindows)`, in an order shuffled over
 * the whole source by (seed, source name, epoch).
 *
 * So with T fixed the sequence of windows does not depend on B, on accumulation, or on where the run was resumed. When T
 * changes, at an offset that is a multiple of the new T, windows are numbered anew as if the run had had that T from its
 * start: the current epoch may then repeat some tokens and miss others.
 *
 * @throws {ConfigError} when `tokenOffset` is not a multiple of T, or a weight is not above 0
 * @throws {DataError} when a source is shorter than one window
 */
export function batchAt({ sources, seed, tokenOffset, batchSize: B, seqLen: T }: BatchRequest): Batch {
  if (!Number.isInteger(tokenOffset / T) || tokenOffset < 0) {
    throw new ConfigError(`batchAt: tokenOffset is ${tokenOffset}, expected a multiple of seqLen ${T}. End each stage on a whole window.`);
  }
  const shares = cumulativeShares(sources);
  const windowOf = sources.map((source) => windowOrder(source, seed, T));
  const tokens = new Int32Array(B * T);
  const targets = new Int32Array(B * T);
  for (let b = 0; b < B; b++) {
    const [source, index] = turnOf(tokenOffset / T + b, shares);
    const start = windowOf[source]!(index) * T;
    const from = sources[source]!.tokens;
    tokens.set(from.subarray(start, start + T), b * T);
    targets.set(from.subarray(start + 1, start + T + 1), b * T);
  }
  return { tokens, targets };
}

/** Number of whole windows that `batchAt` and the validation set see in `numTokens` tokens. */
export function numWindows(numTokens: number, seqLen: number): number {
  return Math.max(0, Math.floor((numTokens - 1) / seqLen));
}

/** From the i-th turn of a source to a window, remembering the permutation of the epoch last asked for. */
function windowOrder({ name, tokens }: TokenSource, seed: number, T: number): (index: number) => number {
  const count = numWindows(tokens.length, T);
  if (count === 0) {
    throw new DataError(`batchAt: source ${name} has ${tokens.length} tokens, expected at least ${T + 1} for one window. Give more text or a smaller seqLen.`);
  }
  let epoch = -1;
  let order = (index: number) => index;
  return (index) => {
    if (Math.floor(index / count) !== epoch) {
      epoch = Math.floor(index / count);
      order = permutation(count, random(seed, "data order", name, epoch));
    }
    return order(index % count);
  };
}

/** Of source s against all sources up to it: weight in units of 1 / WEIGHT_UNIT. */
function cumulativeShares(sources: readonly TokenSource[]): number[] {
  let sum = 0;
  return sources.map(({ name, weight }) => {
    if (!(weight > 0) || !Number.isFinite(weight)) {
      throw new ConfigError(`batchAt: weight of source ${name} is ${weight}, expected a number above 0. Leave the source out instead.`);
    }
    sum += weight;
    return Math.round((weight / sum) * WEIGHT_UNIT);
  });
}

/** Which source window number q falls to, and how many numbers it had before: last source against the rest, and so on. */
function turnOf(q: number, shares: readonly number[]): [source: number, index: number] {
  let number = q;
  for (let source = shares.length - 1; source > 0; source--) {
    const before = Math.floor((number * shares[source]!) / WEIGHT_UNIT);
    const after = Math.floor(((number + 1) * shares[source]!) / WEIGHT_UNIT);
    if (after > before) return [source, before];
    number -= before;
  }
  return [0, number];
}
