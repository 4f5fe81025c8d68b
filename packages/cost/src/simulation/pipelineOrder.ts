import { ConfigError } from "@espalier/core";
import type { Layout } from "../cluster/layout.ts";

/**
 * One piece of work of a rank: F the forward pass of a micro-batch through one of the rank's pieces of the model, B its
 * backward pass (with zero-bubble schedules the gradient of its input alone), W the gradients of its weights.
 */
export interface PipelineOperation {
  kind: "F" | "B" | "W";
  microBatch: number;
  /** Which of the rank's `virtualStages` pieces; 0 without interleaving. */
  piece: number;
}

export interface PipelineShape {
  pipeline: number;
  microBatches: number;
  schedule: Layout["schedule"];
  virtualStages: number;
}

/** @throws {ConfigError} when counts are no whole numbers above 0, or an interleaved schedule has no whole rounds */
export function expectPipeline({ pipeline, microBatches, schedule, virtualStages }: PipelineShape): void {
  for (const [name, value] of Object.entries({ pipeline, microBatches, virtualStages })) {
    if (!(Number.isInteger(value) && value > 0)) throw new ConfigError(`pipeline: ${name}: is ${value}, expected a whole number above 0. Give a count.`);
  }
  if (schedule !== "interleaved" && virtualStages > 1) throw new ConfigError(`pipeline: virtualStages: is ${virtualStages} with ${schedule}, expected 1. Choose the interleaved schedule.`);
  if (schedule === "interleaved" && microBatches % pipeline !== 0) {
    throw new ConfigError(`pipeline: ${microBatches} micro-batches, expected a multiple of the ${pipeline} ranks for an interleaved schedule. Change the batch.`);
  }
}

/**
 * What rank r does, in order.
 *
 * - 1F1B: p - r - 1 forward passes, then one forward and one backward pass in turn, then the backward passes left
 *   (Narayanan et al. 2021, arXiv:2104.04473).
 * - interleaved: the same over pieces, in rounds of p micro-batches a piece; 2 (p - r - 1) + (v - 1) p forward passes
 *   first.
 * - zero-bubble, the first kind of Qi et al. 2023 (arXiv:2401.10241): 1F1B with weight gradients apart, those of rank r
 *   r micro-batches late, so that they fill the gaps at the end.
 */
export function pipelineOrder(shape: PipelineShape, rank: number): PipelineOperation[] {
  const { pipeline: p, microBatches: m, schedule, virtualStages: v } = shape;
  const interleaved = schedule === "interleaved";
  const total = m * v;
  const warmup = Math.min(total, interleaved ? 2 * (p - rank - 1) + (v - 1) * p : p - rank - 1);
  const forward = (k: number): PipelineOperation => (interleaved ? { kind: "F", microBatch: Math.floor(k / (p * v)) * p + (k % p), piece: Math.floor(k / p) % v } : { kind: "F", microBatch: k, piece: 0 });
  const backward = (k: number): PipelineOperation => {
    const { microBatch, piece } = forward(k);
    return { kind: "B", microBatch, piece: v - 1 - piece };
  };
  const late = schedule === "zeroBubble" ? rank : Infinity;
  const order: PipelineOperation[] = [];
  let weights = 0;
  const weight = () => order.push({ kind: "W", microBatch: weights++, piece: 0 });
  for (let k = 0; k < warmup; k++) order.push(forward(k));
  for (let k = warmup; k < total; k++) {
    order.push(forward(k), backward(k - warmup));
    if (k - warmup >= late) weight();
  }
  for (let k = total - warmup; k < total; k++) {
    order.push(backward(k));
    if (schedule === "zeroBubble") weight();
  }
  while (schedule === "zeroBubble" && weights < m) weight();
  return order;
}
