import { ConfigError } from "@espalier/core";
import type { ModelConfig } from "@espalier/spec/model";
import type { Stage } from "@espalier/spec/plan";
import { type Arms, arms } from "./experiment/arms.ts";
import { dropLevels, planJobs, type PlannedJob } from "./experiment/jobs.ts";
import { ladder, preferredRung, type Rung, rungModel, smokeRung } from "./experiment/ladder.ts";
import { type Schedule, schedule } from "./experiment/schedule.ts";
import { VALIDATION, validationSeconds, type ValidationWork } from "./experiment/validation.ts";
import { memoryByFormula } from "./machine/memory.ts";
import type { MachineProfile } from "./machine/profile.ts";
import { predictStepSeconds, type StepCalibration } from "./machine/stepTime.ts";

/** Wall seconds that are not training. */
export interface OverheadSeconds {
  /** Native build, where it is still to be done. */
  compile: number;
  /** Reading, splitting, training the vocabulary, writing shards; runs beside the build when there are two cores. */
  tokenize: number;
  /** Tests of one checkpoint beside its loss (every stage of every seed but pilots), on one thread. */
  evaluatePerCheckpoint(model: ModelConfig): number;
  /** Start of one run: process, trace, plan. */
  startPerJob: number;
  report: number;
}

export interface ExperimentRequest {
  scale: "smoke" | "default";
  /** From the first line to the written report. */
  minutes: number;
  machine: MachineProfile;
  calibration?: StepCalibration;
  /** Threads for training, one run each; the machine's cores by default. */
  threads?: number;
  overhead: OverheadSeconds;
  /** Base seed; runs use seed, seed + 1, seed + 2. */
  seed?: number;
  numSeeds?: number;
  vocabSize: number;
  /** Tokens of training text; larger targets are not taken when a run would need more than one epoch. */
  trainTokens?: number;
  seqLen?: number;
  microBatchSize?: number;
  /** Of the control, over parameters in blocks. */
  tokensPerParameter?: number;
  learningRates?: readonly number[];
  oneHopOperator?: "zeroDepth" | "stack";
  /** Held-back text that every run reads. */
  validation?: ValidationWork;
  /** Share of the minutes kept back, because a prediction is not a promise. */
  reserve?: number;
}

export interface ExperimentJob extends PlannedJob {
  /** Predicted time on its thread: start, training, validation, evaluation of its checkpoints. */
  seconds: number;
  /** Optimiser steps alone, as a run's own clock counts them. */
  trainingSeconds: number;
}

/** A part of the minutes; the parts sum to `totalSeconds`. */
export interface PlanPart {
  name: string;
  seconds: number;
}

export interface ExperimentPlan {
  scale: "smoke" | "default";
  target: ModelConfig;
  seeds: readonly number[];
  seqLen: number;
  microBatchSize: number;
  tokensPerStep: number;
  tokensPerParameter: number;
  warmupSteps: number;
  learningRates: readonly number[];
  validation: ValidationWork;
  /** FLOPs of the control over the growth arms': the s of the comparisons. */
  factors: Arms["factors"];
  lastStageFlopsShare: number;
  jobs: readonly ExperimentJob[];
  schedule: Schedule;
  threads: number;
  parts: readonly PlanPart[];
  /** Wall seconds in all, reserve included; at most the minutes asked for. */
  totalSeconds: number;
  totalFlops: number;
  /** Largest formula estimate of peak memory over jobs running at once. */
  predictedPeakBytes: number;
  /** What was left out to fit, in the order it was dropped. */
  dropped: readonly string[];
  /** Sentences for the reader: what else follows from the minutes. */
  notes: readonly string[];
}

const DEFAULTS = {
  // One of the trial's settings: V about 1,024, context 128, batch 8, warm-up 60 steps, rates around 6e-3.
  default: { seqLen: 128, microBatchSize: 8, numSeeds: 3, tokensPerParameter: 1.3, reserve: 0.08 },
  smoke: { seqLen: 64, microBatchSize: 8, numSeeds: 1, tokensPerParameter: 1.3, reserve: 0.08 },
};
const LEARNING_RATES = [3e-3, 6e-3, 1.2e-2];

type Settings = Required<Omit<ExperimentRequest, "calibration" | "trainTokens">> & Pick<ExperimentRequest, "calibration" | "trainTokens">;

function settings(request: ExperimentRequest): Settings {
  const defaults = DEFAULTS[request.scale];
  const full: Settings = {
    ...request,
    threads: request.threads ?? request.machine.cores,
    seed: request.seed ?? 0,
    numSeeds: request.numSeeds ?? defaults.numSeeds,
    seqLen: request.seqLen ?? defaults.seqLen,
    microBatchSize: request.microBatchSize ?? defaults.microBatchSize,
    tokensPerParameter: request.tokensPerParameter ?? defaults.tokensPerParameter,
    learningRates: request.learningRates ?? LEARNING_RATES,
    oneHopOperator: request.oneHopOperator ?? "stack",
    validation: request.validation ?? VALIDATION,
    reserve: request.reserve ?? defaults.reserve,
  };
  if (!(full.minutes > 0)) throw new ConfigError(`experiment plan: minutes: is ${full.minutes}, expected more than 0. Give the minutes to spend.`);
  if (full.threads < 1) throw new ConfigError(`experiment plan: threads: is ${full.threads}, expected at least 1. Give the threads to train on.`);
  if (full.numSeeds < 1) throw new ConfigError(`experiment plan: numSeeds: is ${full.numSeeds}, expected at least 1. Give the seeds to run.`);
  if (full.learningRates.length < 3) {
    throw new ConfigError(`experiment plan: learningRates: has ${full.learningRates.length} values, expected at least 3. A rate chosen from fewer is not tuned.`);
  }
  return full;
}

/** The plan for one target and one level of dropping, whether it fits or not. */
function planFor(rung: Rung, level: number, numSeeds: number, s: Settings): ExperimentPlan {
  const text = { vocabSize: s.vocabSize, seqLen: s.seqLen };
  const tokensPerStep = s.microBatchSize * s.seqLen;
  const seeds = Array.from({ length: numSeeds }, (_, i) => s.seed + i);
  const sizes = arms({ target: rung, text, tokensPerStep, tokensPerParameter: s.tokensPerParameter, oneHopOperator: s.oneHopOperator, seed: s.seed });
  const trainingSeconds = (stages: readonly Stage[]) =>
    stages.reduce((sum, { model, tokens }) => {
      const step = predictStepSeconds(model, { microBatchSize: s.microBatchSize }, s.machine, s.calibration);
      return sum + (tokens / tokensPerStep) * step.seconds;
    }, 0);
  const { kept, dropped } = dropLevels(numSeeds)[level]!;
  const planned = planJobs({ arms: sizes, kept, seeds, learningRates: s.learningRates, tokensPerStep, secondsOf: trainingSeconds });
  const jobs = planned.map((job): ExperimentJob => {
    const training = job.reuses ? 0 : trainingSeconds(job.stages);
    const validation = validationSeconds(job, s.validation, s.microBatchSize, s.machine, s.calibration);
    const tests = job.arm === "pilot" ? 0 : job.stages.reduce((sum, { model }) => sum + s.overhead.evaluatePerCheckpoint(model), 0);
    return { ...job, trainingSeconds: training, seconds: s.overhead.startPerJob + training + validation + tests };
  });

  // Pilots first, all of them: what they choose is needed by every arm.
  const isPilot = (id: string) => jobs.some((job) => job.id === id && job.arm === "pilot");
  const pilots = schedule(jobs.filter((job) => job.arm === "pilot"), s.threads);
  const rest = schedule(
    jobs.filter((job) => job.arm !== "pilot").map((job) => ({ ...job, dependsOn: job.dependsOn.filter((id) => !isPilot(id)) })),
    s.threads,
  );
  const pilotsEnd = pilots.makespanSeconds;
  const plan: Schedule = {
    jobs: [...pilots.jobs, ...rest.jobs.map((job) => ({ ...job, start: job.start + pilotsEnd, end: job.end + pilotsEnd }))],
    makespanSeconds: pilotsEnd + rest.makespanSeconds,
  };
  const { compile, tokenize, report } = s.overhead;
  const prepare = s.machine.cores > 1 ? Math.max(compile, tokenize) : compile + tokenize;
  const parts: PlanPart[] = [
    { name: s.machine.cores > 1 ? "build and tokenise, side by side" : "build, then tokenise", seconds: prepare },
    { name: "pilots", seconds: pilotsEnd },
    { name: "arms, controls and their evaluation", seconds: plan.makespanSeconds - pilotsEnd },
    { name: "report", seconds: report },
    { name: "reserve", seconds: s.reserve * s.minutes * 60 },
  ];
  const steps = Math.min(...jobs.map((job) => job.tokens / tokensPerStep));
  const peaks = jobs
    .map((job) => Math.max(...job.stages.map(({ model }) => memoryByFormula(model, s.microBatchSize).peakBytes)))
    .toSorted((a, b) => b - a);
  return {
    scale: s.scale,
    target: rungModel(rung, text),
    seeds,
    seqLen: s.seqLen,
    microBatchSize: s.microBatchSize,
    tokensPerStep,
    tokensPerParameter: s.tokensPerParameter,
    // The trial warmed up for 60 of 1,100 to 2,200 steps.
    warmupSteps: Math.max(1, Math.min(60, Math.round(steps / 10))),
    learningRates: s.learningRates,
    validation: s.validation,
    factors: sizes.factors,
    lastStageFlopsShare: sizes.lastStageFlopsShare,
    jobs,
    schedule: plan,
    threads: s.threads,
    parts,
    totalSeconds: parts.reduce((sum, part) => sum + part.seconds, 0),
    totalFlops: jobs.reduce((sum, job) => sum + job.flops, 0),
    predictedPeakBytes: peaks.slice(0, s.threads).reduce((a, b) => a + b, 0),
    dropped,
    notes: [],
  };
}

const mostTokens = (plan: ExperimentPlan) => Math.max(...plan.jobs.map((job) => job.tokens));

/** Sentences that follow from a chosen plan. */
function withNotes(plan: ExperimentPlan, s: Settings, shrunk: boolean): ExperimentPlan {
  const notes: string[] = [];
  const shape = `L${plan.target.numLayers} C${plan.target.residualDim}`;
  if (shrunk) notes.push(`The target shrank to ${shape} at the same ${plan.tokensPerParameter} tokens per parameter.`);
  if (plan.seeds.length < s.numSeeds) notes.push(`Only ${plan.seeds.length} of ${s.numSeeds} seeds fit.`);
  if (plan.seeds.length < 3) notes.push("Fewer than three seeds: differences carry no interval worth the name.");
  if (s.trainTokens !== undefined && mostTokens(plan) > s.trainTokens) {
    notes.push(`The longest run reads ${(mostTokens(plan) / s.trainTokens).toFixed(1)} epochs of the text.`);
  }
  return { ...plan, notes };
}

/**
 * The experiment that fits the minutes: sizes, tokens, runs, their schedule over threads and the split of the time.
 *
 * The largest target for which everything fits is taken, when that is the preferred one or larger. Otherwise, at the
 * preferred target, work is dropped in this order: seeds of scratch on equal tokens (a1), width of the sweep over
 * fixed shapes (b), the one-hop arm; then the target shrinks at fixed tokens per parameter, each smaller target with
 * as little dropped as fits; last, seeds. Pilots and the scratch bar (a2) are never dropped.
 *
 * @throws {ConfigError} when the smallest experiment does not fit; the sentence names the minutes it needs
 */
export function planExperiment(request: ExperimentRequest): ExperimentPlan {
  const s = settings(request);
  const limit = s.minutes * 60;
  const fits = (plan: ExperimentPlan) => plan.totalSeconds <= limit;
  const rungs = s.scale === "smoke" ? [smokeRung] : ladder;
  const preferred = s.scale === "smoke" ? 0 : rungs.indexOf(preferredRung);

  for (let i = rungs.length - 1; i > preferred; i--) {
    const plan = planFor(rungs[i]!, 0, s.numSeeds, s);
    const oneEpoch = s.trainTokens === undefined || mostTokens(plan) <= s.trainTokens;
    if (fits(plan) && oneEpoch) return withNotes(plan, s, false);
  }
  for (let numSeeds = s.numSeeds; numSeeds >= 1; numSeeds--) {
    // With all seeds every rung from the preferred one down; with fewer only the smallest.
    for (let i = numSeeds === s.numSeeds ? preferred : 0; i >= 0; i--) {
      for (let level = 0; level < dropLevels(numSeeds).length; level++) {
        const plan = planFor(rungs[i]!, level, numSeeds, s);
        if (fits(plan)) return withNotes(plan, s, i < preferred);
      }
    }
  }
  const least = planFor(rungs[0]!, dropLevels(1).length - 1, 1, s);
  const needed = (least.totalSeconds - s.reserve * limit) / (1 - s.reserve) / 60;
  throw new ConfigError(
    `experiment plan: minutes: is ${s.minutes}, the smallest experiment on ${s.machine.name} needs about ${needed.toFixed(1)}. Give at least that.`,
  );
}
