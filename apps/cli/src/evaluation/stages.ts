import { basename } from "node:path";
import { FileError } from "@espalier/core";
import { type Agreement, agreement, type LoggedSample } from "@espalier/evals";
import { listCheckpoints, runPaths } from "@espalier/trainer";
import type { Evaluated } from "./run.ts";

/** A checkpoint of a run that ends a stage, or is the model right after a growth. */
export interface StageCheckpoint {
  name: string;
  path: string;
  step: number;
  grown: boolean;
}

/**
 * The checkpoints of a run that say something of its stages: the last before each growth, the first after it, and the
 * last of all.
 *
 * @throws {FileError} when the directory holds no run
 */
export function stageCheckpoints(run: string): StageCheckpoint[] {
  const directory = runPaths.checkpoints(run);
  const all = listCheckpoints(run).map((checkpoint): StageCheckpoint => ({ ...checkpoint, name: basename(checkpoint.path) }));
  if (all.length === 0)
    throw new FileError(
      `${directory}: no checkpoints, expected those of a run. Name the directory of \`espalier train --out\`.`,
    );
  const growths = new Set(all.filter(({ grown }) => grown).map(({ step }) => step));
  return all.filter((checkpoint, i) => growths.has(checkpoint.step) || i === all.length - 1);
}

export interface GrowthAgreement extends Agreement {
  step: number;
}

const samplesOf = ({ iq, knowledge }: Evaluated): LoggedSample[] =>
  [...(iq?.tasks ?? []), ...(knowledge[0]?.tasks ?? [])].flatMap(({ samples }) => samples as readonly LoggedSample[]);

/** Agreement before and after each growth whose two checkpoints were evaluated. */
export function agreements(stages: readonly { checkpoint: StageCheckpoint; evaluated: Evaluated }[]): GrowthAgreement[] {
  return stages.flatMap(({ checkpoint, evaluated }, i) => {
    const before = stages[i - 1];
    if (!checkpoint.grown || before?.checkpoint.step !== checkpoint.step) return [];
    return [{ step: checkpoint.step, ...agreement(samplesOf(before.evaluated), samplesOf(evaluated)) }];
  });
}

export interface StageRow {
  task: string;
  metric: string;
  chance: number | null;
  /** One a stage. */
  cells: { value: number; interval: readonly [number, number] | null }[];
}

/** One row a task and metric, one cell a stage: the form of the paper's Table 6. Several few-shot seeds give their mean. */
export function stageRows(stages: readonly Evaluated[]): StageRow[] {
  const rows = new Map<string, StageRow>();
  const put = (
    task: string,
    metric: string,
    chance: number | null,
    value: number,
    interval: readonly [number, number] | null,
  ) => {
    const key = JSON.stringify([task, metric]);
    const row = rows.get(key) ?? { task, metric, chance, cells: [] };
    rows.set(key, row);
    row.cells.push({ value, interval });
  };
  for (const { iq, knowledge, overSeeds } of stages) {
    for (const { task, scores } of iq?.tasks ?? []) {
      for (const { scoring, accuracy, interval, chance } of scores)
        if (scoring !== "likelihood per character") put(task, scoring, chance, accuracy, interval);
    }
    for (const { task, scores, chance } of knowledge[0]?.tasks ?? []) {
      for (const { metric, filter, value, interval } of scores) {
        const seeds = overSeeds?.find((score) => score.task === task && score.metric === metric && score.filter === filter);
        put(task, filter === "none" ? metric : `${metric} (${filter})`, chance, seeds?.mean ?? value, seeds ? seeds.interval : interval);
      }
    }
  }
  return [...rows.values()];
}
