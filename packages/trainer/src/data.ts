import { ConfigError, DataError } from "@espalier/core";
import { tokenByteLengths, type TokenSource } from "@espalier/tokenizer";
import type { Corpus } from "@espalier/tokenizer/node";

/** Tokens to train on and to validate with. */
export interface TrainData {
  sources: readonly TokenSource[];
  validation: Uint32Array;
  /** Bytes of text behind each token id `[V]`, for bits per byte (`tokenByteLengths`). */
  byteLengths: Uint32Array;
  /** Of whatever the tokens were made from; a run refuses to continue on other data. */
  digest: string;
  tokenizerDigest: string;
}

/**
 * Training data from a prepared corpus: its text and, when it has any, its generated documents.
 *
 * @param generatedShare share of the training windows that are generated documents, below 1. Absent: in proportion to
 *   their tokens
 * @throws {ConfigError} when a share above 0 is asked of a corpus without generated documents, or it is not in [0, 1)
 */
export function corpusData({ manifest, tokenizer, train, validation, extra }: Corpus, generatedShare?: number): TrainData {
  const share = generatedShare ?? (extra ? extra.tokens.length / (extra.tokens.length + train.tokens.length) : 0);
  if (!(share >= 0 && share < 1) || (share > 0 && !extra)) {
    throw new ConfigError(
      `training data: generatedShare is ${share}, expected ${extra ? "at least 0 and below 1" : "0: the corpus has no generated documents"}. ` +
        "Correct the share, or prepare the corpus with such documents.",
    );
  }
  const text: TokenSource = { name: "text", tokens: train.tokens, weight: 1 - share };
  const generated: TokenSource[] = extra && share > 0 ? [{ name: "generated", tokens: extra.tokens, weight: share }] : [];
  return {
    sources: [text, ...generated],
    validation: validation.tokens,
    byteLengths: tokenByteLengths(tokenizer),
    digest: manifest.digest,
    tokenizerDigest: tokenizer.digest,
  };
}

/** @throws {DataError} when an id is outside the model's vocabulary */
export function expectIds({ sources, validation }: TrainData, vocabSize: number): void {
  for (const { name, tokens } of [...sources, { name: "validation", tokens: validation }]) {
    const bad = tokens.findIndex((id) => id >= vocabSize);
    if (bad >= 0) {
      throw new DataError(
        `training data: ${name}: token ${bad} has id ${tokens[bad]}, expected one below the model's vocabulary of ` +
          `${vocabSize}. Train with the tokenizer's vocabSize.`,
      );
    }
  }
}
