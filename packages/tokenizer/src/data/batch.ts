import { ConfigError } from "@espalier/core";
import { windowOrder } from "./windowOrder.ts";

/** Token ids that are read piece by piece, from a file that need not fit memory. */
export interface TokenReader {
  /** Tokens in all. */
  readonly length: number;
  /** Fills `into` with the tokens from `start` on. */
  read(start: number, into: Int32Array): void;
}

/** Token ids to train on, documents end to end. */
export interface TokenSource {
  /** Keys the order of this source's windows. */
  name: string;
  tokens: Uint32Array | TokenReader;
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

/**
 * The batch at an offset: a pure function of its request. Row b of the batch is the run's window number
 * `q = tokenOffset / T + b` in the order of `windowOrder`.
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
  const windowAt = windowOrder(sources.map(({ name, tokens, weight }) => ({ name, numTokens: tokens.length, weight })), seed, T, "batchAt");
  const batch = { tokens: new Int32Array(B * T), targets: new Int32Array(B * T) };
  const window = new Int32Array(T + 1);
  for (let b = 0; b < B; b++) {
    const { source, start } = windowAt(tokenOffset / T + b);
    const from = sources[source]!.tokens;
    if (from instanceof Uint32Array) window.set(from.subarray(start, start + T + 1));
    else from.read(start, window);
    setRow(batch, b, window);
  }
  return batch;
}

/** Row b of a batch from its window of T + 1 tokens. */
export function setRow({ tokens, targets }: Batch, b: number, window: Int32Array): void {
  const T = window.length - 1;
  tokens.set(window.subarray(0, T), b * T);
  targets.set(window.subarray(1), b * T);
}
