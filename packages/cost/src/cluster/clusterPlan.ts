/** What is asked of the planner of clusters, and what it answers. */

import type { ClusterCalibration } from "./calibrate.ts";
import type { Cluster } from "./device.ts";
import type { FailureModel, Goodput } from "./goodput.ts";
import type { HopOperators, OperatorLaw } from "./hopOperators.ts";
import type { Layout } from "./layout.ts";
import type { MemoryConstants } from "./memory.ts";
import type { Range } from "./money.ts";
import type { GrowthCurves, GrowthReading } from "./schedules.ts";
import type { ClusterModel } from "./shape.ts";

export interface ClusterPlanRequest {
  target: ClusterModel;
  cluster: Cluster;
  /** Sequences of one step, at every size. */
  globalBatchSize: number;
  /** Money and time to spend; the one that ends first counts. */
  budgetUsd: number;
  deadlineDays: number;
  usdPerGpuHour: number;
  /** Tokens that there are; a schedule uses each once. Unlimited when left out. */
  dataTokens?: number;
  /** Loss by loss matching that is enough: the cheapest run that reaches it is part of the plan. */
  targetLoss?: number;
  /** A schedule to compare with, such as the one that would be run without this plan. */
  incumbent?: readonly PlannedTokens[];
  /** Operators to choose from with what each keeps and adds; those of `operatorLaws` by default. */
  operatorLaws?: readonly OperatorLaw[];
  /** Sizes to grow through; those of `growthSizes` by default. */
  sizes?: readonly ClusterModel[];
  calibration?: ClusterCalibration;
  memory?: MemoryConstants;
  failures?: FailureModel;
  /** Seconds without training at one growth. */
  growthPauseSeconds?: number;
  /** Precisions to choose from; bf16 by default. No law here knows what FP8 costs in loss: a plan that uses it says so. */
  precisions?: readonly Layout["precision"][];
  /** Settings that the search of layouts keeps fixed. */
  layout?: Partial<Layout>;
}

/** A stage somebody planned: a size, its tokens and, where it is settled, its layout. */
export interface PlannedTokens {
  model: ClusterModel;
  tokens: number;
  /** The fastest that fits, when left out. */
  layout?: Layout;
}

export interface ClusterPlanStage {
  model: ClusterModel;
  parameters: number;
  tokens: number;
  days: number;
  layout: Layout;
  stepSeconds: number;
  /** How the stage before grows into this one, by the law; none at the first stage. */
  grownBy?: HopOperators;
}

export interface ClusterRun {
  kind: "growth" | "scratch" | "smaller" | "incumbent";
  numGpus: number;
  stages: readonly ClusterPlanStage[];
  days: Range;
  usd: Range;
  loss: GrowthCurves;
}

/** What a plan gains on the incumbent by one reading. */
export interface PlanGain {
  /** Incumbent's loss less that of the plan for the incumbent's money, or for the budget where that is less; nats per token. */
  nats: number;
  /** Dollars of the cheapest plan that reaches the incumbent's loss, over those of the incumbent; null where no plan within the budget does. */
  usdShareAtEqualLoss: number | null;
}

export interface ClusterPlan {
  /** The schedule that ends at the target with the lowest loss by each reading. */
  best: Record<GrowthReading, ClusterRun>;
  /** The target from scratch, and the best single size, for the same money. */
  rivals: { scratch: ClusterRun; smaller: ClusterRun; incumbent?: ClusterRun };
  /** By each reading, when there is an incumbent. */
  gains?: Record<GrowthReading, PlanGain>;
  /** The cheapest run that reaches `targetLoss`; null when none within money and time does. */
  cheapest?: ClusterRun | null;
  /** No other run is at once cheaper, sooner and better by loss matching. */
  front: readonly ClusterRun[];
  goodput: Goodput;
  /** Schedules evaluated: tokens, time and loss of each. */
  evaluations: number;
  /** Layouts evaluated: step by parts and peak memory of each. */
  layoutsTried: number;
  warnings: readonly string[];
}
