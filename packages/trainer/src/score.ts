import { prefixTree } from "./inference/prefixTree.ts";
import type { RowEngine } from "./inference/rowEngine.ts";
import { walk } from "./inference/walk.ts";

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

/** A scored token: its log-probability in nats, and whether it is the model's first choice. */
export interface TokenScore {
  logprob: number;
  isGreedy: boolean;
  /** Logarithm of the sum of exp(logit) over the vocabulary. */
  lse: number;
  /** The logits, when they were asked for; a copy. */
  logits?: Float32Array;
}

/**
 * Scores of the ends of sequences, token by token, in their order. Beginnings that sequences have in common are computed
 * once. What a sequence is scored with never changes its scores: a row of a run does not read the others.
 */
export async function scoreTokens(engine: RowEngine, sequences: readonly Sequence[], withLogits = false): Promise<TokenScore[][]> {
  const scores = sequences.map(({ numScored }) => new Array<TokenScore>(numScored));
  const owner: number[] = [];
  const firstOf = sequences.map(({ numScored }, i) => {
    const first = owner.length;
    for (let k = 0; k < numScored; k++) owner.push(i);
    return first;
  });
  const target = (question: number) => {
    const i = owner[question]!;
    const { tokens, numScored } = sequences[i]!;
    return tokens[tokens.length - numScored + question - firstOf[i]!]!;
  };
  // The last token is only predicted; a sequence of which nothing is scored need not run at all.
  const lengths = sequences.map(({ tokens, numScored }) => (numScored > 0 ? tokens.length - 1 : 0));
  const tree = prefixTree(sequences.map(({ tokens }) => tokens), lengths, (i, ask) => {
    const { tokens, numScored } = sequences[i]!;
    for (let n = tokens.length - numScored; n < tokens.length; n++) ask(n - 1);
  });
  await walk(engine, tree, async (asked) => {
    const rows = asked.map(({ row }) => row);
    const place = (pair: number) => {
      const { question } = asked[pair]!;
      const i = owner[question]!;
      return { list: scores[i]!, at: question - firstOf[i]! };
    };
    await engine.score(rows, asked.map(({ question }) => target(question)), (pair, loss, isGreedy, lse) => {
      const { list, at } = place(pair);
      list[at] = { logprob: -loss, isGreedy, lse };
    });
    if (!withLogits) return;
    await engine.logits(rows, (pair, logits) => {
      const { list, at } = place(pair);
      list[at]!.logits = logits.slice();
    });
  });
  return scores;
}

/** Log-likelihood of the ends of sequences, in their order; summed token by token, from the first. */
export async function scoreSequences(engine: RowEngine, sequences: readonly Sequence[]): Promise<ScoredTokens[]> {
  return (await scoreTokens(engine, sequences)).map((tokens) => ({
    logprob: tokens.reduce((sum, { logprob }) => sum + logprob, 0),
    numTokens: tokens.length,
    isGreedy: tokens.every(({ isGreedy }) => isGreedy),
  }));
}
