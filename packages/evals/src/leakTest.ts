/** Were the public items trained on? The same tasks under a public and a private seed, compared. */

import { ConfigError } from "@espalier/core";
import type { Evaluation, Scoring } from "./evaluate.ts";
import { holm, proportionDifference, type ProportionDifference } from "./statistics/comparison.ts";
import { normalQuantile } from "./statistics/distributions.ts";
import type { Interval } from "./statistics/intervals.ts";

export interface TaskLeak extends ProportionDifference {
  task: string;
  publicAccuracy: number;
  /** Without the shared items. */
  privateAccuracy: number;
  /** Adjusted for the number of tasks (Holm). */
  adjustedPValue: number;
  /** Private items with the very prompt of a public one, which small families have: left out of the private side. */
  shared: number;
}

export interface LeakTest {
  publicSeed: string;
  privateSeed: string;
  scoring: Scoring;
  tasks: readonly TaskLeak[];
  /** Mean over tasks of public minus private accuracy, with a normal 95 % interval. */
  difference: number;
  interval: Interval;
  /** The interval over all tasks lies above 0, or a task alone has an adjusted p value below 0.05 and does better in public. */
  leaked: boolean;
}

/**
 * Compares accuracies under a public and under a private seed. Both draw from one distribution, so a model that never saw
 * the public items does equally well on both within error; one that learned them does better in public.
 *
 * Standard error of the mean over T tasks: `sqrt(sum_t (v(p_t, n_t) + v(q_t, m_t))) / T` with
 * `v(p, n) = p' (1 - p') / (n + 4)` and `p' = (k + 2) / (n + 4)`: at 0 or n the plain
 * form would claim certainty (Agresti & Coull 1998).
 *
 * @throws {ConfigError} when tasks, versions or difficulties differ, or both seeds are the same
 */
export function leakTest(open: Evaluation, kept: Evaluation, scoring: Scoring = "exact match"): LeakTest {
  const name = ({ tasks }: Evaluation) => tasks.map(({ task, version, difficulty }) => `${task}@${version}/${difficulty}`).join(", ");
  if (name(open) !== name(kept) || open.tasks.length === 0) {
    throw new ConfigError(`leakTest: the public run has ${name(open) || "no task"}, the private one ${name(kept) || "none"}, expected the same. Evaluate both alike.`);
  }
  const [publicSeed, privateSeed] = [open.tasks[0].seed, kept.tasks[0].seed];
  if (publicSeed === privateSeed) throw new ConfigError(`leakTest: both runs have seed ${publicSeed}, expected a public and a private one.`);
  const counts = ({ tasks }: Evaluation) =>
    tasks.map(({ task, scores }) => {
      const found = scores.find((score) => score.scoring === scoring);
      if (found === undefined) throw new ConfigError(`leakTest: ${task} has no score by ${scoring}, expected one in both runs. Evaluate with it, or name another.`);
      return found;
    });
  const shared = open.tasks.map(({ samples }, t) => {
    const prompts = new Set(samples.map(({ prompt }) => prompt));
    return kept.tasks[t].samples.filter(({ prompt }) => prompts.has(prompt));
  });
  const shown = counts(open);
  const hidden = counts(kept).map(({ correct, items }, t) => ({ correct: correct - shared[t].filter((sample) => sample.correct[scoring]).length, items: items - shared[t].length }));
  const empty = hidden.findIndex(({ items }) => items === 0);
  if (empty >= 0) throw new ConfigError(`leakTest: every private item of ${open.tasks[empty].task} is a public one too. Raise its difficulty.`);
  const differences = shown.map((a, t) => proportionDifference(a.correct, a.items, hidden[t].correct, hidden[t].items));
  const adjusted = holm(differences.map(({ pValue }) => pValue));
  const variance = (k: number, n: number) => {
    const p = (k + 2) / (n + 4);
    return (p * (1 - p)) / (n + 4);
  };
  const T = shown.length;
  const mean = differences.reduce((sum, { difference }) => sum + difference, 0) / T;
  const error = Math.sqrt(shown.reduce((sum, a, t) => sum + variance(a.correct, a.items) + variance(hidden[t].correct, hidden[t].items), 0)) / T;
  const half = normalQuantile(0.975) * error;
  const tasks = differences.map((difference, t) => ({ task: open.tasks[t].task, publicAccuracy: shown[t].correct / shown[t].items, privateAccuracy: hidden[t].correct / hidden[t].items, ...difference, adjustedPValue: adjusted[t], shared: shared[t].length }));
  return {
    publicSeed,
    privateSeed,
    scoring,
    tasks,
    difference: mean,
    interval: [mean - half, mean + half],
    leaked: mean - half > 0 || tasks.some(({ difference, adjustedPValue }) => difference > 0 && adjustedPValue < 0.05),
  };
}
