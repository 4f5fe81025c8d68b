import { trainingFlopsPerToken, type ModelConfig, modelConfig } from "@espalier/spec/model";
import { fittedTarget, operators } from "@espalier/growth";
import { parseTrainPlan, type TrainPlan } from "@espalier/spec/plan";

/** One way to grow, the same for every seed. */
export interface Way {
  name: string;
  operators: Record<string, string>;
}

/** One base, one target, and every operator that leads from the one to the other. */
export interface Study {
  name: string;
  base: ModelConfig;
  target: ModelConfig;
  ways: readonly Way[];
}

const shape = (vocabSize: number, numLayers: number, residualDim: number): ModelConfig =>
  // RMSNorm, so that zero width has an exact form; initialisation as wide as such small models want it.
  modelConfig({ family: "llama", vocabSize, seqLen: 128, numLayers, residualDim, ffnDim: 3 * residualDim, numKvHeads: residualDim / 16, headDim: 16, initStd: 0.1 });

const depth = (name: string): Way => ({ name, operators: { depth: name } });
const width = (name: string, residual: string, ffn: string, head: string): Way => ({ name, operators: { residual, ffn, head } });

/** The studies at this scale: depth by half, depth twice, width twice. */
export function studies(vocabSize: number): Study[] {
  const small = shape(vocabSize, 4, 64);
  return [
    {
      name: "depth 4 -> 6",
      base: small,
      target: shape(vocabSize, 6, 64),
      ways: ["msg", "msgInterleave", "zeroDepth", "zeroDepthTop", "llamaPro", "gradualStack", "interleavedStack", "midas", "lidas", "solar", "averageDepth", "randomDepth"].map(depth),
    },
    {
      name: "depth 4 -> 8",
      base: small,
      target: shape(vocabSize, 8, 64),
      ways: ["msg", "msgInterleave", "zeroDepth", "zeroDepthTop", "stack", "interleavedStack", "randomDepth"].map(depth),
    },
    {
      name: "width 48 -> 96",
      base: shape(vocabSize, 4, 48),
      target: shape(vocabSize, 4, 96),
      ways: [
        width("msg", "msg", "msg", "msg"),
        width("hyperCloning", "hyperCloning", "hyperCloning", "hyperCloning"),
        width("lemon (hyperCloning of channels)", "hyperCloning", "lemon", "lemon"),
        width("zeroWidth", "zeroWidth", "zeroWidth", "zeroWidth"),
        width("bert2Bert, net2Wider", "bert2Bert", "net2Wider", "net2Wider"),
        width("shrinkPerturb", "shrinkPerturb", "shrinkPerturb", "shrinkPerturb"),
      ],
    },
  ];
}

export interface Length {
  /** Optimiser steps of the base and of the grown model, 8 sequences each. */
  baseSteps: number;
  grownSteps: number;
}

const BATCH = 8;
const common = { microBatchSize: BATCH, gradAccumSteps: 1, validationSequences: 64, checkpointEvery: 0 };

/** Base and growth; the second stage warms up again and has a cosine of its own. */
export function grownPlan(study: Study, way: Way, seed: number, rate: number, { baseSteps, grownSteps }: Length): TrainPlan {
  const perStep = BATCH * study.base.seqLen;
  const gated = Object.values(way.operators).some((name) => operators.find((operator) => operator.name === name)!.needsGates);
  return parseTrainPlan({
    ...common,
    name: `${study.name}, ${way.name}, seed ${seed}`,
    seed,
    validateEvery: 16,
    optimizer: { peakLearningRate: rate, warmupSteps: Math.round(baseSteps / 20), finalShare: 0.1 },
    stages: [
      { name: "base", model: study.base, tokens: baseSteps * perStep },
      {
        name: "grown",
        model: fittedTarget(study.base, study.target, way.operators),
        tokens: grownSteps * perStep,
        learningRate: "restart",
        growth: { operators: way.operators, rampSteps: gated ? Math.round(grownSteps / 5) : 0, rewarmSteps: Math.round(grownSteps / 20), seed },
      },
    ],
  });
}

/** The target from scratch on the FLOPs of a grown run, base included. */
export function scratchPlan(study: Study, seed: number, rate: number, { baseSteps, grownSteps }: Length): TrainPlan {
  const perStep = BATCH * study.base.seqLen;
  const steps = Math.round(grownSteps + (baseSteps * trainingFlopsPerToken(study.base)) / trainingFlopsPerToken(study.target));
  return parseTrainPlan({
    ...common,
    name: `${study.name}, from scratch at ${rate}, seed ${seed}`,
    seed,
    validateEvery: 64,
    optimizer: { peakLearningRate: rate, warmupSteps: Math.round(baseSteps / 20), finalShare: 0.1 },
    stages: [{ name: "scratch", model: study.target, tokens: steps * perStep }],
  });
}
