import { acquireLock, fileError } from "@espalier/core/node";
import { trainingFlopsPerToken } from "@espalier/spec/model";
import { parseTrainPlan } from "@espalier/spec/plan";
import type { Metric, RunIdentity } from "@espalier/spec/run";
import manifest from "../package.json" with { type: "json" };
import { documentSeparator, expectIds } from "./data.ts";
import { fork } from "./fork.ts";
import { trainingMemory } from "./memory.ts";
import { claimRun, keepTokenizer, planDigest, readMetrics, removeLeftovers, runPaths } from "./runDirectory.ts";
import { expectTrainablePlan, plannedBirths, stageStarts, sumOverStages } from "./schedule.ts";
import { Session } from "./session.ts";
import type { TrainHooks, TrainRequest } from "./trainRequest.ts";

/** The end of one stage: the model as it was before the next growth. */
export interface StageResult {
  name: string;
  /** Finished optimiser steps, tokens and FLOPs since the start of the run. */
  step: number;
  tokens: number;
  flops: number;
  /** Nats per token on the fixed validation set. */
  validationLoss: number;
  bitsPerByte: number;
  /** Checkpoint directory; `loadLanguageModel` opens it. */
  checkpoint: string;
}

export interface TrainResult {
  /** sha256 of the last checkpoint: equal for equal plan, seed, build and instruction path. */
  digest: string;
  checkpoint: string;
  steps: number;
  tokens: number;
  /** Training FLOPs of all stages. */
  flops: number;
  /** Seconds of optimiser steps and growths over all segments; validation and checkpoints are not counted. */
  seconds: number;
  validationLoss: number;
  bitsPerByte: number;
  stages: readonly StageResult[];
}

const BUILD = `${manifest.name} ${manifest.version}`;

/**
 * Runs a training plan in its directory, or continues it from its newest sound checkpoint: stages in turn, growth between
 * them. Equal plan, data, seed and instruction path give an equal digest, however often the run was interrupted and
 * whatever the number of threads. A run that has ended returns its result at once. A fork begins as a copy of another
 * run, as far as the two plans agree, and ends with the digest that it would have had without.
 *
 * @throws {LockError} when another process trains in the directory
 * @throws {ConfigError} when the plan cannot be trained or does not fit into its memory limit, or the directory holds another plan or other data
 * @throws {GrowthError} when a growth does not fit
 * @throws {DataError} when there is too little text, or ids outside the vocabulary
 * @throws {FileError} when the disk is full or no checkpoint can be trusted; a later call continues
 * @throws {CancelledError} when `signal` was aborted; a checkpoint is written first
 */
export async function train(request: TrainRequest, hooks: TrainHooks = {}): Promise<TrainResult> {
  const { data, directory, executor, build = BUILD } = request;
  const plan = parseTrainPlan(request.plan);
  expectTrainablePlan(plan);
  plannedBirths(plan); // refuses a growth that does not fit
  documentSeparator(plan, data); // refuses a plan with masks over data without separators
  expectIds(data, plan.stages[0]!.model.vocabSize);
  if (plan.memoryLimitBytes !== undefined) trainingMemory(plan, executor);
  const digest = planDigest(plan);
  const lock = acquireLock(directory);
  try {
    await removeLeftovers(directory, hooks.fileSystem);
    const identity: RunIdentity = {
      format: "espalier-run-1",
      id: `${plan.name}-${digest.slice(0, 12)}`,
      plan,
      planDigest: digest,
      build,
      instructionPath: executor.instructionPath,
      dataDigest: data.digest,
      tokenizerDigest: data.tokenizerDigest,
      createdAt: new Date().toISOString(),
    };
    await claimRun(directory, identity, hooks.fileSystem);
    if (data.tokenizerJson !== undefined) await keepTokenizer(directory, data.tokenizerJson, hooks.fileSystem);
    if (request.fork) await fork(request.fork, directory, identity, hooks.fileSystem);
    const session = await Session.open({ ...request, plan }, hooks, digest);
    try {
      const last = await session.finish();
      return await resultOf(request, last);
    } finally {
      await session.close();
    }
  } catch (error) {
    throw fileError("training in", directory, error);
  } finally {
    lock.release();
  }
}

async function resultOf({ plan, directory }: TrainRequest, last: { directory: string; digest: string }): Promise<TrainResult> {
  const starts = stageStarts(plan);
  const metrics = await readMetrics(directory);
  const at = new Map(metrics.map((metric): [number, Metric] => [metric.step, metric]));
  const total = (step: number, perToken: Parameters<typeof sumOverStages>[3]) => sumOverStages(plan, starts, step, perToken);
  const stages = plan.stages.map(({ name }, i): StageResult => {
    const step = starts[i + 1]!;
    const metric = at.get(step);
    return {
      name,
      step,
      tokens: total(step, () => 1),
      flops: total(step, ({ model }) => trainingFlopsPerToken(model)),
      validationLoss: metric?.validationLoss ?? NaN,
      bitsPerByte: metric?.bitsPerByte ?? NaN,
      checkpoint: runPaths.checkpoint(directory, step, false),
    };
  });
  const { step: steps, ...end } = stages.at(-1)!;
  const { tokens, flops, validationLoss, bitsPerByte } = end;
  const seconds = metrics.at(-1)?.seconds ?? 0;
  return { digest: last.digest, checkpoint: last.directory, steps, tokens, flops, seconds, validationLoss, bitsPerByte, stages };
}
