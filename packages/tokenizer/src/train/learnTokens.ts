import { PairQueue } from "./pairQueue.ts";
import { PairTable } from "./pairTable.ts";
import type { Pieces } from "./pieceCounts.ts";

export interface LearnLimits {
  /** Tokens in all, the 256 bytes included. */
  size: number;
  /** A pair seen less often is not joined. */
  minFrequency: number;
  maxTokenBytes: number;
}

/** Learned tokens between two reports of progress. */
const REPORT_EVERY = 64;

/** Left and right token of every learned token, token 256 first. Tokens below 256 are bytes. */
export type LearnedPairs = Uint32Array;

/**
 * BPE training: the most frequent pair of neighbouring tokens inside a piece becomes a token. Of equally frequent pairs
 * the one with the lower left token comes first, then the one with the lower right token, bytes by `byteOrder`. A pair
 * that spells a token that is there already becomes that token. What native/train/learn.cc is judged against.
 */
export function learnTokens(corpus: Pieces, limits: LearnLimits, report: (done: number) => void = () => {}): LearnedPairs {
  const { size, minFrequency, maxTokenBytes } = limits;
  const { offsets, counts } = corpus;
  const symbols = Int32Array.from(corpus.bytes); // of piece p: symbols[offsets[p] .. offsets[p] + lengths[p])
  const lengths = Int32Array.from(counts, (_, p) => offsets[p + 1]! - offsets[p]!);
  const tokens: Uint8Array[] = Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte));
  const rankOf = new Map(tokens.map((token, rank) => [latin1(token), rank]));
  const learned: number[] = [];

  const pairs = new PairTable();
  for (let p = 0; p < lengths.length; p++) {
    for (let i = offsets[p]!; i + 1 < offsets[p + 1]!; i++) addPair(pairs, symbols[i]!, symbols[i + 1]!, counts[p]!, p);
  }
  const queue = new PairQueue(pairs);
  for (let pair = 0; pair < pairs.size; pair++) queue.push(pair);

  while (tokens.length < size) {
    const best = queue.pop();
    if (best < 0 || pairs.count[best]! < minFrequency) break;
    const left = pairs.left[best]!;
    const right = pairs.right[best]!;
    const token = joined(tokens[left]!, tokens[right]!);
    if (token.length > maxTokenBytes) {
      pairs.count[best] = 0; // never to come up again
      continue;
    }
    const known = rankOf.get(latin1(token)); // two different pairs can spell the same bytes
    const rank = known ?? tokens.length;
    if (known === undefined) {
      rankOf.set(latin1(token), rank);
      tokens.push(token);
      learned.push(left, right);
    }
    const firstNew = pairs.size;
    const touched = new Set<number>(); // older pairs whose count rose: only when `known`
    for (const p of pairs.pieces[best]!) {
      lengths[p] = joinInPiece(symbols, offsets[p]!, lengths[p]!, left, right, rank, counts[p]!, p, pairs, touched);
    }
    pairs.count[best] = 0;
    pairs.pieces[best] = [];
    for (let pair = firstNew; pair < pairs.size; pair++) queue.push(pair);
    for (const pair of touched) if (pair < firstNew) queue.push(pair);
    if (tokens.length % REPORT_EVERY === 0) report(tokens.length);
  }
  report(tokens.length);
  return Uint32Array.from(learned);
}

/** Replaces every (left, right) in one piece, left to right, and keeps the pair counts true. Returns the new length. */
function joinInPiece(
  symbols: Int32Array,
  start: number,
  length: number,
  left: number,
  right: number,
  rank: number,
  weight: number,
  piece: number,
  pairs: PairTable,
  touched: Set<number>,
): number {
  const end = start + length;
  let write = start;
  for (let read = start; read < end; ) {
    if (symbols[read] !== left || read + 1 >= end || symbols[read + 1] !== right) {
      symbols[write++] = symbols[read++]!;
      continue;
    }
    if (write > start) {
      const before = symbols[write - 1]!;
      pairs.count[pairs.indexOf(before, left)]! -= weight;
      touched.add(addPair(pairs, before, rank, weight, piece));
    }
    if (read + 2 < end) {
      const after = symbols[read + 2]!;
      pairs.count[pairs.indexOf(right, after)]! -= weight;
      touched.add(addPair(pairs, rank, after, weight, piece));
    }
    symbols[write++] = rank;
    read += 2;
  }
  return write - start;
}

function addPair(pairs: PairTable, left: number, right: number, weight: number, piece: number): number {
  const pair = pairs.indexOf(left, right);
  pairs.count[pair]! += weight;
  const pieces = pairs.pieces[pair]!;
  if (pieces.at(-1) !== piece) pieces.push(piece);
  return pair;
}

function joined(left: Uint8Array, right: Uint8Array): Uint8Array {
  const token = new Uint8Array(left.length + right.length);
  token.set(left);
  token.set(right, left.length);
  return token;
}

const latin1 = (bytes: Uint8Array): string => String.fromCharCode(...bytes);
