import type { ModelConfig } from "../model/config.ts";

/** `exact`: equals the paper's printed digits. `reproduced`: direction holds here with its interval. */
export type ClaimVerdict = "exact" | "reproduced" | "contradicted" | "inconclusive" | "not testable here";

/** `later`: planned, not built yet; its verdict is always `not testable here`. */
export type ClaimKind = "arithmetic" | "trained here" | "later issue";

/** One row of the claims table: the paper's figure beside ours. */
export interface ClaimRow {
  id: string;
  kind: ClaimKind;
  /** What the paper prints. */
  paper: string;
  /** What was measured or recomputed, as shown. */
  measured: string;
  /** 95 % interval of the measured quantity where there is one. */
  interval?: readonly [number, number];
  verdict: ClaimVerdict;
  /** Why this verdict, in one or two sentences; for `not testable here`, the reason. */
  why: string;
  /** Formula with named inputs, for arithmetic rows. */
  workings?: string;
}

/** One validation point of an arm. Loss in nats per token. */
export interface CurvePoint {
  tokens: number;
  flops: number;
  seconds: number;
  loss: number;
}

/** Which part of the comparison an arm is. */
export type ArmRole = "growth three stages" | "growth one hop" | "scratch equal tokens" | "scratch bar" | "best fixed shape" | "pilot";

/** What follows from a growth map alone, before a number moves (`proveExactness` of packages/growth). */
export interface GrowthProof {
  /** The target's logits equal the source's for every input. */
  logits: boolean;
  /** Gradients of carried entries equal the source's, carried. */
  gradients: boolean;
  /** It holds while new gates are 0, and not without them. */
  needsGates: boolean;
  /** Why the logits are not proved: one sentence a broken condition. */
  refusals: readonly string[];
}

export interface ArmGrowth {
  tokens: number;
  flops: number;
  seconds: number;
  step: number;
  operators: Record<string, string>;
  lossBefore: number;
  lossAfter: number;
  /** max |a - b| / max |a| over 64 held-back positions, fp32, at gate 0. */
  logitChange: number;
  proof: GrowthProof;
}

/** IQ scores of one checkpoint. */
export interface IqScore {
  task: string;
  scoring: "exact match" | "likelihood";
  correct: number;
  items: number;
  accuracy: number;
  interval: readonly [number, number];
  chance: number;
  /** The interval contains chance or lies below it: this cell says nothing about ability. */
  atFloor: boolean;
  /** The family was left out of the training data. */
  unseen: boolean;
}

export interface ArmStage {
  name: string;
  model: ModelConfig;
  numParameters: number;
  tokens: number;
  flops: number;
  validationLoss: number;
  bitsPerByte: number;
  iq: readonly IqScore[];
}

/** One finished training run. */
export interface ReportArm {
  /** Unique, e.g. `grown/seed-0`. */
  id: string;
  role: ArmRole;
  title: string;
  seed: number;
  learningRate: number;
  curve: readonly CurvePoint[];
  growths: readonly ArmGrowth[];
  stages: readonly ArmStage[];
  finalLoss: number;
  bitsPerByte: number;
  tokens: number;
  /** Training FLOPs, earlier stages included. */
  flops: number;
  /** Training time of one thread. */
  seconds: number;
  predictedSeconds: number;
  joules: number;
  usd: number;
  checkpointDigest: string;
}

/** One axis grown alone from a trained model, nothing trained after it. */
export interface AxisProbe {
  axis: string;
  operator: string;
  from: string;
  to: string;
  /** max |a - b| / max |a| over `positions` held-back positions, fp32, new gates at 0. */
  logitChange: number;
  positions: number;
  proof: GrowthProof;
}

/** A comparison that the question of the experiment is decided by. */
export interface ReportComparison {
  name: string;
  /** FLOPs factor given to the control. */
  s: number;
  perSeed: readonly { seed: number; grown: number; control: number; passed: boolean }[];
  /** Loss difference grown - control, with a 95 % t interval over seeds; null with fewer than two seeds. */
  meanDifference: number;
  interval: readonly [number, number] | null;
  sentence: string;
}

/** `DIR/report.json`: everything that the page shows. */
export interface ReproductionReport {
  format: "espalier-report-1";
  createdAt: string;
  scale: "smoke" | "default";
  seed: number;
  minutesAsked: number;
  minutesTaken: number;
  /** The opening sentence, and the caveat of the best fixed shape. */
  headline: string;
  caveat: string;
  machine: {
    cpu: string;
    cores: number;
    memoryBytes: number;
    instructionPath: string;
    compiler: string;
    node: string;
  };
  corpus: {
    name: string;
    digest: string;
    bytes: number;
    documents: number;
    trainTokens: number;
    validationTokens: number;
    vocabSize: number;
    bytesPerToken: number;
    /** Share of tokens from procedurally generated in-context tasks, and the family left out. */
    proceduralShare: number;
    leftOut: string;
  };
  arms: readonly ReportArm[];
  /** Exactness of each axis by itself, measured on the first stage of the grown run. */
  axisProbes: readonly AxisProbe[];
  comparisons: readonly ReportComparison[];
  /** Loss at equal FLOPs and FLOPs at equal loss of the grown arms, read off the curves of the controls. */
  equalLoss: readonly {
    arm: string;
    reference: string;
    multiplier: number | null;
    interval: readonly [number, number] | null;
    note: string;
  }[];
  /** Published gain of growth over scale beside our point: x = FLOPs, y = equal-loss multiplier. */
  trend: readonly { name: string; flops: number; multiplier: number; ours: boolean }[];
  claims: readonly ClaimRow[];
  claimTotals: Record<ClaimKind, Partial<Record<ClaimVerdict, number>>>;
  /** How the minutes were split, and what was dropped to fit. */
  plan: { parts: readonly { name: string; predictedSeconds: number; measuredSeconds: number | null }[]; dropped: readonly string[] };
  memory: { predictedPeakBytes: number; measuredPeakBytes: number };
  cost: { kwh: number; usd: number; kgCo2e: number; assumptions: readonly string[] };
}
