import { batches } from "./batching.ts";
import type { DeviceModel } from "./deviceModel.ts";

/** A sequence being continued. */
export interface Decoding {
  tokens: number[];
  /** 0: greedy. */
  temperature: number;
  /** Uniform in [0, 1) by position in the sequence: sampling does not depend on what else is decoded. */
  uniform: (position: number) => number;
}

/**
 * The next token of each sequence.
 *
 * @param isToken `[V]`, 0 for ids that no token has: an embedding may have more rows than the vocabulary
 */
export async function nextTokens(model: DeviceModel, sequences: readonly Decoding[], isToken: Uint8Array): Promise<number[]> {
  const V = model.config.vocabSize;
  const next = new Array<number>(sequences.length);
  const lengths = sequences.map(({ tokens }) => tokens.length);
  for (const { shape, items } of batches(lengths, model.config.seqLen)) {
    const { B, T } = shape;
    const { program, inputs, outputs } = model.generation(shape);
    const tokens = new Int32Array(B * T);
    const rowLengths = new Int32Array(B).fill(1);
    items.forEach((item, row) => {
      tokens.set(sequences[item]!.tokens, row * T);
      rowLengths[row] = lengths[item]!;
    });
    inputs[0].set("tokens", tokens).set("lengths", rowLengths);
    inputs[0].set("index", rowLengths.map((length) => length - 1));
    model.setModelInputs(inputs[0]);
    await program.run(inputs[0].bytes, outputs.bytes);
    const logits = outputs.get("logits");
    items.forEach((item, row) => {
      const { temperature, uniform } = sequences[item]!;
      const rowLogits = Float64Array.from(logits.subarray(row * V, (row + 1) * V), (logit, id) => (isToken[id] ? logit : -Infinity));
      next[item] = temperature === 0 ? argmax(rowLogits) : sample(rowLogits, temperature, uniform(lengths[item]!));
    });
  }
  return next;
}

/** The first largest. */
function argmax(logits: Float64Array): number {
  let best = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i]! > logits[best]!) best = i;
  return best;
}

/** Draws from `softmax(logits / temperature)` with a uniform number, in fp64. */
function sample(logits: Float64Array, temperature: number, uniform: number): number {
  const largest = logits[argmax(logits)]!;
  const weights = logits.map((logit) => Math.exp((logit - largest) / temperature));
  const total = weights.reduce((a, b) => a + b, 0);
  let left = uniform * total;
  for (let i = 0; i < weights.length; i++) {
    left -= weights[i]!;
    if (left < 0) return i;
  }
  return argmax(logits);
}
