import { DataError } from "@espalier/core";
import { type Tokenizer, tokenByteLengths, type TokenSource } from "@espalier/tokenizer";
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
 * Training data from a prepared corpus: its text, and its generated documents when it has any, each in proportion to its
 * tokens, so that both run out of fresh windows together.
 */
export function corpusData({ manifest, tokenizer, train, validation, extra }: Corpus): TrainData {
  const source = (name: string, tokens: Uint32Array): TokenSource => ({ name, tokens, weight: tokens.length });
  return {
    sources: [source("text", train.tokens), ...(extra ? [source("generated", extra.tokens)] : [])],
    validation: validation.tokens,
    byteLengths: tokenByteLengths(tokenizer as Tokenizer),
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
