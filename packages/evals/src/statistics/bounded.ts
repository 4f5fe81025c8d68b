/** Means of scores that cannot leave an interval, such as prefix accuracy, F1, or accuracy in clusters. */

import { ConfigError } from "@espalier/core";
import { carriers, clusterSpreads, clusterSums, correlationPosterior, doubt, mixtureQuantile } from "./clusters.ts";
import { normalQuantile, studentQuantile } from "./distributions.ts";
import { type Interval, wilson, wilsonOfShare } from "./intervals.ts";
import { clusteredEstimate, type Estimate, meanEstimate } from "./means.ts";

export interface BoundedOptions {
  /** Cluster of each score: items that share a passage, story or template. */
  clusters?: readonly (string | number)[];
  level?: number;
}

/**
 * Mean of scores in [0, 1] with the Wilson interval of an effective number of items `n / phi`. `phi` is the variance of the
 * mean against that of n right-or-wrong answers of the same mean, `phi = se^2 n / (m (1 - m))`: 1 for right and wrong, below 1 for
 * partial credit, above 1 where clusters are alike.
 *
 * A small phi is not believed where few units carry the mean: `phi^(1 - w)`, `w = (8 / (8 + e))^2`, `e = (sum x)^2 / sum x^2`
 * over units (the smaller of that of x and of 1 - x). The quantile is half way from the normal to Student's t.
 *
 * Over clusters, phi is not one number: for each intraclass correlation rho it is `(1 + (m - 1) rho)^w phi^(1 - w)`, m the size of
 * the clusters, and the interval is that of the mixture over the posterior of rho ({@link correlationPosterior}). So 30 wrong
 * answers to three passages are three observations, until the passages show that their items differ.
 *
 * Right and wrong without clusters is {@link wilson} exactly. A t interval holds the truth in 45 % of sets of 30 skewed scores
 * near 0, this one in 93 % (`bench/coverage.bench.ts`).
 *
 * @param xs scores in [0, 1]
 * @throws {ConfigError} for no scores, scores outside [0, 1], or clusters that do not match
 * @see Korn & Graubard 1998, "Confidence intervals for proportions with small expected number of positive counts estimated
 *   from survey data", for the effective number; Dean & Pagano 2015 and Saha, Miller & Wang 2016 for Wilson's interval with it
 *   over clusters; Williams 1975 for the likelihood of rho. The rule for few units is ours.
 */
export function boundedEstimate(xs: readonly number[], { clusters, level = 0.95 }: BoundedOptions = {}): Estimate {
  expectShares("boundedEstimate", xs);
  const { mean, standardError } = clusters === undefined ? meanEstimate(xs) : clusteredEstimate(xs, clusters);
  const n = xs.length;
  if (clusters === undefined) {
    if (xs.every((x) => x === 0 || x === 1)) return { mean, standardError, interval: wilson(xs.filter((x) => x === 1).length, n, level) };
    if (n < 2) return { mean, standardError, interval: [Number.NaN, Number.NaN] };
    const z = normalQuantile((1 + level) / 2);
    const quantile = (z + studentQuantile((1 + level) / 2, n - 1)) / 2;
    return { mean, standardError, interval: within(mean, wilsonOfShare(mean, n / itemRatio(xs), quantile)) };
  }
  const sums = clusterSums(clusters, xs, xs.map((x) => 1 - x));
  if (sums.length < 2) return { mean, standardError, interval: [Number.NaN, Number.NaN] };
  // Partial credit varies less than right and wrong of the same mean, as if there were more items.
  const single = itemRatio(xs);
  const share = (mean * n + 1) / (n + 2);
  const posterior = correlationPosterior(sums.map((sum) => sum.map((x) => x / single)), [share, 1 - share]);
  const size = sums.reduce((sum, [right, wrong]) => sum + (right + wrong) ** 2, 0) / n;
  const most = mean * (1 - mean);
  const disbelief = doubt(Math.min(carriers(sums.map(([right]) => right)), carriers(sums.map(([, wrong]) => wrong))));
  const found = most > 0 ? (standardError ** 2 * n) / most / single : undefined;
  const quantile = mixtureQuantile(clusterSpreads(posterior, size / single, found, disbelief), sums.length, level);
  return { mean, standardError, interval: within(mean, wilsonOfShare(mean, n / single, quantile)) };
}

/** Variance of the mean of scores that stand alone against right and wrong; a small one is not believed where few carry the mean. */
function itemRatio(xs: readonly number[]): number {
  const n = xs.length;
  const { mean, standardError } = meanEstimate(xs);
  const most = mean * (1 - mean);
  if (n < 2 || most <= 0) return 1;
  const found = (standardError ** 2 * n) / most;
  if (found > 1) return xs.every((x) => x === 0 || x === 1) ? 1 : found;
  const disbelief = doubt(Math.min(carriers(xs), carriers(xs.map((x) => 1 - x))));
  return Math.max(found, 1e-9) ** (1 - disbelief);
}

export function expectShares(where: string, xs: readonly number[]): void {
  const outside = xs.find((x) => !(x >= 0 && x <= 1));
  if (outside !== undefined) throw new ConfigError(`${where}: score is ${outside}, expected 0 to 1. Divide scores by the most that an item can earn.`);
}

/** Rounding leaves no mean of 0 or 1 outside its interval. */
const within = (mean: number, [low, high]: Interval): Interval => [mean === 0 ? 0 : Math.max(0, low), mean === 1 ? 1 : Math.min(1, high)];
