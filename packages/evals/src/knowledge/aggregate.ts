/** From scores of documents to the numbers of a table, with the standard errors that lm-evaluation-harness prints. */

import { type PythonRandom, pythonRandom } from "../python/random.ts";
import type { DocScore, MetricName } from "./metrics.ts";

export type AggregationName = "mean" | "perplexity" | "weighted_perplexity" | "bits_per_byte" | "f1" | "f1_three" | "mcc" | "all_right";

const mean = (xs: readonly number[]): number => xs.reduce((sum, x) => sum + x, 0) / xs.length;
const sums = (pairs: readonly (readonly number[])[]): [number, number] => [pairs.reduce((s, [a]) => s + a, 0), pairs.reduce((s, [, b]) => s + b, 0)];

/** F1 of "is class k" over pairs (gold, predicted); 0 where nothing is either. */
function f1Of(pairs: readonly (readonly number[])[], k: number): number {
  const both = pairs.filter(([gold, pick]) => gold === k && pick === k).length;
  const either = pairs.filter(([gold]) => gold === k).length + pairs.filter(([, pick]) => pick === k).length;
  return either === 0 ? 0 : (2 * both) / either;
}

/** Matthews correlation of pairs (gold, predicted), any number of classes; 0 where a side is constant. */
function mccOf(pairs: readonly (readonly number[])[]): number {
  const n = pairs.length;
  const classes = [...new Set(pairs.flat())];
  const golds = classes.map((k) => pairs.filter(([gold]) => gold === k).length);
  const picks = classes.map((k) => pairs.filter(([, pick]) => pick === k).length);
  const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, x, i) => sum + x * b[i], 0);
  const right = pairs.filter(([gold, pick]) => gold === pick).length;
  const spread = (n * n - dot(picks, picks)) * (n * n - dot(golds, golds));
  return spread === 0 ? 0 : (right * n - dot(golds, picks)) / Math.sqrt(spread);
}

/**
 * Of pairs (group, right or wrong), 1 for each group in which all are right, 0 for the others, in the order in which groups
 * first occur.
 */
export function allRightByGroup(pairs: readonly (readonly number[])[]): number[] {
  const groups = new Map<number, number>();
  for (const [group, right] of pairs) groups.set(group, Math.min(groups.get(group) ?? 1, right));
  return [...groups.values()];
}

const aggregations: Record<AggregationName, (scores: readonly DocScore[]) => number> = {
  mean: (scores) => mean(scores as readonly number[]),
  perplexity: (scores) => Math.exp(-mean(scores as readonly number[])),
  weighted_perplexity: (scores) => {
    const [ll, weight] = sums(scores as readonly (readonly number[])[]);
    return Math.exp(-ll / weight);
  },
  bits_per_byte: (scores) => {
    const [ll, bytes] = sums(scores as readonly (readonly number[])[]);
    return -ll / (bytes * Math.LN2);
  },
  f1: (scores) => f1Of(scores as readonly (readonly number[])[], 1),
  f1_three: (scores) => mean([0, 1, 2].map((k) => f1Of(scores as readonly (readonly number[])[], k))),
  mcc: (scores) => mccOf(scores as readonly (readonly number[])[]),
  all_right: (scores) => mean(allRightByGroup(scores as readonly (readonly number[])[])),
};

const natural: Partial<Record<MetricName, AggregationName>> = {
  perplexity: "perplexity",
  word_perplexity: "weighted_perplexity",
  byte_perplexity: "weighted_perplexity",
  bits_per_byte: "bits_per_byte",
  f1: "f1",
  mcc: "mcc",
};

/** How a metric is aggregated when its task does not say. */
export const aggregationOf = (metric: MetricName): AggregationName => natural[metric] ?? "mean";

/** Whether more is better, when the task does not say. */
export const isHigherBetter = (metric: MetricName): boolean => !["perplexity", "word_perplexity", "byte_perplexity", "bits_per_byte", "brier_score"].includes(metric);

/** Whether the metric is a share between 0 and 1 by its definition. */
export const isShareMetric = (metric: MetricName): boolean => /^(acc|exact_match|f1|em$|mc[12])/.test(metric);

/** The value of a metric over documents. */
export const aggregate = (name: AggregationName, scores: readonly DocScore[]): number => aggregations[name](scores);

/** Sample standard deviation over n - 1. */
function deviation(xs: readonly number[]): number {
  const m = mean(xs);
  return Math.sqrt(xs.reduce((sum, x) => sum + (x - m) ** 2, 0) / (xs.length - 1));
}

/**
 * Standard error from resampling, draw for draw as lm-evaluation-harness: chunks of up to 1,000 replicates, chunk i
 * drawn by `Random(i)`; the deviation of all replicates.
 */
export function bootstrapStandardError(of: (scores: readonly DocScore[]) => number, scores: readonly DocScore[], iterations: number): number {
  return deviation(replicates(iterations, (generator) => of(generator.choices(scores, scores.length))));
}

function replicates(iterations: number, draw: (generator: PythonRandom) => number): number[] {
  const chunk = Math.min(1000, iterations);
  return Array.from({ length: Math.floor(iterations / chunk) }, (_, i) => {
    const generator = pythonRandom(i);
    return Array.from({ length: chunk }, () => draw(generator));
  }).flat();
}

/** The same for a function of the mean, without a list of each replicate: LAMBADA draws 500 million scores. */
function bootstrapOfMean(of: (mean: number) => number, scores: readonly number[], iterations: number): number {
  const values = Float64Array.from(scores);
  const draw = ({ random }: PythonRandom) => {
    let sum = 0;
    for (let k = 0; k < values.length; k++) sum += values[Math.floor(random() * values.length)];
    return of(sum / values.length);
  };
  return deviation(replicates(iterations, draw));
}

/**
 * Standard error as lm-evaluation-harness prints it: `sd / sqrt(n)` for means, bootstrap for statistics that are no
 * mean, none for weighted perplexity and bits per byte. Of `all_right`, which it lacks, that of a mean over groups.
 */
export function standardError(name: AggregationName, scores: readonly DocScore[], bootstrapIterations: number): number | null {
  if (name === "all_right") return standardError("mean", allRightByGroup(scores as readonly (readonly number[])[]), bootstrapIterations);
  if (scores.length < 2) return null;
  if (name === "mean") return deviation(scores as readonly number[]) / Math.sqrt(scores.length);
  if (name === "weighted_perplexity" || name === "bits_per_byte" || bootstrapIterations < 2) return null;
  if (name === "perplexity") return bootstrapOfMean((mean) => Math.exp(-mean), scores as readonly number[], bootstrapIterations);
  return bootstrapStandardError(aggregations[name], scores, bootstrapIterations);
}

/**
 * Standard error of a group: `sqrt( sum (n_i - 1) n_i se_i^2 / (sum n_i - K) / sum n_i )`. It pools variances and
 * knows nothing of the spread between tasks; {@link clusteredEstimate} over tasks does.
 */
export function pooledStandardError(errors: readonly number[], sizes: readonly number[]): number {
  const total = sizes.reduce((sum, n) => sum + n, 0);
  const pooled = sizes.reduce((sum, n, i) => sum + (n - 1) * n * errors[i] ** 2, 0) / (total - sizes.length);
  return Math.sqrt(pooled / total);
}
