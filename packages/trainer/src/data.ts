import { ConfigError, DataError } from "@espalier/core";
import { END_OF_TEXT, tokenByteLengths, type TokenSource, writeTokenizerJson } from "@espalier/tokenizer";
import type { TrainPlan } from "@espalier/spec/plan";
import type { Corpus, CorpusOnDisk, Shard, TokenFile } from "@espalier/tokenizer/node";

/** Tokens to train on and to validate with. */
export interface TrainData {
  sources: readonly TokenSource[];
  validation: Uint32Array;
  /** Bytes of text behind each token id `[V]`, for bits per byte (`tokenByteLengths`). */
  byteLengths: Uint32Array;
  /** Id of the token behind each document, for attention within documents and for packing them whole. */
  separator?: number;
  /** Of whatever the tokens were made from; a run refuses to continue on other data. */
  digest: string;
  tokenizerDigest: string;
  /** The tokenizer as the text of a `tokenizer.json`: a run keeps it, and its model can be used without the corpus. */
  tokenizerJson?: () => string;
}

/**
 * Training data from a prepared corpus, in memory or on disk: its text and, when it has any, its generated documents.
 *
 * @param generatedShare share of the training windows that are generated documents, below 1. Absent: in proportion to
 *   their tokens
 * @throws {ConfigError} when a share above 0 is asked of a corpus without generated documents, or it is not in [0, 1)
 */
export function corpusData({ manifest, tokenizer, train, validation, extra }: Corpus | CorpusOnDisk, generatedShare?: number): TrainData {
  const share = generatedShare ?? (extra ? tokensOf(extra).length / (tokensOf(extra).length + tokensOf(train).length) : 0);
  if (!(share >= 0 && share < 1) || (share > 0 && !extra)) {
    throw new ConfigError(
      `training data: generatedShare is ${share}, expected ${extra ? "at least 0 and below 1" : "0: the corpus has no generated documents"}. ` +
        "Correct the share, or prepare the corpus with such documents.",
    );
  }
  const text: TokenSource = { name: "text", tokens: tokensOf(train), weight: 1 - share };
  const generated: TokenSource[] = extra && share > 0 ? [{ name: "generated", tokens: tokensOf(extra), weight: share }] : [];
  return {
    sources: [text, ...generated],
    validation: validation.tokens,
    byteLengths: tokenByteLengths(tokenizer),
    separator: tokenizer.specialId(manifest.separator ?? END_OF_TEXT),
    digest: manifest.digest,
    tokenizerDigest: tokenizer.digest,
    tokenizerJson: () => writeTokenizerJson(tokenizer),
  };
}

const tokensOf = (shard: Shard | TokenFile): TokenSource["tokens"] => ("tokens" in shard ? shard.tokens : shard);

/**
 * The separator of documents for a plan, where it has tokens attend within them.
 *
 * @throws {ConfigError} when the data have no separator
 */
export function documentSeparator({ documentMasks }: Pick<TrainPlan, "documentMasks">, data: TrainData): number | undefined {
  return documentMasks ? separatorFor("documentMasks", data) : undefined;
}

/**
 * The separator of documents for a plan, where it packs them whole.
 *
 * @throws {ConfigError} when the data have no separator
 */
export function packingSeparator({ packing }: Pick<TrainPlan, "packing">, data: TrainData): number | undefined {
  return packing ? separatorFor("packing", data) : undefined;
}

function separatorFor(field: string, { separator }: TrainData): number {
  if (separator !== undefined) return separator;
  throw new ConfigError(`train plan: ${field}: the data say no separator, expected the id of the token behind each document. Give data with one, or leave the field out.`);
}

/** @throws {DataError} when an id is outside the model's vocabulary */
export function expectIds({ sources, validation }: TrainData, vocabSize: number): void {
  for (const { name, tokens } of [...sources, { name: "validation", tokens: validation }]) {
    for (const { start, ids } of piecesOf(tokens)) {
      const bad = ids.findIndex((id) => id >>> 0 >= vocabSize);
      if (bad >= 0) {
        throw new DataError(
          `training data: ${name}: token ${start + bad} has id ${ids[bad]! >>> 0}, expected one below the model's vocabulary of ` +
            `${vocabSize}. Train with the tokenizer's vocabSize.`,
        );
      }
    }
  }
}

const PIECE_TOKENS = 1 << 20;

/** Tokens from first to last; those of a reader piece by piece, each valid until the next: one buffer serves them all. */
function* piecesOf(tokens: TokenSource["tokens"]): Generator<{ start: number; ids: Uint32Array | Int32Array }> {
  if (tokens instanceof Uint32Array) return yield { start: 0, ids: tokens };
  const piece = new Int32Array(Math.min(PIECE_TOKENS, tokens.length));
  for (let start = 0; start < tokens.length; start += PIECE_TOKENS) {
    const ids = piece.subarray(0, tokens.length - start);
    tokens.read(start, ids);
    yield { start, ids };
  }
}
