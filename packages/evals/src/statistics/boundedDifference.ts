/** Paired differences of scores that cannot leave [0, 1], each item alone or in clusters. */

import { type BoundedOptions, expectShares } from "./bounded.ts";
import { carriers, clusterSpreads, clusterSums, correlationPosterior, doubt, mixtureQuantile, type Spread } from "./clusters.ts";
import { jeffreysDifference } from "./disagreements.ts";
import { normalQuantile } from "./distributions.ts";
import type { Interval } from "./intervals.ts";
import { type PairedEstimate, pairedDifference } from "./means.ts";

/** Disagreements that carry the difference below which their size is not believed; from the simulations of decision 13. */
const FEW_DISAGREEMENTS = 4.5;

/**
 * Difference a - b of two models' scores in [0, 1] on the same items, with Jeffreys' interval of effective disagreements.
 *
 * Items differ by `mu = (v + delta^2) / mean |d|`, v the variance of d: 1 where all scores are right or wrong. In units of mu, the
 * `sum d+ / mu` points that only a has and the `sum d- / mu` that only b has are counts of disagreements with the variance found;
 * their interval, times mu, is that of the difference. A small mu is not believed where few items carry the difference:
 * `mu^(1 - w)`, `w = (4.5 / (4.5 + e))^2`, `e = (sum |d|)^2 / sum d^2`.
 *
 * Few items, and clusters, make the quantile q larger than the normal's z: half way to Student's t, and that of a mixture over the
 * intraclass correlation as in {@link boundedEstimate}. All counts are then worth `(z / q)^2` of themselves.
 *
 * Right and wrong without clusters is {@link pairedProportions} exactly.
 *
 * @throws {ConfigError} for scores outside [0, 1], or scores and clusters that do not match
 * @see {@link jeffreysDifference}; Korn & Graubard 1998 for effective counts. Their union and the rule for few units are ours.
 */
export function boundedDifference(a: readonly number[], b: readonly number[], { clusters, level = 0.95 }: BoundedOptions = {}): PairedEstimate {
  expectShares("boundedDifference", a);
  expectShares("boundedDifference", b);
  const estimate = pairedDifference(a, b, clusters, level);
  const n = a.length;
  const differences = a.map((x, i) => x - b[i]);
  if (clusters === undefined && differences.every(Number.isInteger)) {
    return { ...estimate, interval: jeffreysDifference(differences.filter((d) => d > 0).length, differences.filter((d) => d < 0).length, n, level) };
  }
  const alone: Spread[] = [{ ratio: 1, weight: 1 }];
  const size = disagreementSize(differences);
  const units = clusters === undefined ? n : new Set(clusters).size;
  if (units < 2) return { ...estimate, interval: [Number.NaN, Number.NaN] };
  const spreads = clusters === undefined ? alone : spreadsOver(differences, clusters, size, estimate.standardError);
  const sum = (sign: number) => differences.reduce((total, d) => total + Math.max(0, sign * d), 0) / size;
  const worth = (normalQuantile((1 + level) / 2) / mixtureQuantile(spreads, units, level)) ** 2;
  const [low, high] = jeffreysDifference(sum(1) * worth, sum(-1) * worth, n * worth, level);
  const interval: Interval = [Math.max(-1, size * low), Math.min(1, size * high)];
  return { ...estimate, interval };
}

/** mu: by how much a score differs where two models disagree. */
function disagreementSize(differences: readonly number[]): number {
  const n = differences.length;
  const whole = differences.reduce((sum, d) => sum + Math.abs(d), 0);
  if (whole === 0 || n < 2) return 1;
  const mean = differences.reduce((sum, d) => sum + d, 0) / n;
  const variance = differences.reduce((sum, d) => sum + (d - mean) ** 2, 0) / (n - 1);
  const found = Math.min(1, ((variance + mean ** 2) * n) / whole);
  // Never below the difference itself: more disagreements than items cannot be.
  return Math.max(found, whole / n) ** (1 - doubt(carriers(differences), FEW_DISAGREEMENTS));
}

function spreadsOver(differences: readonly number[], clusters: readonly (string | number)[], size: number, standardError: number): Spread[] {
  const n = differences.length;
  const sums = clusterSums(clusters, differences.map((d) => Math.max(0, d) / size), differences.map((d) => Math.max(0, -d) / size), differences.map(() => 1));
  const shares = [0, 1].map((k) => (sums.reduce((total, sum) => total + sum[k], 0) + 0.5) / (n + 1.5));
  const none = Math.max(0.5 / (n + 1.5), 1 - shares[0] - shares[1]);
  const posterior = correlationPosterior(sums.map(([onlyA, onlyB, items]) => [onlyA, onlyB, Math.max(0, items - onlyA - onlyB)]), [...shares, none]);
  const items = sums.reduce((total, [, , each]) => total + each ** 2, 0) / n;
  const mean = differences.reduce((total, d) => total + d, 0) / n;
  const variance = differences.reduce((total, d) => total + (d - mean) ** 2, 0) / (n - 1);
  const disbelief = doubt(carriers(sums.map(([onlyA, onlyB]) => onlyA - onlyB)));
  const found = variance > 0 ? (standardError ** 2 * n) / variance : undefined;
  return clusterSpreads(posterior, items, found, disbelief);
}
