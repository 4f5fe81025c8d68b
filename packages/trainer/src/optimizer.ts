import { Outputs } from "@espalier/graph";
import { birthTable } from "@espalier/growth";
import type { OptimizerConfig } from "@espalier/spec/plan";
import type { DeviceModel, Ready } from "./deviceModel.ts";
import { microStepWithin } from "./memory.ts";
import { type BatchShape, microStepProgram, optimizerProgram } from "./programs.ts";

/** One micro-batch with the weight of each target in the step's loss. */
export interface MicroBatch {
  /** `[B, T]` */
  tokens: Int32Array;
  /** `[B, T]`; below 0: masked. */
  targets: Int32Array;
}

export interface StepResult {
  /** Nats per unmasked token of the step. */
  loss: number;
  /** Gradient norm before clipping. */
  gradNorm: number;
}

export interface StepRequest {
  shape: BatchShape;
  numMicroBatches: number;
  /** Unmasked targets of the whole step. */
  numTargets: number;
  /** Called for each micro-batch i in turn, while the one before it may be running; its arrays are copied before the next call. */
  batch: (i: number) => MicroBatch;
  /** Id of the token behind each document, where tokens attend within documents. Absent: they attend to all before them. */
  separator?: number;
  learningRate: number;
  optimizer: OptimizerConfig;
  /** Keeps parameters in bf16, see `optimizerProgram`. Absent: fp32. */
  parameterSeed?: number;
  /** See `TrainPlan`. Absent: no limit. */
  memoryLimitBytes?: number;
}

/**
 * One optimiser step: gradients of every micro-batch summed on the device, each target weighted by 1 / targets of the
 * step, then AdamW. The device skips the update when the gradient norm is not finite. Advances `model.step`.
 *
 * @throws what a run fails with; the model on the device is then between two steps, and of no further use
 */
export async function trainStep(model: DeviceModel, request: StepRequest): Promise<StepResult> {
  const { shape, numMicroBatches, numTargets, batch, learningRate, optimizer, separator, parameterSeed, memoryLimitBytes: limitBytes } = request;
  const { config, births, executor, precision } = model;
  const documents = separator !== undefined;
  const micro = model.program(`micro ${shape.B} ${shape.T}${documents ? " documents" : ""}`, (gates) =>
    limitBytes === undefined
      ? microStepProgram(config, shape, gates, precision, documents)
      : microStepWithin(config, shape, { births, gates, optimizer, limitBytes, precision, executor, documents }).program,
  );
  // Compiled and bound while nothing runs.
  const update = model.program("optimizer", () => optimizerProgram(model.config, optimizer, model.births, parameterSeed));
  const updateInputs = update.inputs[0];
  updateInputs.set("step", [learningRate, optimizer.clipNorm, ...(parameterSeed === undefined ? [] : [model.step])]);
  updateInputs.set("births", birthTable(model.births, model.step, optimizer));
  const set = (i: number): void => {
    const each = batch(i);
    setMicroBatch(model, micro, i, each, 1 / numTargets);
    if (separator !== undefined) model.setDocuments(micro.inputs[i % 2]!, each.tokens, shape, separator);
  };
  const losses = Array.from({ length: numMicroBatches }, () => new Outputs(micro.program.program));
  const runs: Promise<void>[] = [];
  const submit = (run: Promise<void>): void => {
    // Observed before it is awaited, so that a failure while the next batch is made is not an unhandled one.
    run.catch(() => {});
    runs.push(run);
  };
  // A run copies its inputs when it is submitted and waits in the executor's queue: while one computes the next is there, so the
  // device goes from one to the other, and on to the update, without asking the host.
  set(0);
  for (let i = 0; i < numMicroBatches; i++) {
    submit(micro.program.run(micro.inputs[i % 2]!.bytes, losses[i]!.bytes));
    if (i > 0) await runs[i - 1];
    if (i + 1 < numMicroBatches) set(i + 1);
  }
  submit(update.program.run(updateInputs.bytes, update.outputs.bytes));
  await Promise.all(runs);
  model.step++;
  return { loss: losses.reduce((sum, each) => sum + each.number("loss"), 0), gradNorm: update.outputs.number("norm") };
}

function setMicroBatch(model: DeviceModel, { inputs }: Ready, i: number, { tokens, targets }: MicroBatch, weight: number): void {
  const next = inputs[i % 2]!;
  next.set("tokens", tokens).set("targets", targets).set("weights", weight).set("accumulateFlag", i > 0 ? 1 : 0);
  model.setModelInputs(next);
}
