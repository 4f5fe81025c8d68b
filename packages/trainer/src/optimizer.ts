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
  let loss = 0;
  const set = (i: number): void => {
    const each = batch(i);
    setMicroBatch(model, micro, i, each, 1 / numTargets);
    if (separator !== undefined) model.setDocuments(micro.inputs[i % 2]!, each.tokens, shape, separator);
  };
  set(0);
  for (let i = 0; i < numMicroBatches; i++) {
    const running = micro.program.run(micro.inputs[i % 2]!.bytes, micro.outputs.bytes);
    // Observed before it is awaited, so that a failure while the next batch is made is not an unhandled one.
    running.catch(() => {});
    if (i + 1 < numMicroBatches) set(i + 1);
    await running;
    loss += micro.outputs.number("loss");
  }
  const update = model.program("optimizer", () => optimizerProgram(model.config, optimizer, model.births, parameterSeed));
  const inputs = update.inputs[0];
  inputs.set("step", [learningRate, optimizer.clipNorm, ...(parameterSeed === undefined ? [] : [model.step])]);
  inputs.set("births", birthTable(model.births, model.step, optimizer));
  await update.program.run(inputs.bytes, update.outputs.bytes);
  model.step++;
  return { loss, gradNorm: update.outputs.number("norm") };
}

function setMicroBatch(model: DeviceModel, { inputs }: Ready, i: number, { tokens, targets }: MicroBatch, weight: number): void {
  const next = inputs[i % 2]!;
  next.set("tokens", tokens).set("targets", targets).set("weights", weight).set("accumulateFlag", i > 0 ? 1 : 0);
  model.setModelInputs(next);
}
