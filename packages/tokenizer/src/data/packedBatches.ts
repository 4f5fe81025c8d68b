import { ConfigError, DataError, random } from "@espalier/core";
import type { Batch, TokenReader, TokenSource } from "./batch.ts";
import { type PackedItem, packDocuments, type Packing } from "./packing.ts";
import { permutation } from "./permutation.ts";
import { cumulativeShares, turnOf } from "./windowOrder.ts";

/** Where documents end, read piece by piece. */
export interface DocumentEnds {
  /** Documents in all. */
  readonly length: number;
  /** Indices behind the last tokens of documents `from .. to - 1`. */
  slice(from: number, to: number): ArrayLike<number>;
}

/** Documents to train on whole. */
export interface PackedSource extends TokenSource {
  ends: DocumentEnds;
}

export interface PackedRequest {
  sources: readonly PackedSource[];
  seed: number;
  /** T */
  seqLen: number;
  /** Id of the token behind each document; fills what is left of a row. */
  separator: number;
  /** Documents packed together. Default `PACKING_DOCUMENTS`. */
  windowDocuments?: number;
}

/** Documents that are packed together: beyond some thousand, more of them leave hardly less padding. */
export const PACKING_DOCUMENTS = 65_536;

/** The target of a token that is not trained on: padding, and the last token of a row that ends a document. */
export const NO_TARGET = -1;

/**
 * Batches whose rows are whole documents, packed by `packDocuments`: any batch is a pure function of the request and its
 * offset, so that seed and offset are the whole state of a run, as with `batchAt`.
 *
 * Each `windowDocuments` documents in a row are packed by themselves: memory is bounded by the longest such window (20
 * bytes a document or piece), and one number is kept of each. An epoch takes windows in shuffled order, and the rows of a
 * window in shuffled order; sources take turns by weight as in `windowOrder`, counted in rows. The target of a token is
 * its successor in its document; of a separator, the first token of the next document of its row; `NO_TARGET` where the
 * next piece is the rest of a cut document, at a row's end and in padding, whose tokens are separators. So
 * `documentIndices` and `documentStarts` hold for these rows too, with each padding token apart.
 *
 * @returns fills rows `[B, T]` from `tokenOffset` on, which counts B T a batch, padding included
 * @throws {ConfigError} when a weight is not above 0, or an offset is not a multiple of T
 * @throws {DataError} when a source has no tokens
 */
export function packedBatches({ sources, seed, seqLen: T, separator, windowDocuments = PACKING_DOCUMENTS }: PackedRequest): (tokenOffset: number, batch: Batch) => void {
  const shares = cumulativeShares(sources, "packed batches");
  const rows = sources.map((source) => shuffledRows(source, seed, T, windowDocuments));
  return (tokenOffset, batch) => {
    if (!Number.isInteger(tokenOffset / T) || tokenOffset < 0) {
      throw new ConfigError(`packed batches: tokenOffset is ${tokenOffset}, expected a multiple of seqLen ${T}. End each stage on a whole row.`);
    }
    batch.tokens.fill(separator);
    batch.targets.fill(NO_TARGET);
    for (let b = 0; b < batch.tokens.length / T; b++) {
      const [source, index] = turnOf(tokenOffset / T + b, shares);
      fillRow(batch, b * T, rows[source]!(index), sources[source]!.tokens);
    }
  };
}

function fillRow({ tokens, targets }: Batch, row: number, items: readonly PackedItem[], from: Uint32Array | TokenReader): void {
  let at = row;
  for (const { start, length, begins, ends } of items) {
    const piece = new Int32Array(ends ? length : length + 1); // a cut piece has a successor, and fills its row
    if (from instanceof Uint32Array) piece.set(from.subarray(start, start + piece.length));
    else from.read(start, piece);
    tokens.set(piece.subarray(0, length), at);
    targets.set(piece.subarray(1), at);
    if (at > row && begins) targets[at - 1] = piece[0]!;
    at += length;
  }
}

/** From the i-th turn of a source to the documents of a row, remembering the window and the epoch last asked for. */
function shuffledRows({ name, ends }: PackedSource, seed: number, T: number, windowDocuments: number): (index: number) => PackedItem[] {
  const numWindows = Math.ceil(ends.length / windowDocuments);
  const rowsOf = Float64Array.from({ length: numWindows }, (_, window) => packWindow(ends, window, T, windowDocuments).numRows);
  const total = rowsOf.reduce((sum, rows) => sum + rows, 0);
  if (total === 0) throw new DataError(`packed batches: source ${name} has no tokens, expected at least one document. Give more text.`);
  const behind = new Float64Array(numWindows); // rows up to and with the window at each turn of the epoch
  let epoch = -1;
  let windowAt = (turn: number) => turn;
  let packed: { window: number; epoch: number; packing: Packing; rowAt: (index: number) => number } | undefined;
  return (index) => {
    if (Math.floor(index / total) !== epoch) {
      epoch = Math.floor(index / total);
      windowAt = permutation(numWindows, random(seed, "packed windows", name, epoch));
      for (let turn = 0, sum = 0; turn < numWindows; turn++) behind[turn] = sum += rowsOf[windowAt(turn)]!;
    }
    const turn = firstAbove(behind, index % total);
    const window = windowAt(turn);
    if (packed?.window !== window || packed.epoch !== epoch) {
      const packing = packed?.window === window ? packed.packing : packWindow(ends, window, T, windowDocuments);
      packed = { window, epoch, packing, rowAt: permutation(packing.numRows, random(seed, "packed rows", name, epoch, window)) };
    }
    return packed.packing.items(packed.rowAt((index % total) - (behind[turn]! - packed.packing.numRows)));
  };
}

function packWindow(ends: DocumentEnds, window: number, T: number, windowDocuments: number): Packing {
  const { start, own } = windowEnds(ends, window, windowDocuments);
  return packDocuments(own, start, T);
}

/** Ends of a window's documents, and where the first begins. */
function windowEnds(ends: DocumentEnds, window: number, windowDocuments: number): { start: number; own: ArrayLike<number> } {
  const first = window * windowDocuments;
  return { start: first === 0 ? 0 : ends.slice(first - 1, first)[0]!, own: ends.slice(first, Math.min(ends.length, first + windowDocuments)) };
}

/** The first place of rising numbers that is above `value`. */
function firstAbove(rising: Float64Array, value: number): number {
  let [low, high] = [0, rising.length - 1];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (rising[middle]! > value) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** How documents lie in sequences of T tokens. */
export interface PackingStatistics {
  numDocuments: number;
  numTokens: number;
  /** Sequences of T tokens. */
  numRows: number;
  /** Documents in more than one sequence, of all documents: those longer than T. */
  cutShare: number;
  /** Tokens of padding, of all tokens of the sequences. */
  paddingShare: number;
  /** Documents in more than one sequence, of all documents, when they are laid end to end and cut every T tokens. */
  concatenatedCutShare: number;
}

/** What `packedBatches` makes of documents, beside laying them end to end. */
export function packingStatistics(ends: DocumentEnds, seqLen: number, windowDocuments: number = PACKING_DOCUMENTS): PackingStatistics {
  let [numRows, cutPacked, cutLaid, from] = [0, 0, 0, 0];
  for (let window = 0; window * windowDocuments < ends.length; window++) {
    const { start, own } = windowEnds(ends, window, windowDocuments);
    numRows += packDocuments(own, start, seqLen).numRows;
    for (let i = 0; i < own.length; from = own[i++]!) {
      if (own[i]! - from > seqLen) cutPacked++;
      if (own[i]! > from && Math.floor(from / seqLen) !== Math.floor((own[i]! - 1) / seqLen)) cutLaid++;
    }
  }
  const share = (part: number, whole: number) => (whole === 0 ? 0 : part / whole);
  return {
    numDocuments: ends.length,
    numTokens: from,
    numRows,
    cutShare: share(cutPacked, ends.length),
    paddingShare: share(numRows * seqLen - from, numRows * seqLen),
    concatenatedCutShare: share(cutLaid, ends.length),
  };
}
