import { ConfigError } from "@espalier/core";
import { atomicWrite, disk, type FileSystem } from "@espalier/core/node";
import type { TrainPlan } from "@espalier/spec/plan";
import type { Metric, RunEvent, RunIdentity } from "@espalier/spec/run";
import { type Checkpoint, openCheckpoint, readModelState, sortedKeys, writeCheckpoint } from "./checkpoint.ts";
import type { ModelState } from "./deviceModel.ts";
import { listCheckpoints, readEvents, readIdentity, readMetrics, runPaths } from "./runDirectory.ts";
import { learningRateSchedule, stageStarts } from "./schedule.ts";

/** The run that another one begins as. */
export interface ForkRequest {
  /** Directory of the run to fork. */
  run: string;
  /** Finished steps to fork at, at most; a checkpoint must stand there or before. Default: as late as the plans allow. */
  atStep?: number;
}

/** How far two plans train the same model with the same bits. */
export interface SharedSteps {
  /** Optimiser steps that are the same in both. */
  steps: number;
  /** The last stage that both have begun alike, growth included; -1 when not even the first is. */
  stage: number;
  /** What ends it, for an error. */
  because: string;
}

/**
 * Optimiser steps that two plans share: equal seed, batch, precision and optimiser, equal stages with equal growth, and
 * the same learning rate at every step. Names, validation points, checkpoints and limits on memory may differ.
 */
export function sharedSteps(a: TrainPlan, b: TrainPlan): SharedSteps {
  const general = ({ name: _, stages: _stages, validateEvery: _v, checkpointEvery: _c, memoryLimitBytes: _m, optimizer, ...rest }: TrainPlan) => {
    const { peakLearningRate: _p, finalShare: _f, warmupSteps: _w, ...update } = optimizer;
    return { ...rest, ...update };
  };
  const [left, right] = [general(a), general(b)] as Record<string, unknown>[];
  const differing = Object.keys({ ...left, ...right }).find((field) => !isEqual(left![field], right![field]));
  if (differing) return { steps: 0, stage: -1, because: `${differing} is ${text(left![differing])} in one plan and ${text(right![differing])} in the other` };

  const [startsA, startsB] = [stageStarts(a), stageStarts(b)];
  let [steps, stage, because] = [0, -1, "the plans are the same to the end"];
  for (let i = 0; i < Math.max(a.stages.length, b.stages.length); i++) {
    const [mine, other] = [a.stages[i], b.stages[i]];
    if (!mine || !other || !isEqual([mine.model, mine.growth], [other.model, other.growth])) {
      because = `stage ${i} differs`;
      break;
    }
    stage = i;
    steps = Math.min(startsA[i + 1]!, startsB[i + 1]!);
    if (startsA[i + 1] !== startsB[i + 1]) {
      because = `stage ${i} has ${startsA[i + 1]! - startsA[i]!} steps in one plan and ${startsB[i + 1]! - startsB[i]!} in the other`;
      break;
    }
  }
  const [rateA, rateB] = [learningRateSchedule(a), learningRateSchedule(b)];
  for (let step = 0; step < steps; step++) {
    if (rateA(step) === rateB(step)) continue;
    because = `the learning rate of step ${step + 1} is ${rateA(step)} in one plan and ${rateB(step)} in the other`;
    steps = step;
  }
  return { steps, stage, because };
}

/**
 * Begins a run as a copy of another one up to a step that their plans share: checkpoints, metrics and history, under the
 * new run's plan. What follows is, bit for bit, what the new plan would have trained from the start. Does nothing when
 * the directory already has a checkpoint. The directory must be locked and claimed by the caller.
 *
 * @throws {ConfigError} when data or plans differ from the first step on, or no checkpoint stands where both agree
 * @throws {FileError} when the other run cannot be read, or on a full disk
 */
export async function fork({ run, atStep = Infinity }: ForkRequest, directory: string, identity: RunIdentity, fileSystem: FileSystem = disk): Promise<void> {
  if (listCheckpoints(directory).length > 0) return;
  const parent = await readIdentity(run);
  for (const field of ["dataDigest", "tokenizerDigest"] as const) {
    if (parent[field] !== identity[field]) {
      throw new ConfigError(`fork: ${field} of ${run} is ${parent[field].slice(0, 12)}, expected ${identity[field].slice(0, 12)} as here. Fork a run of the same data.`);
    }
  }
  const shared = sharedSteps(parent.plan, identity.plan);
  const usable = await sharedCheckpoints(run, identity.plan, { ...shared, steps: Math.min(shared.steps, atStep) });
  const last = usable.at(-1);
  if (!last) {
    const limit = atStep < shared.steps ? `step ${atStep} was asked for` : shared.because;
    throw new ConfigError(`fork: ${run} has no checkpoint up to step ${Math.min(shared.steps, atStep)}, expected one that both plans share (${limit}). Fork another run, or train from the start.`);
  }

  const { step } = last.record;
  const metrics = (await readMetrics(run)).filter((metric: Metric) => metric.step <= step);
  await atomicWrite(runPaths.metrics(directory), lines(metrics), fileSystem);
  const segments = (await readEvents(run)).filter((event: RunEvent) => event.kind === "segment" && event.step <= step);
  const forked: RunEvent = { kind: "fork", at: new Date().toISOString(), step, run: parent.id, digest: last.digest };
  await atomicWrite(runPaths.events(directory), lines([...segments, forked]), fileSystem);
  await fileSystem.makeDirectory(runPaths.checkpoints(directory));
  for (const checkpoint of usable) {
    const { tokenizerDigest, stage, tokenOffset, history, step: at } = checkpoint.record;
    const grown = history.some((event) => event.kind === "growth" && event.step === at);
    const state = (await readModelState(checkpoint, true)) as Required<ModelState>; // a checkpoint has moments and births
    const about = { planDigest: identity.planDigest, tokenizerDigest, stage, tokenOffset, history };
    await writeCheckpoint(runPaths.checkpoint(directory, at, grown), state, about, fileSystem);
  }
}

/** Sound checkpoints of a run that another plan would have written too: ends of stages, growths, and the newest. */
async function sharedCheckpoints(run: string, plan: TrainPlan, { steps, stage }: SharedSteps): Promise<Checkpoint[]> {
  const starts = stageStarts(plan);
  const found: Checkpoint[] = [];
  for (const { path, step } of listCheckpoints(run)) {
    if (step > steps) continue;
    const checkpoint = await openCheckpoint(path);
    const { record } = checkpoint;
    const endsAlike = record.history.every((event) => event.kind !== "stageEnd" || starts[event.stage + 1] === event.step);
    if (record.stage <= stage && endsAlike) found.push(checkpoint);
  }
  return found.filter(({ record }, i) => i === found.length - 1 || starts.includes(record.step));
}

const isEqual = (a: unknown, b: unknown): boolean => text(a) === text(b);
const text = (value: unknown): string => JSON.stringify(value, sortedKeys) ?? "absent";
const lines = (rows: readonly unknown[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join("");
