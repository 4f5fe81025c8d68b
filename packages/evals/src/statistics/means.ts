/** Means with their standard errors: independent, clustered, paired. */

import { ConfigError } from "@espalier/core";
import { studentQuantile } from "./distributions.ts";
import type { Interval } from "./intervals.ts";

export interface Estimate {
  mean: number;
  standardError: number;
  /** Of Student's t unless the function says otherwise; NaN where there are fewer than two independent units. */
  interval: Interval;
}

const average = (xs: readonly number[]): number => xs.reduce((sum, x) => sum + x, 0) / xs.length;

function expectScores(where: string, xs: readonly number[]): void {
  if (xs.length === 0) throw new ConfigError(`${where}: no scores, expected at least one. Pass the scores of the items.`);
}

function tInterval(mean: number, standardError: number, df: number, level: number): Interval {
  if (df < 1) return [Number.NaN, Number.NaN];
  const half = studentQuantile((1 + level) / 2, df) * standardError;
  return [mean - half, mean + half];
}

/** Mean of independent scores: `se = sd / sqrt(n)` with n - 1 in the variance. */
export function meanEstimate(xs: readonly number[], level = 0.95): Estimate {
  expectScores("meanEstimate", xs);
  const n = xs.length;
  const mean = average(xs);
  const variance = xs.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (n - 1);
  const standardError = Math.sqrt(variance / n);
  return { mean, standardError, interval: tInterval(mean, standardError, n - 1, level) };
}

/**
 * Mean of scores that share a passage, story or template within clusters:
 * `se = sqrt(sum_c (sum_{i in c} (s_i - mean))^2 * C/(C-1)) / n`, t with C - 1 degrees of freedom.
 *
 * @param clusters cluster name of each score
 * @see Miller 2024, arXiv:2411.00640, section 2.2; finite-cluster factor as in Inspect
 */
export function clusteredEstimate(xs: readonly number[], clusters: readonly (string | number)[], level = 0.95): Estimate {
  expectScores("clusteredEstimate", xs);
  if (clusters.length !== xs.length) {
    throw new ConfigError(`clusteredEstimate: ${clusters.length} clusters for ${xs.length} scores, expected one a score.`);
  }
  const mean = average(xs);
  const sums = new Map<string | number, number>();
  xs.forEach((x, i) => sums.set(clusters[i], (sums.get(clusters[i]) ?? 0) + x - mean));
  const C = sums.size;
  const squares = [...sums.values()].reduce((sum, s) => sum + s * s, 0);
  const standardError = Math.sqrt((squares * C) / (C - 1)) / xs.length;
  return { mean, standardError, interval: tInterval(mean, standardError, C - 1, level) };
}

export interface PairedEstimate extends Estimate {
  /** Pearson correlation of the two models' scores; NaN when one of them is constant. */
  correlation: number;
}

/** Difference a - b of two models on the same items: `d_i = a_i - b_i`, clustered when clusters are given. */
export function pairedDifference(a: readonly number[], b: readonly number[], clusters?: readonly (string | number)[], level = 0.95): PairedEstimate {
  expectPairs("pairedDifference", a, b);
  const d = a.map((x, i) => x - b[i]);
  const estimate = clusters === undefined ? meanEstimate(d, level) : clusteredEstimate(d, clusters, level);
  const [ma, mb] = [average(a), average(b)];
  const covariance = a.reduce((sum, x, i) => sum + (x - ma) * (b[i] - mb), 0);
  const spread = (xs: readonly number[], m: number) => xs.reduce((sum, x) => sum + (x - m) ** 2, 0);
  return { ...estimate, correlation: covariance / Math.sqrt(spread(a, ma) * spread(b, mb)) };
}

/** Two models answered the same items. */
export function expectPairs(where: string, a: readonly unknown[], b: readonly unknown[]): void {
  if (a.length !== b.length || a.length === 0) {
    throw new ConfigError(`${where}: ${a.length} and ${b.length} scores, expected the same items for both. Evaluate both on one set.`);
  }
}

/** Average of a suite: mean of task means, `se = sqrt(sum se_t^2) / T`, with a normal interval. */
export function suiteAverage(parts: readonly { mean: number; standardError: number }[]): { mean: number; standardError: number } {
  return {
    mean: average(parts.map((part) => part.mean)),
    standardError: Math.sqrt(parts.reduce((sum, { standardError }) => sum + standardError ** 2, 0)) / parts.length,
  };
}

/** Score above chance: `(accuracy - chance) / (1 - chance)`; 0 is guessing, 1 is perfect. */
export const aboveChance = (accuracy: number, chance: number): number => (accuracy - chance) / (1 - chance);
