import type { LinkConstants } from "./collectives.ts";

/** What the shapes and the data sheets do not say. Shares multiply a rate of the catalogue. */
export interface StepConstants extends LinkConstants {
  /** Sustained in a training step, of the best measured product: power, clocks, gaps between kernels. */
  matmulShare: number;
  /** Sustained, of the best published flash attention. */
  attentionShare: number;
  /** Sustained by element-wise kernels, of memory bandwidth. */
  memoryShare: number;
  /** Bytes that eager element-wise operations move over those of fused ones. */
  eagerBytes: number;
  /** Of a collective beside computation, the share that is hidden; the rest is contention. */
  overlapShare: number;
  /** Host time to launch one layer's forward kernels. */
  layerHostSeconds: number;
  /** Per step: loading, gradient norm, logging. */
  stepHostSeconds: number;
}

/** Names of the constants that calibration may move, and how far each is uncertain: standard deviation of its logarithm. */
export const constantSpread = {
  matmulShare: 0.08,
  attentionShare: 0.2,
  memoryShare: 0.2,
  eagerBytes: 0.3,
  intraShare: 0.2,
  interShare: 0.25,
  overlapShare: 0.1,
  layerHostSeconds: 0.4,
} as const satisfies Partial<Record<keyof StepConstants, number>>;

export type FittedConstant = keyof typeof constantSpread;

/** First guesses, each with its reason; the fit to published runs moves them within `constantSpread`. */
export const priorConstants: StepConstants = {
  matmulShare: 0.9, // long runs hold lower clocks than a single tuned product
  attentionShare: 0.9,
  memoryShare: 0.75, // copy kernels reach 0.85 to 0.9, fused element-wise kernels less
  eagerBytes: 2.5, // norms in fp32 with casts move five times, adds and activations one to two times
  intraShare: 0.78, // NVLink 3 all-reduce: 235 of 300 GB/s measured (stas00/ml-engineering)
  interShare: 0.7, // ring over InfiniBand or RoCE, many nodes
  intraHopSeconds: 3e-6, // NCCL, NVLink
  interHopSeconds: 10e-6, // NCCL, InfiniBand
  overlapShare: 0.8,
  layerHostSeconds: 200e-6, // about 30 kernels at 5 to 8 us each
  stepHostSeconds: 0.02,
};
