/** Accuracy against difficulty: one task at several values of one knob (a curve) or of two (a grid). */

import { ConfigError, type Progress, silent } from "@espalier/core";
import type { LanguageModel } from "@espalier/spec/languageModel";
import { evaluate, type EvaluateOptions, type Scoring, type TaskResult } from "../evaluate.ts";
import type { Interval } from "../statistics/intervals.ts";
import { type Difficulty, type Knob, type Level, levels, type Task } from "../tasks/task.ts";

/** Scores of step-wise procedures that a curve may follow: the mean share of right steps before the first wrong one, or shares of items. */
export type StepScoring = "prefix accuracy" | "sequential match" | "final match";
export type CurveScoring = Scoring | StepScoring;

const STEP_SCORINGS: readonly CurveScoring[] = ["prefix accuracy", "sequential match", "final match"] satisfies StepScoring[];

/** Values of one knob, from easy to hard; the knob `level` takes levels. */
export interface Axis {
  knob: string;
  values: readonly Knob[];
}

export interface CurvePoint {
  value: Knob;
  /** Right items; the sum of their credit where the scoring gives credit for parts. */
  correct: number;
  items: number;
  accuracy: number;
  /** 95 %: Wilson, or of the mean where the scoring gives credit for parts. */
  interval: Interval;
  chance: number;
}

export interface DifficultyCurve {
  model: string;
  task: string;
  title: string;
  knob: string;
  scoring: CurveScoring;
  seed: string;
  points: readonly CurvePoint[];
  /**
   * Value at which the line through the points first falls below halfway between chance and 1: what the model can do half
   * of the time. Undefined where it never does, is never above, or the knob is no number.
   */
  halfway?: number;
}

export interface CurveOptions extends Pick<EvaluateOptions, "seed" | "signal" | "batchItems" | "cache" | "progress"> {
  task: Task;
  axis: Axis;
  /** Default `exact match`. `StepScoring` needs a procedure, whose targets have steps. */
  scoring?: CurveScoring;
  /** Level of all other knobs. Default `paper`. */
  level?: Level;
  /** Items of each point. Default 100. */
  items?: number;
}

/**
 * Accuracy of a model at each value of a knob, every point with items of its own.
 *
 * @throws {ConfigError} without values, or for a knob that the task does not have
 */
export async function difficultyCurve(model: LanguageModel, { axis, ...options }: CurveOptions): Promise<DifficultyCurve> {
  expectValues("difficultyCurve", axis);
  const points: CurvePoint[] = [];
  let seed = "";
  for (const [k, value] of axis.values.entries()) {
    const measured = await measure(model, { ...options, progress: partOf(options, k, axis.values.length) }, { [axis.knob]: value });
    seed = measured.seed;
    points.push({ value, ...measured.point });
  }
  const { task, scoring = "exact match" } = options;
  const halfway = crossing(points);
  return { model: model.name, task: task.id, title: task.title, knob: axis.knob, scoring, seed, points, ...(halfway !== undefined && { halfway }) };
}

export interface DifficultyGrid extends Omit<DifficultyCurve, "knob" | "points" | "halfway"> {
  x: Axis;
  y: Axis;
  /** `cells[j][i]` is at value i of x and value j of y. */
  cells: readonly (readonly Omit<CurvePoint, "value">[])[];
}

/** Accuracy at each pair of values of two knobs, e.g. `length` and `depth` of a needle. */
export async function difficultyGrid(model: LanguageModel, { x, y, ...options }: Omit<CurveOptions, "axis"> & { x: Axis; y: Axis }): Promise<DifficultyGrid> {
  expectValues("difficultyGrid", x);
  expectValues("difficultyGrid", y);
  const cells: Omit<CurvePoint, "value">[][] = [];
  let seed = "";
  for (const vertical of y.values) {
    const row: Omit<CurvePoint, "value">[] = [];
    for (const horizontal of x.values) {
      const progress = partOf(options, cells.length * x.values.length + row.length, x.values.length * y.values.length);
      const measured = await measure(model, { ...options, progress }, { [x.knob]: horizontal, [y.knob]: vertical });
      seed = measured.seed;
      row.push(measured.point);
    }
    cells.push(row);
  }
  const { task, scoring = "exact match" } = options;
  return { model: model.name, task: task.id, title: task.title, x, y, scoring, seed, cells };
}

/** Progress of one of several measurements as that of all. */
function partOf({ progress = silent, items = 100 }: Omit<CurveOptions, "axis">, index: number, count: number): Progress {
  return (event) => progress({ ...event, done: index * items + event.done, total: count * items });
}

function expectValues(where: string, { knob, values }: Axis): void {
  if (values.length === 0) throw new ConfigError(`${where}: ${knob} has no values, expected at least one.`);
  const unknown = knob === "level" ? values.find((value) => !levels.includes(value as Level)) : undefined;
  if (unknown !== undefined) throw new ConfigError(`${where}: level is ${JSON.stringify(unknown)}, expected one of ${levels.join(", ")}.`);
}

async function measure(
  model: LanguageModel,
  { task, scoring = "exact match", level = "paper", items = 100, ...rest }: Omit<CurveOptions, "axis">,
  knobs: Readonly<Record<string, Knob>>,
): Promise<{ seed: string; point: Omit<CurvePoint, "value"> }> {
  const difficulty: Difficulty = { level, ...knobs };
  const likelihood = scoring !== "exact match" && !STEP_SCORINGS.includes(scoring);
  const { tasks } = await evaluate(model, { ...rest, tasks: [task], items, difficulty, likelihood });
  return { seed: tasks[0].seed, point: pointOf(tasks[0], scoring) };
}

/** @throws {ConfigError} for a score of steps where the targets have none */
function pointOf({ task, items, scores, parts }: TaskResult, scoring: CurveScoring): Omit<CurvePoint, "value"> {
  const found = scores.find((score) => score.scoring === scoring);
  if (found !== undefined) {
    const { correct, accuracy, interval, chance } = found;
    return { correct, items, accuracy, interval, chance };
  }
  if (parts?.kind !== "steps") throw new ConfigError(`difficultyCurve: ${task} has no ${scoring}, which needs targets of several steps. Take a procedure, or another scoring.`);
  if (scoring === "prefix accuracy") {
    const { mean, interval } = parts.prefixAccuracy;
    return { correct: mean * items, items, accuracy: mean, interval, chance: 0 };
  }
  const { share, interval } = scoring === "sequential match" ? parts.sequentialMatch : parts.finalMatch;
  return { correct: Math.round(share * items), items, accuracy: share, interval, chance: 0 };
}

function crossing(points: readonly CurvePoint[]): number | undefined {
  const heights = points.map(({ accuracy, chance }) => accuracy - (1 + chance) / 2);
  for (let k = 1; k < points.length; k++) {
    const [before, after] = [points[k - 1].value, points[k].value];
    if (typeof before !== "number" || typeof after !== "number" || heights[k - 1] < 0 || heights[k] >= 0) continue;
    return before + ((after - before) * heights[k - 1]) / (heights[k - 1] - heights[k]);
  }
  return undefined;
}
