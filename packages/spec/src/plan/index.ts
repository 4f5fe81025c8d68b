import { ConfigError } from "@espalier/core";
import { z } from "zod";
import { type ModelConfig, modelConfig, modelConfigSchema, modelShapeSchema } from "../model/config.ts";
import { refusal, refusals } from "../model/refusal.ts";

/** How the model becomes larger at the start of a stage. Operators are named; package growth owns them. */
export const growthStepSchema = z.strictObject({
  /** Operator per axis group; an axis not named must not change. */
  operators: z.partialRecord(z.enum(["residual", "ffn", "head", "depth"]), z.string()),
  /** Optimiser steps over which new units' gates go from 0 to 1; 0: no gates. */
  rampSteps: z.int().nonnegative(),
  /** Steps of linear re-warm-up 0 -> 1 of the learning rate after the growth; 0: none. */
  rewarmSteps: z.int().nonnegative(),
  seed: z.int(),
});

/**
 * Learning rate of a stage.
 * `inherit`: one global schedule over the whole plan. `restart`: constant after warm-up until this stage, which has a
 * cosine of its own from `peak`.
 */
export const learningRateRuleSchema = z.enum(["inherit", "restart"]);

/** A whole configuration, or the shape alone: without `multipliers`, the rest has the defaults of `modelConfig`. */
const stageModelSchema = z.unknown().transform((value, context): ModelConfig => {
  const isShape = typeof value === "object" && value !== null && !("multipliers" in value);
  const shape = isShape ? modelShapeSchema.safeParse(value, refusals) : undefined;
  const result = shape && !shape.success ? shape : modelConfigSchema.safeParse(shape ? expanded(shape.data) : value, refusals);
  if (result.success) return result.data as ModelConfig;
  for (const { path, message } of result.error.issues) context.addIssue({ code: "custom", path, message });
  return z.NEVER;
});

/** `modelConfig`, whose refusal is left to the schema, which knows the path. */
function expanded(shape: z.infer<typeof modelShapeSchema>): unknown {
  const headDim = shape.headDim ?? shape.residualDim / (shape.numKvHeads * (shape.groupSize ?? 1));
  const position = { kind: "rope" as const, ...shape.position };
  return headDim > 0 && headDim % 2 === 0 ? modelConfig({ ...shape, position }) : { ...modelConfig({ ...shape, headDim: 2, position }), headDim };
}

export const stageSchema = z.strictObject({
  name: z.string().min(1),
  model: stageModelSchema,
  /** Tokens trained in this stage. */
  tokens: z.int().positive(),
  /** Absent in the first stage. */
  growth: growthStepSchema.optional(),
  learningRate: learningRateRuleSchema.default("inherit"),
});

export const optimizerSchema = z.strictObject({
  peakLearningRate: z.number().positive(),
  /** Final rate as a share of the peak. */
  finalShare: z.number().min(0).max(1).default(0.1),
  warmupSteps: z.int().nonnegative().default(60),
  beta1: z.number().default(0.9),
  beta2: z.number().default(0.95),
  epsilon: z.number().default(1e-8),
  /** Decoupled, on matrices. */
  weightDecay: z.number().default(0.1),
  clipNorm: z.number().default(1),
});

export const precisionSchema = z.enum(["fp32", "bf16"]);
export const packingSchema = z.enum(["bestFit"]);

/** One training run: stages in turn, growth between them. */
export const trainPlanSchema = z.strictObject({
  name: z.string().min(1),
  seed: z.int(),
  stages: z.array(stageSchema).min(1),
  optimizer: optimizerSchema,
  /** B: sequences in one micro-batch. */
  microBatchSize: z.int().positive(),
  gradAccumSteps: z.int().positive().default(1),
  /** Validation every so many steps; 0: at stage ends only. */
  validateEvery: z.int().nonnegative().default(0),
  /** Sequences of the fixed validation set used for curves. */
  validationSequences: z.int().positive().default(96),
  /** Checkpoint every so many steps; 0: at stage ends only. */
  checkpointEvery: z.int().nonnegative().default(0),
  /**
   * `bf16`: factors of matrix products are rounded to bf16 before they are multiplied. Weights, moments, gradients, sums,
   * norms, softmax and the optimiser stay fp32, and so do checkpoints. Absent: `fp32`.
   */
  precision: precisionSchema.optional(),
  /**
   * `bf16`: parameters are numbers of bf16 from their first update on: AdamW rounds each update up or down at random, so that
   * none is lost in the mean. The random bits are a pure function of the plan's seed, the parameter, the step and the element.
   * Moments, gradients and checkpoint files stay fp32. Absent: `fp32`.
   */
  parameterPrecision: precisionSchema.optional(),
  /**
   * Tokens attend within their own document: sequences hold documents end to end, and a separator in them ends one. In
   * validation too; learned positions begin again with each document. Absent: tokens attend to all before them.
   */
  documentMasks: z.boolean().optional(),
  /**
   * `bestFit`: training sequences are whole documents, packed by best fit decreasing; only those longer than T are cut, and
   * padding is neither predicted nor counted in the loss. Tokens of a stage count padding. Validation reads documents end to
   * end all the same. Absent: documents end to end, cut every T tokens.
   */
  packing: packingSchema.optional(),
  /**
   * Bytes of weights, gradients, moments and activations that training may hold on its device. Where they do not suffice
   * layers are computed again in the backward pass; results do not change. Absent: no limit.
   */
  memoryLimitBytes: z.int().positive().optional(),
});

export type GrowthStep = z.infer<typeof growthStepSchema>;
export type LearningRateRule = z.infer<typeof learningRateRuleSchema>;
export type Stage = z.infer<typeof stageSchema>;
export type OptimizerConfig = z.infer<typeof optimizerSchema>;
export type Precision = z.infer<typeof precisionSchema>;
export type PackingName = z.infer<typeof packingSchema>;
export type TrainPlan = z.infer<typeof trainPlanSchema>;

/**
 * A plan from untrusted data, its stages checked against each other as well: no stage is smaller than the one before,
 * a model changes only with a growth, the first stage has none, and gates are open before the next growth. Whether an
 * operator can do the growth is package growth's to say.
 *
 * @param where what errors call it, such as its file
 * @throws {ConfigError} with the path of the first offending field, what was found and what is expected
 */
export function parseTrainPlan(value: unknown, where = "train plan"): TrainPlan {
  const result = trainPlanSchema.safeParse(value, refusals);
  if (!result.success) throw new ConfigError(refusal(where, result.error));
  expectStages(result.data, where);
  return result.data;
}

const SIZES = ["numLayers", "residualDim", "ffnDim", "numKvHeads", "groupSize", "headDim"] as const;

function expectStages(plan: TrainPlan, where: string): void {
  const { stages } = plan;
  const refuse = (i: number, field: string, message: string) => {
    throw new ConfigError(`${where}: stages.${i}.${field}: ${message}`);
  };
  if (stages[0]!.growth) refuse(0, "growth", "found one, expected none in the first stage. Remove it.");
  for (const [i, { model, growth }] of stages.entries()) {
    if (i === 0) continue;
    const before = stages[i - 1]!.model;
    for (const size of SIZES) {
      if (model[size] < before[size]) {
        const advice = "Growth never shrinks: choose a larger target.";
        refuse(
          i,
          `model.${size}`,
          `found ${model[size]}, expected at least ${before[size]} as in the stage before. ${advice}`,
        );
      }
    }
    const { growth: ramping } = stages[i - 1]!;
    const steps = numSteps(plan, stages[i - 1]!);
    if (growth && ramping && ramping.rampSteps > steps) {
      const advice = "Gates must be open before the next growth: shorten the ramp or lengthen the stage.";
      refuse(
        i - 1,
        "growth.rampSteps",
        `found ${ramping.rampSteps}, expected at most the stage's ${steps} steps. ${advice}`,
      );
    }
    const grown = SIZES.find((size) => model[size] !== before[size]);
    if (grown && !growth) {
      const change = `${grown} goes from ${before[grown]} to ${model[grown]}`;
      refuse(i, "growth", `found none, but ${change}, expected operators. Name an operator for every axis that grows.`);
    }
  }
}

/** Tokens of one optimiser step in a stage. */
export function tokensPerStep(plan: TrainPlan, stage: Stage): number {
  return plan.microBatchSize * plan.gradAccumSteps * stage.model.seqLen;
}

/** Optimiser steps of a stage: its tokens rounded to whole steps, at least one. */
export function numSteps(plan: TrainPlan, stage: Stage): number {
  return Math.max(1, Math.round(stage.tokens / tokensPerStep(plan, stage)));
}
