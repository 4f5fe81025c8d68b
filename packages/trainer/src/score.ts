import { batches } from "./batching.ts";
import type { DeviceModel } from "./deviceModel.ts";

/** Tokens of which the last `numScored` are to be predicted, each from all before it. */
export interface Sequence {
  tokens: ArrayLike<number>;
  numScored: number;
}

export interface ScoredTokens {
  /** Nats. */
  logprob: number;
  numTokens: number;
  isGreedy: boolean;
}

/** Log-likelihood of the ends of sequences, in their order. */
export async function scoreSequences(model: DeviceModel, sequences: readonly Sequence[]): Promise<ScoredTokens[]> {
  const scores = sequences.map((): ScoredTokens => ({ logprob: 0, numTokens: 0, isGreedy: true }));
  const lengths = sequences.map(({ tokens }) => tokens.length - 1);
  for (const { shape, items } of batches(lengths, model.config.seqLen)) {
    const { B, T } = shape;
    const { program, inputs, outputs } = model.evaluation(shape);
    const tokens = new Int32Array(B * T);
    const targets = new Int32Array(B * T).fill(-1);
    const rowLengths = new Int32Array(B).fill(1);
    items.forEach((item, row) => {
      const sequence = sequences[item]!;
      const length = lengths[item]!;
      for (let n = 0; n < length; n++) {
        tokens[row * T + n] = sequence.tokens[n]!;
        if (n >= length - sequence.numScored) targets[row * T + n] = sequence.tokens[n + 1]!;
      }
      rowLengths[row] = Math.max(1, length);
    });
    inputs[0].set("tokens", tokens).set("targets", targets).set("lengths", rowLengths).set("weights", 1);
    model.setModelInputs(inputs[0]);
    await program.run(inputs[0].bytes, outputs.bytes);
    const tokenLoss = outputs.get("tokenLoss");
    const greedy = outputs.get("greedy");
    items.forEach((item, row) => {
      const { numScored } = sequences[item]!;
      let logprob = 0;
      let isGreedy = true;
      for (let n = lengths[item]! - numScored; n < lengths[item]!; n++) {
        logprob -= tokenLoss[row * T + n]!;
        isGreedy &&= greedy[row * T + n] === 1;
      }
      scores[item] = { logprob, numTokens: numScored, isGreedy };
    });
  }
  return scores;
}
