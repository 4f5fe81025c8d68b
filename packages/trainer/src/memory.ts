import { ConfigError } from "@espalier/core";
import { type MemoryPlan, planWithin, type Precision } from "@espalier/graph";
import { type Births, composeGrowth, firstBirths, type Gate, gates as gatesOf, growBirths } from "@espalier/growth";
import type { ModelConfig } from "@espalier/spec/model";
import { type OptimizerConfig, parseTrainPlan, type TrainPlan } from "@espalier/spec/plan";
import { type BatchShape, evaluationProgram, microStepGraph, optimizerProgram } from "./programs.ts";
import { stageStarts } from "./schedule.ts";

export interface MicroStepOptions {
  births: Births;
  gates: readonly Gate[];
  optimizer: OptimizerConfig;
  limitBytes: number;
  precision?: Precision;
}

/**
 * The micro-step of a stage within a number of bytes, beside the optimiser and the validation that run in turn with it:
 * weights, gradients and moments once, the largest arena, inputs and outputs. Room that ops need while they run, such as
 * packed panels, and host memory are not counted.
 */
export function microStepWithin(config: ModelConfig, shape: BatchShape, { births, gates, optimizer, limitBytes, precision }: MicroStepOptions): MemoryPlan {
  const beside = [optimizerProgram(config, optimizer, births), evaluationProgram(config, shape, gates, precision)];
  return planWithin(microStepGraph(config, shape, gates, precision), { limitBytes, beside });
}

/** What a stage is planned to hold on its device. */
export interface StageMemory {
  stage: string;
  peakBytes: number;
  /** Layers that are computed again in the backward pass, of `numLayers`. */
  recomputedLayers: number;
  numLayers: number;
  /** FLOPs that computing them again adds to a micro-step. */
  extraFlops: number;
}

/**
 * Memory of every stage of a plan, before anything runs; within its `memoryLimitBytes` if it has one. While a growth
 * makes the new model, the old one is there as well.
 *
 * @throws {ConfigError} when a stage does not fit, with the bytes that it needs and what to change
 */
export function trainingMemory(trainPlan: TrainPlan): StageMemory[] {
  const plan = parseTrainPlan(trainPlan);
  const { optimizer, precision, microBatchSize: B, memoryLimitBytes: limitBytes = Infinity } = plan;
  const starts = stageStarts(plan);
  let births = firstBirths(plan.stages[0]!.model);
  let source: { model: ModelConfig; ownedBytes: number } | undefined;
  return plan.stages.map(({ name, model, growth }, i) => {
    if (growth && source) births = growBirths(births, composeGrowth(source.model, model, growth), { step: starts[i]!, rampSteps: growth.rampSteps });
    // With its gates a model needs a little more than without them.
    const options = { births, gates: growth ? gatesOf(model, births) : [], optimizer, precision };
    const shape = { B, T: model.seqLen };
    const made = microStepWithin(model, shape, { ...options, limitBytes });
    const ownedBytes = 2 * ownedOf(made); // weights and gradients of the micro-step, and two moments of their size
    const growing = growth && source ? source.ownedBytes + ownedBytes : 0;
    const needed = Math.max(made.peakBytes, growing);
    if (needed > limitBytes) {
      const free = microStepWithin(model, shape, { ...options, limitBytes: Infinity }).peakBytes;
      const found = growing > made.peakBytes ? `${growing} bytes while it grows from the stage before` : `${made.peakBytes} bytes with ${made.recomputed.length} layers computed again (${free} without)`;
      throw new ConfigError(
        `train plan: memoryLimitBytes: stage "${name}" needs ${found}, expected at most ${limitBytes}. ` +
          `Lower microBatchSize from ${B} and raise gradAccumSteps, choose a smaller model, or raise the limit.`,
      );
    }
    source = { model, ownedBytes };
    return { stage: name, peakBytes: needed, recomputedLayers: made.recomputed.length, numLayers: model.numLayers, extraFlops: made.extraFlops };
  });
}

function ownedOf({ program }: MemoryPlan): number {
  return program.tensors.reduce((sum, { region, bytes }) => sum + (region === "owned" ? bytes : 0), 0);
}
