import type { ModelShape } from "@espalier/spec/model";

/** Read by `parseTrainPlan`, and short enough for a user to edit. */
export interface PlanFile {
  name: string;
  seed: number;
  microBatchSize: number;
  optimizer: { peakLearningRate: number; warmupSteps: number };
  stages: { name: string; tokens: number; model: ModelShape; growth?: object }[];
}

/** Beyond this many passes over its text a model of this size learns the text by heart. */
const MOST_EPOCHS = 8;
/** About a minute of two cores: 45,000 tokens a second before the growth and 20,000 after it. */
const STAGE_TOKENS = 400_000;

/**
 * The plan of a run that names none: a model of 0.5 to 1 million parameters that learns something within a minute or two on
 * a small machine and is doubled in depth in the middle, without a change of its logits.
 *
 * @param vocabSize of the corpus's tokeniser
 * @param trainTokens that the corpus has
 */
export function defaultPlan(vocabSize: number, trainTokens: number): PlanFile {
  const tokens = Math.max(1, Math.min(STAGE_TOKENS, Math.floor((MOST_EPOCHS * trainTokens) / 2)));
  const shape = (numLayers: number): ModelShape => ({ family: "flm", vocabSize, seqLen: 128, numLayers, residualDim: 128, numKvHeads: 4 });
  return {
    name: "first",
    seed: 1,
    microBatchSize: 8,
    optimizer: { peakLearningRate: 0.003, warmupSteps: 20 },
    stages: [
      { name: "small", tokens, model: shape(2) },
      { name: "grown", tokens, model: shape(4), growth: { operators: { depth: "zeroDepth" }, rampSteps: 0, rewarmSteps: 20, seed: 1 } },
    ],
  };
}
