import { ConfigError, type Progress, silent } from "@espalier/core";
import { END_OF_TEXT } from "../encodings.ts";
import { createTokenizer, type Tokenizer } from "../tokenizer.ts";
import { ranksOf } from "../vocabulary.ts";
import { PairTable } from "./pairTable.ts";
import { createPieceCounts, type PieceCounts } from "./pieceCounts.ts";
import { PairQueue } from "./pairQueue.ts";

export interface TrainTokenizerOptions {
  /** Number of ids in all: 256 bytes, learned tokens, special tokens. */
  vocabSize: number;
  /** A pair seen less often than this is not joined; the vocabulary then stays smaller. Default 2. */
  minFrequency?: number;
  /** No token gets longer than this, so that rulers and padding do not fill the vocabulary. Default 128, as cl100k's longest. */
  maxTokenBytes?: number;
  /** Take the highest ids, in this order. Default: the document separator alone. */
  specialTokens?: readonly string[];
  name?: string;
  /** Reports learned tokens, task `train tokenizer`. */
  progress?: Progress;
}

/** Learned tokens between two reports of progress. */
const REPORT_EVERY = 64;

/**
 * Byte-level BPE training: starting from the 256 bytes, the most frequent pair of neighbouring tokens inside a piece
 * becomes a token, until the vocabulary is full. Equal counts are decided by the lower left id, then the lower right
 * id, so equal corpora give equal vocabularies whatever the order of their documents.
 *
 * @param corpus documents, or the counts of their pieces; one synchronous pass (run it in a worker to stay responsive)
 * @throws {ConfigError} when `vocabSize` leaves no room for bytes and special tokens
 * @see Sennrich et al. 2016, arXiv:1508.07909; bytes: Radford et al. 2019, section 2.2
 */
export function trainTokenizer(corpus: PieceCounts | Iterable<Uint8Array>, options: TrainTokenizerOptions): Tokenizer {
  const { vocabSize, minFrequency = 2, maxTokenBytes = 128, specialTokens = [END_OF_TEXT], progress = silent } = options;
  const size = vocabSize - specialTokens.length;
  if (!Number.isInteger(vocabSize) || size < 256) {
    throw new ConfigError(
      `trainTokenizer: vocabSize is ${vocabSize}, expected at least ${256 + specialTokens.length} (256 bytes and ${specialTokens.length} special tokens). Raise it.`,
    );
  }
  const tokens = learnTokens("add" in corpus ? corpus : countPieces(corpus), { size, minFrequency, maxTokenBytes }, (done) =>
    progress({ task: "train tokenizer", done, total: size, unit: "tokens" }),
  );
  return createTokenizer({
    name: options.name ?? `bpe-${vocabSize}`,
    ranks: ranksOf(tokens),
    specialTokens: new Map(specialTokens.map((text, i) => [text, tokens.length + i])),
  });
}

function countPieces(documents: Iterable<Uint8Array>): PieceCounts {
  const counts = createPieceCounts();
  for (const document of documents) counts.add(document);
  return counts;
}

interface Limits {
  size: number;
  minFrequency: number;
  maxTokenBytes: number;
}

function learnTokens(corpus: PieceCounts, limits: Limits, report: (done: number) => void): Uint8Array[] {
  const { size, minFrequency, maxTokenBytes } = limits;
  const { offsets, counts } = corpus;
  const symbols = Int32Array.from(corpus.bytes); // of piece p: symbols[offsets[p] .. offsets[p] + lengths[p])
  const lengths = Int32Array.from(counts, (_, p) => offsets[p + 1]! - offsets[p]!);
  const tokens: Uint8Array[] = Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte));
  const rankOf = new Map(tokens.map((token, rank) => [latin1(token), rank]));

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
  return tokens;
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
