import type { ClusterModel } from "./shape.ts";

/** Tokens of a step that most published runs of large models are near. */
const USUAL_TOKENS = 4.2e6;
/** A step is not made larger than this only to give every GPU a sequence. */
const MOST_TOKENS = 4 * USUAL_TOKENS;

/**
 * Sequences of a step where nobody says: about four million tokens, a multiple of the GPUs so that any layout divides it;
 * on clusters where that alone would be more than 17 million tokens, a multiple of the groups of eight.
 */
export function defaultBatchSize({ seqLen }: Pick<ClusterModel, "seqLen">, numGpus: number): number {
  const unit = numGpus * seqLen > MOST_TOKENS && numGpus % 8 === 0 ? numGpus / 8 : numGpus;
  return unit * Math.max(1, Math.round(USUAL_TOKENS / seqLen / unit));
}
