import { type ModelConfig, numHeads, numParameters, trainingFlopsPerToken } from "@espalier/spec/model";
import { gemmGflops, type MachineProfile } from "./profile.ts";

/** Sequences of one optimiser step. */
export interface StepBatch {
  microBatchSize: number;
  gradAccumSteps?: number;
}

/** Scale between predicted and measured step time, and what is left unexplained. */
export interface StepCalibration {
  /** Measured over predicted seconds, geometric mean over pilots. */
  scale: number;
  /** Standard deviation of the logarithm of measured over predicted, after the scale. */
  logStd: number;
  /** Degrees of freedom behind `logStd`. */
  degreesOfFreedom: number;
  numPilots: number;
}

export interface StepPrediction {
  seconds: number;
  /** 95 % prediction interval. */
  interval: readonly [number, number];
  /** Parts of `seconds`; they sum to it. */
  parts: readonly { name: "matrix products" | "attention" | "elementwise" | "optimiser" | "overhead"; seconds: number }[];
  flops: number;
  gflops: number;
}

/**
 * Prior for the spread: a rough profile misses a new shape by about 10 % (0.1 in the logarithm) once scaled. It counts
 * as four observations, so that two or three pilots give a usable interval.
 */
const PRIOR = { logStd: 0.1, degreesOfFreedom: 4 } as const;
/** Without any pilot the scale itself is unknown by about this much. */
const UNCALIBRATED_LOG_STD = 0.35;
/** 97.5 % quantile of Student's t by degrees of freedom 1 to 12. */
const T_975 = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179];

/** Instructions of a planned FLM step, forward and backward: 39 a block, 6 outside. */
const OPS_PER_LAYER = 39;
const OPS_OUTSIDE_LAYERS = 6;
const BYTES = 4;
/** AdamW reads weight, gradient and both moments and writes weight and both moments; the norm reads the gradient once more. */
const OPTIMIZER_PASSES = 8;

/**
 * Seconds of one training step on one thread: matrix products at the measured rate of their size, attention at its
 * rate, elementwise work and the optimiser by bytes, and an overhead an op.
 *
 * @param calibration from `calibrateSteps`; without it the interval is wide
 */
export function predictStepSeconds(
  model: ModelConfig,
  { microBatchSize, gradAccumSteps = 1 }: StepBatch,
  machine: MachineProfile,
  calibration?: StepCalibration,
): StepPrediction {
  const { residualDim: C, ffnDim: H, headDim: D, numKvHeads: G, numLayers: L, seqLen: T, vocabSize: V } = model;
  const N = numHeads(model);
  const rows = microBatchSize * T;
  const scale = calibration?.scale ?? 1;

  // Forward and both backward products of a projection have the same FLOPs.
  const product = (inDim: number, outDim: number) => {
    const flops = 2 * rows * inDim * outDim;
    return (3 * flops) / (gemmGflops(machine, flops) * 1e9);
  };
  const up = model.family === "flm" ? 1 : 2;
  const layerProducts = product(C, N * D) + 2 * product(C, G * D) + product(N * D, C) + (up + 1) * product(C, H);
  const products = L * layerProducts + product(C, V);
  const attention = (3 * 4 * L * rows * T * N * D) / (machine.attentionGflops * 1e9);
  // Forward traffic of a block in elements a token: two norms (read, write), two residual adds (read both, write),
  // rotary on query and key, the activation. Backward reads and writes about twice that.
  const layerElements = 2 * 2 * C + 2 * 3 * C + 2 * (N + G) * D + (up + 1) * H;
  const elementwise = (3 * rows * (L * layerElements + 4 * C + 2 * V) * BYTES) / machine.bytesPerSecond;
  const optimiser = (OPTIMIZER_PASSES * numParameters(model) * BYTES) / machine.bytesPerSecond;
  const overhead = (OPS_PER_LAYER * L + OPS_OUTSIDE_LAYERS) * machine.opOverheadSeconds;

  const parts = [
    { name: "matrix products" as const, seconds: scale * gradAccumSteps * products },
    { name: "attention" as const, seconds: scale * gradAccumSteps * attention },
    { name: "elementwise" as const, seconds: scale * gradAccumSteps * elementwise },
    { name: "optimiser" as const, seconds: scale * optimiser },
    { name: "overhead" as const, seconds: scale * gradAccumSteps * overhead },
  ];
  const seconds = parts.reduce((sum, part) => sum + part.seconds, 0);
  const flops = trainingFlopsPerToken(model) * rows * gradAccumSteps;
  const spread = Math.exp(logHalfWidth(calibration));
  return { seconds, interval: [seconds / spread, seconds * spread], parts, flops, gflops: flops / seconds / 1e9 };
}

function logHalfWidth(calibration?: StepCalibration): number {
  if (!calibration) return 1.96 * UNCALIBRATED_LOG_STD;
  const { logStd, degreesOfFreedom, numPilots } = calibration;
  const t = T_975[Math.min(degreesOfFreedom, T_975.length) - 1]!;
  return t * logStd * Math.sqrt(1 + 1 / numPilots);
}

/** One measured step: what was trained and the seconds a step took. */
export interface MeasuredStep {
  model: ModelConfig;
  batch: StepBatch;
  seconds: number;
}

/**
 * Fits the one scale between predicted and measured step seconds to a few pilots, and the spread around it.
 *
 * @param pilots two or three measured shapes; one is accepted
 * @throws {RangeError} when there is none
 */
export function calibrateSteps(machine: MachineProfile, pilots: readonly MeasuredStep[]): StepCalibration {
  if (pilots.length === 0) throw new RangeError("calibrateSteps: pilots: is empty, expected at least one. Measure a step.");
  const logs = pilots.map(({ model, batch, seconds }) => Math.log(seconds / predictStepSeconds(model, batch, machine).seconds));
  const mean = logs.reduce((a, b) => a + b) / logs.length;
  const squares = logs.reduce((sum, v) => sum + (v - mean) ** 2, 0);
  const degreesOfFreedom = PRIOR.degreesOfFreedom + logs.length - 1;
  return {
    scale: Math.exp(mean),
    logStd: Math.sqrt((PRIOR.degreesOfFreedom * PRIOR.logStd ** 2 + squares) / degreesOfFreedom),
    degreesOfFreedom,
    numPilots: pilots.length,
  };
}
