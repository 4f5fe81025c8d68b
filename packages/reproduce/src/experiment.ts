import { ConfigError, FileError } from "@espalier/core";
import { type ExperimentJob, type ExperimentPlan, numCurvePoints, type RateGroup } from "@espalier/cost";
import type { ModelConfig } from "@espalier/spec/model";
import type { TrainPlan } from "@espalier/spec/plan";

/** `DIR/plan.json`: everything that decides what is trained. The same file, seed and build give the same digests. */
export interface ExperimentFile {
  format: "espalier-experiment-2";
  scale: "smoke" | "default";
  minutes: number;
  seed: number;
  /** Digest of the prepared corpus; a plan runs on this text only. */
  corpusDigest: string;
  vocabSize: number;
  procedural: ProceduralText;
  evaluation: { items: number; seed: number; difficulty: "tiny" };
  /** Resident memory of a training process beyond its planned arrays, as calibrated. */
  engineBytes: number;
  plan: ExperimentPlan;
}

/** Generated in-context tasks mixed into the training text. */
export interface ProceduralText {
  /** Share of training windows. */
  share: number;
  documents: number;
  seed: number;
  /** Family that is tested but never trained on. */
  leftOut: string;
}

/** @throws {FileError} when the file is no plan */
export function parseExperimentFile(text: string, path: string): ExperimentFile {
  let value: Partial<ExperimentFile> | null;
  try {
    value = JSON.parse(text) as Partial<ExperimentFile> | null;
  } catch (error) {
    throw new FileError(`${path}: not JSON, expected a plan written by an earlier run. Check the path.`, { cause: error });
  }
  if (value?.format !== "espalier-experiment-2" || !value.plan?.jobs?.length) {
    throw new FileError(`${path}: format is ${String(value?.format)}, expected espalier-experiment-2. Give the plan.json of a reproduction.`);
  }
  return value as ExperimentFile;
}

/** What pilots and sweep have decided so far. */
export interface Decisions {
  /** Chosen rate of each group of pilots. */
  learningRates: Partial<Record<RateGroup, number>>;
  /** The target's rate as its short pilots chose it. */
  pilotRate?: number;
  /** The better of the control's full-length runs. */
  confirmed?: string;
  /** Shape and tokens of the best run of the sweep. */
  bestFixed?: { model: ModelConfig; tokens: number };
}

/**
 * The training plan of a job, once what it depends on is decided.
 *
 * @throws {ConfigError} when a decision is missing
 */
export function trainPlanOf(job: ExperimentJob, experiment: ExperimentPlan, decisions: Decisions): TrainPlan {
  const chosen = "fixed" in job.learningRate ? job.learningRate.fixed : decisions.learningRates[job.learningRate.bestOf];
  const rate = chosen === undefined || "fixed" in job.learningRate ? chosen : chosen * (job.learningRate.times ?? 1);
  if (rate === undefined) throw new ConfigError(`${job.id}: no learning rate chosen yet, expected one from its pilots. Run them first.`);
  let stages = job.stages;
  if (job.shape === "best of sweep") {
    const best = decisions.bestFixed;
    if (!best) throw new ConfigError(`${job.id}: no best shape yet, expected one from the sweep. Run it first.`);
    stages = [{ ...stages[0]!, ...best }];
  }
  const steps = stages.reduce((sum, { tokens }) => sum + tokens, 0) / experiment.tokensPerStep;
  return {
    name: job.id,
    seed: job.seed,
    stages: [...stages],
    optimizer: {
      peakLearningRate: rate,
      finalShare: 0.1,
      warmupSteps: Math.min(experiment.warmupSteps, Math.max(1, Math.floor(steps / 4))),
      beta1: 0.9,
      beta2: 0.95,
      epsilon: 1e-8,
      weightDecay: 0.1,
      clipNorm: 1,
    },
    microBatchSize: experiment.microBatchSize,
    gradAccumSteps: 1,
    validateEvery: Math.max(1, Math.round(steps / numCurvePoints(job, experiment.validation))),
    validationSequences: experiment.validation.curveSequences,
    checkpointEvery: 0,
  };
}
