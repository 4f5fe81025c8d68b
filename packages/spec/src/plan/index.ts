import { ConfigError } from "@espalier/core";
import { z } from "zod";
import { modelConfigSchema } from "../model/config.ts";

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

export const stageSchema = z.strictObject({
  name: z.string().min(1),
  model: modelConfigSchema,
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
});

export type GrowthStep = z.infer<typeof growthStepSchema>;
export type LearningRateRule = z.infer<typeof learningRateRuleSchema>;
export type Stage = z.infer<typeof stageSchema>;
export type OptimizerConfig = z.infer<typeof optimizerSchema>;
export type TrainPlan = z.infer<typeof trainPlanSchema>;

/** @throws {ConfigError} with the path of the first offending field */
export function parseTrainPlan(value: unknown): TrainPlan {
  const result = trainPlanSchema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  throw new ConfigError(`train plan: ${issue.path.join(".") || "value"}: ${issue.message}. Correct this field.`);
}

/** Tokens of one optimiser step in a stage. */
export function tokensPerStep(plan: TrainPlan, stage: Stage): number {
  return plan.microBatchSize * plan.gradAccumSteps * stage.model.seqLen;
}

/** Optimiser steps of a stage: its tokens rounded to whole steps, at least one. */
export function numSteps(plan: TrainPlan, stage: Stage): number {
  return Math.max(1, Math.round(stage.tokens / tokensPerStep(plan, stage)));
}
