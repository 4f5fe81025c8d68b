import { ConfigError } from "@espalier/core";
import { type Executor, type MemoryPlan, planWithin, type Precision, type Program } from "@espalier/graph";
import { type Births, type Gate, gates as gatesOf } from "@espalier/growth";
import type { ModelConfig } from "@espalier/spec/model";
import { type OptimizerConfig, parseTrainPlan, type TrainPlan } from "@espalier/spec/plan";
import { type BatchShape, evaluationProgram, microStepGraph, optimizerProgram } from "./programs.ts";
import { plannedBirths } from "./schedule.ts";

export interface MicroStepOptions {
  births: Births;
  gates: readonly Gate[];
  optimizer: OptimizerConfig;
  limitBytes: number;
  precision?: Precision;
  /** Whether tokens attend within documents. Default false. */
  documents?: boolean;
  /**
   * Where it will run: its formats of intermediates, the room that its ops need while they run, such as packed panels, and
   * its copies of inputs count. Absent: fp32, without room.
   */
  executor?: Executor;
}

/**
 * The micro-step of a stage within a number of bytes, beside the optimiser and the validation that run in turn with it:
 * weights, gradients and moments once, the largest arena, the largest room of an op, inputs and outputs. Host memory is
 * not counted, nor what a driver keeps for itself (on a GPU its context, code of kernels and graphs).
 */
export function microStepWithin(config: ModelConfig, shape: BatchShape, options: MicroStepOptions): MemoryPlan & { scratchBytes: number } {
  const { births, gates, optimizer, limitBytes, precision, executor, documents } = options;
  const beside = [optimizerProgram(config, optimizer, births), evaluationProgram(config, shape, gates, precision, documents)];
  const graph = microStepGraph(config, shape, gates, precision, documents);
  const stored = (program: Program) => executor?.stored?.(program) ?? program;
  let made = planWithin(graph, { limitBytes: Infinity, beside, stored });
  // Computing a layer again repeats its ops, so the largest room is that of the program without.
  const scratchBytes = executor ? Math.max(...[made.program, ...beside].map((program) => scratchOf(program, executor))) : 0;
  const staged = (executor?.stagedInputs ?? 0) * [made.program, ...beside].reduce((sum, { runtimeBytes }) => sum + runtimeBytes, 0);
  const more = scratchBytes + staged;
  if (made.peakBytes + more > limitBytes) made = planWithin(graph, { limitBytes: limitBytes - more, beside, stored });
  return { ...made, peakBytes: made.peakBytes + more, fits: made.peakBytes + more <= limitBytes, scratchBytes };
}

/** Loading allocates nothing of this size: the room comes with the first run. */
function scratchOf(program: Program, executor: Executor): number {
  const loaded = executor.load(program);
  const { scratchBytes = 0 } = loaded;
  loaded.free();
  return scratchBytes;
}

/** What a stage is planned to hold on its device. */
export interface StageMemory {
  stage: string;
  peakBytes: number;
  /** Part of it: room that ops need while they run, shared by all programs. 0 when no executor was asked. */
  scratchBytes: number;
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
 * @param executor  where it will run, for the room that its ops need beside the arena
 * @throws {ConfigError} when a stage does not fit, with the bytes that it needs and what to change
 */
export function trainingMemory(trainPlan: TrainPlan, executor?: Executor): StageMemory[] {
  const plan = parseTrainPlan(trainPlan);
  const { optimizer, precision, documentMasks: documents, microBatchSize: B, memoryLimitBytes: limitBytes = Infinity } = plan;
  const planned = plannedBirths(plan);
  let sourceBytes: number | undefined;
  return plan.stages.map(({ name, model, growth }, i) => {
    const births = planned[i]!;
    // With its gates a model needs a little more than without them.
    const options = { births, gates: growth ? gatesOf(model, births) : [], optimizer, precision, ...(documents && { documents }), ...(executor && { executor }) };
    const shape = { B, T: model.seqLen };
    const made = microStepWithin(model, shape, { ...options, limitBytes });
    const ownedBytes = 2 * ownedOf(made); // weights and gradients of the micro-step, and two moments of their size
    const growing = growth && sourceBytes !== undefined ? sourceBytes + ownedBytes : 0;
    const needed = Math.max(made.peakBytes, growing);
    if (needed > limitBytes) {
      const free = microStepWithin(model, shape, { ...options, limitBytes: Infinity }).peakBytes;
      const found = growing > made.peakBytes ? `${growing} bytes while it grows from the stage before` : `${made.peakBytes} bytes with ${made.recomputed.length} layers computed again (${free} without)`;
      throw new ConfigError(
        `train plan: memoryLimitBytes: stage "${name}" needs ${found}, expected at most ${limitBytes}. ` +
          `Lower microBatchSize from ${B} and raise gradAccumSteps, choose a smaller model, or raise the limit.`,
      );
    }
    sourceBytes = ownedBytes;
    return { stage: name, peakBytes: needed, scratchBytes: made.scratchBytes, recomputedLayers: made.recomputed.length, numLayers: model.numLayers, extraFlops: made.extraFlops };
  });
}

function ownedOf({ program }: MemoryPlan): number {
  return program.tensors.reduce((sum, { region, bytes }) => sum + (region === "owned" ? bytes : 0), 0);
}
