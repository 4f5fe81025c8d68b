/** Means of scores that cannot leave an interval, such as prefix accuracy, F1, or accuracy in clusters. */

import { ConfigError } from "@espalier/core";
import { normalQuantile, studentQuantile } from "./distributions.ts";
import { type Interval, wilson, wilsonOfShare } from "./intervals.ts";
import { clusteredEstimate, type Estimate, meanEstimate } from "./means.ts";

export interface BoundedOptions {
  /** Cluster of each score: items that share a passage, story or template. */
  clusters?: readonly (string | number)[];
  level?: number;
}

/** Units that carry the mean below which the spread found is not believed; from the simulations of decision 13. */
const FEW_UNITS = 8;

/**
 * Mean of scores in [0, 1] with the Wilson interval of an effective number of items `n / phi`. `phi` is the variance of the
 * mean, over clusters where there are any, against that of n right-or-wrong answers of the same mean:
 * `phi = se^2 n / (m (1 - m))`. It is 1 for right and wrong, below 1 for partial credit, above 1 where clusters are alike.
 *
 * A small phi is not believed where few units carry the mean: `phi^(1 - w)`, `w = (8 / (8 + e))^2`, `e = (sum x)^2 / sum x^2`
 * over units (the smaller of that of x and of 1 - x). The quantile is half way from the normal to Student's t.
 *
 * Right and wrong without clusters is {@link wilson} exactly. A t interval holds the truth in 45 % of sets of 30 skewed scores
 * near 0, this one in 93 % (`bench/coverage.bench.ts`).
 *
 * @param xs scores in [0, 1]
 * @throws {ConfigError} for no scores, scores outside [0, 1], or clusters that do not match
 * @see Korn & Graubard 1998, "Confidence intervals for proportions with small expected number of positive counts estimated
 *   from survey data", for the effective number; Dean & Pagano 2015 for Wilson's interval with it; the rule for few units is ours
 */
export function boundedEstimate(xs: readonly number[], { clusters, level = 0.95 }: BoundedOptions = {}): Estimate {
  const outside = xs.find((x) => !(x >= 0 && x <= 1));
  if (outside !== undefined) throw new ConfigError(`boundedEstimate: score is ${outside}, expected 0 to 1. Divide scores by the most that an item can earn.`);
  const { mean, standardError } = clusters === undefined ? meanEstimate(xs) : clusteredEstimate(xs, clusters);
  const n = xs.length;
  if (clusters === undefined && xs.every((x) => x === 0 || x === 1)) {
    return { mean, standardError, interval: wilson(xs.filter((x) => x === 1).length, n, level) };
  }
  const units = clusters === undefined ? xs.map((x) => [x, 1 - x] as const) : sumsOf(xs, clusters);
  if (units.length < 2) return { mean, standardError, interval: [Number.NaN, Number.NaN] };
  const most = mean * (1 - mean);
  const found = most > 0 ? (standardError ** 2 * n) / most : 1;
  const weight = (FEW_UNITS / (FEW_UNITS + Math.min(carriers(units.map(([x]) => x)), carriers(units.map(([, rest]) => rest))))) ** 2;
  const phi = found > 1 ? found : Math.max(found, 1e-9) ** (1 - weight);
  const z = normalQuantile((1 + level) / 2);
  const quantile = (z + studentQuantile((1 + level) / 2, units.length - 1)) / 2;
  return { mean, standardError, interval: clipped(wilsonOfShare(mean, n / phi, quantile)) };
}

/** How many units carry a sum: all n where they are equal, 1 where a single one is it; 0 for nothing. */
function carriers(xs: readonly number[]): number {
  const sum = xs.reduce((total, x) => total + x, 0);
  return sum === 0 ? 0 : sum ** 2 / xs.reduce((total, x) => total + x * x, 0);
}

/** Sums of x and of 1 - x over each cluster. */
function sumsOf(xs: readonly number[], clusters: readonly (string | number)[]): (readonly [number, number])[] {
  const sums = new Map<string | number, [number, number]>();
  xs.forEach((x, i) => {
    const [low, high] = sums.get(clusters[i]) ?? [0, 0];
    sums.set(clusters[i], [low + x, high + 1 - x]);
  });
  return [...sums.values()];
}

const clipped = ([low, high]: Interval): Interval => [Math.max(0, low), Math.min(1, high)];
