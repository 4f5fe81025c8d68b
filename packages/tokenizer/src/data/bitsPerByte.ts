import type { Tokenizer } from "../tokenizer.ts";

/** Bytes of text behind each id `[vocabSize]`; special tokens and unused ids stand for no text and count 0. */
export function tokenByteLengths(tokenizer: Tokenizer): Uint32Array {
  const lengths = new Uint32Array(tokenizer.vocabSize);
  const { ids } = tokenizer;
  const { offsets } = tokenizer.ranks;
  for (let rank = 0; rank + 1 < offsets.length; rank++) lengths[ids ? ids[rank]! : rank] = offsets[rank + 1]! - offsets[rank]!;
  return lengths;
}

/** Bytes of text that a model predicts when it predicts these targets. */
export function predictedBytes(targets: ArrayLike<number>, byteLengths: Uint32Array): number {
  let bytes = 0;
  for (let i = 0; i < targets.length; i++) bytes += byteLengths[targets[i]!]!;
  return bytes;
}

/**
 * `nats / ln 2 / bytes`: comparable across tokenisers, which nats per token are not. The nats of predicted separators
 * are in the sum, their zero bytes are not: a model pays for saying where a document ends.
 *
 * @param nats   loss summed over the predicted tokens
 * @param bytes  `predictedBytes` of the same tokens
 */
export function bitsPerByte(nats: number, bytes: number): number {
  return nats / Math.LN2 / bytes;
}
