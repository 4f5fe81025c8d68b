import type { Executor } from "@espalier/graph";
import type { TrainPlan } from "@espalier/spec/plan";
import { bitsPerByte, predictedBytes, validationStarts, windowsAt } from "@espalier/tokenizer";
import { openCheckpoint, readModelState } from "./checkpoint.ts";
import { documentSeparator, type TrainData } from "./data.ts";
import { DeviceModel } from "./deviceModel.ts";
import type { BatchShape } from "./programs.ts";

/** A fixed set of windows, the same for every model and batch size. */
export interface ValidationSet {
  numSequences: number;
  /** T */
  seqLen: number;
  /** `[numSequences, T]` */
  tokens: Int32Array;
  targets: Int32Array;
  /** Bytes of text behind the targets. */
  bytes: number;
  /** Id of the token behind each document, where tokens attend within documents. */
  separator?: number;
}

export interface ValidationResult {
  /** Nats per token. */
  loss: number;
  bitsPerByte: number;
}

/** @throws {DataError} when there is not one window of validation text */
export function validationSet(data: TrainData, seqLen: number, maxSequences: number, separator?: number): ValidationSet {
  const starts = validationStarts(data.validation.length, seqLen, maxSequences);
  const { tokens, targets } = windowsAt(data.validation, starts, seqLen);
  return { numSequences: starts.length, seqLen, tokens, targets, bytes: predictedBytes(targets, data.byteLengths), ...(separator !== undefined && { separator }) };
}

/** Mean loss of the model over the whole set, summed on the host in fp64 and in order. */
export async function validate(model: DeviceModel, set: ValidationSet, batchSize: number): Promise<ValidationResult> {
  const shape: BatchShape = { B: batchSize, T: set.seqLen };
  const size = shape.B * shape.T;
  const { program, inputs, outputs } = model.evaluation(shape, set.separator !== undefined);
  let nats = 0;
  for (let first = 0; first < set.numSequences * set.seqLen; first += size) {
    const tokens = padded(set.tokens.subarray(first, first + size), size, 0);
    inputs[0].set("tokens", tokens);
    inputs[0].set("targets", padded(set.targets.subarray(first, first + size), size, -1));
    inputs[0].set("weights", 1).set("lengths", shape.T);
    if (set.separator !== undefined) model.setDocuments(inputs[0], tokens, shape, set.separator);
    model.setModelInputs(inputs[0]);
    await program.run(inputs[0].bytes, outputs.bytes);
    for (const tokenLoss of outputs.get("tokenLoss")) nats += tokenLoss;
  }
  return { loss: nats / set.targets.length, bitsPerByte: bitsPerByte(nats, set.bytes) };
}

/** What a checkpoint is validated on, and how. */
export interface CheckpointValidation {
  data: TrainData;
  executor: Executor;
  /** Windows to read, at most. */
  maxSequences: number;
  /** B. Default 16. */
  batchSize?: number;
  /** Of the run: its `documentMasks` and its `precision` hold here too. Default: tokens attend over documents, in fp32. */
  plan?: Partial<Pick<TrainPlan, "documentMasks" | "precision">>;
}

/**
 * Validation loss of a checkpoint, over as many windows as asked for: the final figure of a run is read over more than
 * its curve.
 *
 * @throws {FileError} when the checkpoint is missing or damaged
 * @throws {ConfigError} when the plan masks documents and the data say no separator
 */
export async function validateCheckpoint(
  checkpoint: string,
  { data, executor, maxSequences, batchSize = 16, plan = {} }: CheckpointValidation,
): Promise<ValidationResult> {
  const separator = documentSeparator(plan, data);
  const model = new DeviceModel(executor, await readModelState(await openCheckpoint(checkpoint), false), { precision: plan.precision });
  try {
    return await validate(model, validationSet(data, model.config.seqLen, maxSequences, separator), batchSize);
  } finally {
    model.free();
  }
}

function padded(values: Int32Array, length: number, fill: number): Int32Array {
  if (values.length === length) return values;
  const out = new Int32Array(length).fill(fill);
  out.set(values);
  return out;
}

const COMPARED_POSITIONS = 64;

/** Logits of the first 64 validation positions, `[64, V]`, for comparing a model before and after growth. */
export async function comparisonLogits(model: DeviceModel, set: ValidationSet): Promise<Float32Array> {
  const T = Math.min(COMPARED_POSITIONS, set.seqLen);
  const B = Math.min(set.numSequences, Math.ceil(COMPARED_POSITIONS / T));
  const tokens = Int32Array.from({ length: B * T }, (_, i) => set.tokens[Math.floor(i / T) * set.seqLen + (i % T)]!);
  const { program, inputs, outputs } = model.logits({ B, T }, set.separator !== undefined);
  inputs[0].set("tokens", tokens);
  if (set.separator !== undefined) model.setDocuments(inputs[0], tokens, { B, T }, set.separator);
  model.setModelInputs(inputs[0]);
  await program.run(inputs[0].bytes, outputs.bytes);
  return Float32Array.from(outputs.get("logits").subarray(0, COMPARED_POSITIONS * model.config.vocabSize));
}

/** max |a - b| / max |a| */
export function relativeChange(a: Float32Array, b: Float32Array): number {
  let change = 0;
  let size = 0;
  for (let i = 0; i < a.length; i++) {
    change = Math.max(change, Math.abs(a[i]! - b[i]!));
    size = Math.max(size, Math.abs(a[i]!));
  }
  return change / size;
}
