import { ConfigError, type Progress, silent } from "@espalier/core";
import { nativeLearnTokens } from "#native";
import { END_OF_TEXT } from "../encodings.ts";
import type { PatternName } from "../pretokenize/patterns.ts";
import { createTokenizer, type Tokenizer } from "../tokenizer.ts";
import { type Ranks, ranksOf } from "../vocabulary.ts";
import { type LearnedPairs, learnTokens } from "./learnTokens.ts";
import { createPieceCounts, type PieceCounts, type Pieces } from "./pieceCounts.ts";

export interface TrainTokenizerOptions {
  /** Number of ids in all: 256 bytes, learned tokens, special tokens. */
  vocabSize: number;
  /** How text is cut into pieces; no token crosses a cut. Default: that of the counts, else `cl100k`. */
  pattern?: PatternName;
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

/**
 * Byte-level BPE training: starting from the 256 bytes, the most frequent pair of neighbouring tokens inside a piece
 * becomes a token, until the vocabulary is full. Of equally frequent pairs the one with the earlier left token comes
 * first, then the one with the earlier right token, bytes in the order of GPT-2's printable characters: the merges of
 * Hugging Face's trainer, and equal corpora give equal vocabularies whatever the order of their documents. Counts are
 * exact to 2^53. The addon learns where it is built, else TypeScript; the tokens are the same.
 *
 * @param corpus documents, or the counts of their pieces; one synchronous pass (run it in a worker to stay responsive)
 * @throws {ConfigError} when `vocabSize` leaves no room for bytes and special tokens, or `pattern` is not that of the counts
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
  const pattern = options.pattern ?? ("add" in corpus ? corpus.pattern : "cl100k");
  const counts = "add" in corpus ? corpus : countPieces(corpus, pattern);
  if (counts.pattern !== pattern) {
    throw new ConfigError(`trainTokenizer: pattern is ${pattern}, expected ${counts.pattern}, by which the pieces were counted. Leave it out, or count again.`);
  }
  const report = (done: number): void => progress({ task: "train tokenizer", done, total: size, unit: "tokens" });
  const ranks = learnRanks(counts.pieces(), { size, minFrequency, maxTokenBytes }, report);
  const numRanks = ranks.offsets.length - 1;
  return createTokenizer({
    name: options.name ?? `bpe-${vocabSize}`,
    ranks,
    pattern,
    specialTokens: new Map(specialTokens.map((text, i) => [text, numRanks + i])),
  });
}

function learnRanks(pieces: Pieces, limits: Parameters<typeof learnTokens>[1], report: (done: number) => void): Ranks {
  const native = nativeLearnTokens(pieces, limits);
  const ranks = ranksOf(tokensOf(native ?? learnTokens(pieces, limits, report)));
  if (native) report(ranks.offsets.length - 1);
  return ranks;
}

/** The 256 bytes and the learned tokens, in rank order. */
export function tokensOf(learned: LearnedPairs): Uint8Array[] {
  const tokens = Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte));
  for (let i = 0; i < learned.length; i += 2) {
    const left = tokens[learned[i]!]!;
    const token = new Uint8Array(left.length + tokens[learned[i + 1]!]!.length);
    token.set(left);
    token.set(tokens[learned[i + 1]!]!, left.length);
    tokens.push(token);
  }
  return tokens;
}

function countPieces(documents: Iterable<Uint8Array>, pattern: PatternName): PieceCounts {
  const counts = createPieceCounts(pattern);
  for (const document of documents) counts.add(document);
  return counts;
}
