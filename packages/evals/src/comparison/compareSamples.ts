/** Two models on the same items: which differences are real, and whether they were asked the same. */

import { ConfigError } from "@espalier/core";
import {
  benjaminiHochberg,
  holm,
  mcnemar,
  minimumDetectableDifference,
  pairedPermutation,
} from "../statistics/comparison.ts";
import { boundedDifference } from "../statistics/boundedDifference.ts";
import type { Interval } from "../statistics/intervals.ts";
import { pairedDifference } from "../statistics/means.ts";
import { type LoggedAnswer, loggedAnswer, type LoggedSample } from "./logged.ts";

export interface MetricComparison {
  task: string;
  metric: string;
  /** Items that both logs hold with the same prompt and score. */
  items: number;
  /** Clusters of items that share a passage; null where each stands alone. */
  clusters: number | null;
  a: number;
  b: number;
  /** a - b, with a 95 % interval: of `boundedDifference` for scores in [0, 1], of t for others; over clusters where there are any. */
  difference: number;
  interval: Interval;
  /** Items that only one of the two has right; null where scores are not right or wrong. */
  onlyA: number | null;
  onlyB: number | null;
  /** Exact McNemar for right and wrong on items that stand alone, else a permutation test over items or clusters. */
  test: "McNemar" | "permutation";
  pValue: number;
  /** Holm over all rows: keeps the chance of any false finding. */
  holm: number;
  /** Benjamini-Hochberg over all rows: keeps the share of false findings. */
  falseDiscovery: number;
  /** Holm's p is below 0.05. */
  real: boolean;
  /** True difference that these items would show with power 0.8, from the spread of the differences found. */
  minimumDetectableDifference: number;
}

/** The first item that the two models were not asked alike. */
export interface PromptDifference {
  key: string;
  /** Code unit at which the prompts part. */
  at: number;
  /** Some text of each from a little before that place. */
  a: string;
  b: string;
}

export interface Comparison {
  rows: readonly MetricComparison[];
  /** Items of one log alone. */
  onlyInA: number;
  onlyInB: number;
  /** Items whose prompts differ: not compared. */
  differentPrompts: number;
  firstDifferentPrompt: PromptDifference | null;
}

/**
 * Compares two sample logs item by item. Items are paired by key; those whose prompts differ are left out and counted.
 *
 * @throws {ConfigError} when the logs have no item in common
 */
export function compareSamples(a: Iterable<LoggedSample>, b: Iterable<LoggedSample>): Comparison {
  const [left, right] = [byKey(a), byKey(b)];
  const pairs: [LoggedAnswer, LoggedAnswer][] = [];
  let differentPrompts = 0;
  let firstDifferentPrompt: PromptDifference | null = null;
  for (const [key, ours] of left) {
    const theirs = right.get(key);
    if (theirs === undefined) continue;
    if (ours.prompt === theirs.prompt) {
      pairs.push([ours, theirs]);
      continue;
    }
    differentPrompts++;
    firstDifferentPrompt ??= promptDifference(ours, theirs);
  }
  const shared = pairs.length + differentPrompts;
  if (shared === 0) {
    throw new ConfigError(
      `compareSamples: ${left.size} and ${right.size} items, none of them in both. Evaluate both models on the same tasks, difficulty, shots and seed.`,
    );
  }
  const rows = grouped(pairs).map(([, group]) => compared(group));
  const [strict, lenient] = [holm(rows.map(({ pValue }) => pValue)), benjaminiHochberg(rows.map(({ pValue }) => pValue))];
  return {
    rows: rows.map((row, i) => ({ ...row, holm: strict[i]!, falseDiscovery: lenient[i]!, real: strict[i]! < 0.05 })),
    onlyInA: left.size - shared,
    onlyInB: right.size - shared,
    differentPrompts,
    firstDifferentPrompt,
  };
}

const byKey = (samples: Iterable<LoggedSample>): Map<string, LoggedAnswer> =>
  new Map([...samples].map(loggedAnswer).map((answer) => [answer.key, answer]));

interface Group {
  task: string;
  metric: string;
  a: number[];
  b: number[];
  clusters: (string | undefined)[];
}

function grouped(pairs: readonly [LoggedAnswer, LoggedAnswer][]): [string, Group][] {
  const groups = new Map<string, Group>();
  for (const [ours, theirs] of pairs) {
    for (const [metric, score] of Object.entries(ours.scores)) {
      const other = theirs.scores[metric];
      if (other === undefined) continue;
      const name = JSON.stringify([ours.task, metric]);
      const group = groups.get(name) ?? { task: ours.task, metric, a: [], b: [], clusters: [] };
      groups.set(name, group);
      group.a.push(score);
      group.b.push(other);
      group.clusters.push(ours.cluster);
    }
  }
  return [...groups];
}

function compared({ task, metric, a, b, clusters }: Group): Omit<MetricComparison, "holm" | "falseDiscovery" | "real"> {
  const isShared = clusters.every((name) => name !== undefined) && new Set(clusters).size < clusters.length;
  const names = isShared ? (clusters as string[]) : undefined;
  const isShare = [...a, ...b].every((score) => score >= 0 && score <= 1);
  // The t interval is too narrow for rates near 0 and 1, where small models are.
  const { mean, interval } = isShare ? boundedDifference(a, b, { clusters: names }) : pairedDifference(a, b, names);
  const isBinary = [...a, ...b].every((score) => score === 0 || score === 1);
  const test = isBinary && !isShared ? "McNemar" : "permutation";
  const counts = isBinary ? mcnemar(a.map(Boolean), b.map(Boolean)) : undefined;
  const average = (xs: readonly number[]) => xs.reduce((sum, x) => sum + x, 0) / xs.length;
  const differences = a.map((x, i) => x - b[i]!);
  const spread = Math.sqrt(differences.reduce((sum, d) => sum + (d - mean) ** 2, 0) / Math.max(1, differences.length - 1));
  return {
    task,
    metric,
    items: a.length,
    clusters: names === undefined ? null : new Set(names).size,
    a: average(a),
    b: average(b),
    difference: mean,
    interval,
    onlyA: counts?.onlyA ?? null,
    onlyB: counts?.onlyB ?? null,
    test,
    pValue: test === "McNemar" ? counts!.pValue : permutation(a, b, names),
    // Models that never disagree say nothing of the spread; one half of disagreement is the most cautious.
    minimumDetectableDifference: minimumDetectableDifference({
      standardDeviation: spread > 0 ? spread : Math.SQRT1_2,
      items: a.length,
    }),
  };
}

/** Over clusters, the sign of a cluster's whole difference is what is exchangeable. */
function permutation(a: readonly number[], b: readonly number[], clusters: readonly string[] | undefined): number {
  if (clusters === undefined) return pairedPermutation(a, b).pValue;
  const sums = (scores: readonly number[]): number[] => {
    const totals = new Map<string, number>();
    scores.forEach((score, i) => totals.set(clusters[i]!, (totals.get(clusters[i]!) ?? 0) + score));
    return [...totals.values()];
  };
  return pairedPermutation(sums(a), sums(b)).pValue;
}

function promptDifference(ours: LoggedAnswer, theirs: LoggedAnswer): PromptDifference {
  let at = 0;
  while (at < Math.min(ours.prompt.length, theirs.prompt.length) && ours.prompt[at] === theirs.prompt[at]) at++;
  const excerpt = (text: string) => text.slice(Math.max(0, at - 20), at + 40);
  return { key: ours.key, at, a: excerpt(ours.prompt), b: excerpt(theirs.prompt) };
}
