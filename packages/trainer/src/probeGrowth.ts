import type { Executor } from "@espalier/graph";
import type { ModelConfig } from "@espalier/spec/model";
import type { GrowthStep, TrainPlan } from "@espalier/spec/plan";
import { openCheckpoint, readModelState } from "./checkpoint.ts";
import { documentSeparator, type TrainData } from "./data.ts";
import { DeviceModel } from "./deviceModel.ts";
import { growModel } from "./growthEvent.ts";
import { validate, validationSet } from "./validation.ts";

export interface GrowthProbe {
  /** Nats per token over the fixed validation windows. */
  lossBefore: number;
  lossAfter: number;
  /** max |a - b| / max |a| over 64 held-back positions, new gates at 0. */
  logitChange: number;
}

/** A growth to try, and what to measure it on. */
export interface ProbedGrowth {
  target: ModelConfig;
  growth: GrowthStep;
  data: TrainData;
  executor: Executor;
  /** Of the run: its `documentMasks` and its `precision` hold here too. Default: tokens attend over documents, in fp32. */
  plan?: Partial<Pick<TrainPlan, "documentMasks" | "precision">>;
}

/**
 * Grows the model of a checkpoint in memory and measures what that alone did to it; nothing is trained or written.
 *
 * @throws {GrowthError} when the operators do not fit
 * @throws {FileError} when the checkpoint is missing or damaged
 * @throws {ConfigError} when the plan masks documents and the data say no separator
 */
export async function probeGrowth(checkpoint: string, { target, growth, data, executor, plan = {} }: ProbedGrowth): Promise<GrowthProbe> {
  const separator = documentSeparator(plan, data);
  const batchSize = 8;
  const source = new DeviceModel(executor, await readModelState(await openCheckpoint(checkpoint), true), { precision: plan.precision });
  try {
    const validation = validationSet(data, source.config.seqLen, batchSize, separator);
    const { loss: lossBefore } = await validate(source, validation, batchSize);
    const stage = { name: "probe", model: target, tokens: 1, growth, learningRate: "inherit" as const };
    const { model, event } = await growModel({ model: source, stage, index: 1, validation, batchSize, lossBefore });
    model.free();
    return { lossBefore, lossAfter: event.lossAfter, logitChange: event.logitChange };
  } finally {
    source.free();
  }
}
