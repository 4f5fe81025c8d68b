/** Records of a run directory. `run.json` is written once; `events.jsonl` and `metrics.jsonl` only ever grow. */

import type { ModelConfig } from "../model/config.ts";
import type { TrainPlan } from "../plan/index.ts";

/** `run.json` */
export interface RunIdentity {
  format: "espalier-run-1";
  id: string;
  plan: TrainPlan;
  /** sha256 of the canonical plan JSON. */
  planDigest: string;
  /** Version and source digest of what trained it. */
  build: string;
  /** `reference`, `portable`, `avx2`, `avx512`: digests are equal on one path only. */
  instructionPath: string;
  /** sha256 of the token shards. */
  dataDigest: string;
  tokenizerDigest: string;
  createdAt: string;
}

export type RunEvent =
  | { kind: "segment"; at: string; step: number; tokenOffset: number; instructionPath: string }
  | { kind: "growth"; at: string; step: number; stage: number; operators: Record<string, string>; lossBefore: number; lossAfter: number; logitChange: number; from: ModelConfig; to: ModelConfig }
  | { kind: "rampEnd"; at: string; step: number; stage: number }
  | { kind: "checkpoint"; at: string; step: number; directory: string; digest: string }
  /** A checkpoint that could not be trusted was passed over. */
  | { kind: "rollback"; at: string; step: number; directory: string; reason: string }
  /** The run began as a copy of another one up to this step. `digest`: the checkpoint's there. */
  | { kind: "fork"; at: string; step: number; run: string; digest: string }
  | { kind: "stageEnd"; at: string; step: number; stage: number; validationLoss: number }
  | { kind: "done"; at: string; step: number; validationLoss: number; digest: string };

/** One line of `metrics.jsonl`. Loss in nats per token. */
export interface Metric {
  step: number;
  stage: number;
  /** Tokens trained so far, this step included. */
  tokens: number;
  /** Training FLOPs so far. */
  flops: number;
  /** Seconds of training so far, over all segments. */
  seconds: number;
  loss: number;
  learningRate: number;
  gradNorm: number;
  /** Present where the fixed validation set was read. */
  validationLoss?: number;
  bitsPerByte?: number;
}

export type {
  ArmGrowth,
  ArmRole,
  ArmStage,
  AxisProbe,
  GrowthProof,
  ClaimKind,
  ClaimRow,
  ClaimVerdict,
  CurvePoint,
  IqScore,
  ReportArm,
  ReportComparison,
  ReproductionReport,
} from "./report.ts";
