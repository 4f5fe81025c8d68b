/** Which differences are real: tests of two models, corrections for many of them, and what a set could show at all. */

import { random } from "@espalier/core";
import { jeffreysDifference } from "./disagreements.ts";
import { binomialTest, fisherTest, invert, normalQuantile } from "./distributions.ts";
import { type Interval, wilson } from "./intervals.ts";
import { expectPairs } from "./means.ts";

export interface McNemar {
  onlyA: number;
  onlyB: number;
  /** Exact two-sided: `onlyA` of `onlyA + onlyB` against one half. 1 when the models never disagree. */
  pValue: number;
}

/** McNemar's exact test of two models on the same items, from their 0/1 scores. */
export function mcnemar(a: readonly boolean[], b: readonly boolean[]): McNemar {
  expectPairs("mcnemar", a, b);
  const onlyA = a.filter((right, i) => right && !b[i]).length;
  const onlyB = b.filter((right, i) => right && !a[i]).length;
  return { onlyA, onlyB, pValue: onlyA + onlyB === 0 ? 1 : binomialTest(onlyA, onlyA + onlyB, 0.5) };
}

export interface PermutationOptions {
  /** Default 10,000. Every assignment of signs is enumerated when there are no more than this many. */
  iterations?: number;
  seed?: number | string;
}

/**
 * Paired permutation test of any scores: the sign of each difference is exchangeable under no difference. Two-sided
 * p value: exact over all assignments, or `(1 + extreme) / (1 + iterations)` from seeded draws.
 */
export function pairedPermutation(a: readonly number[], b: readonly number[], { iterations = 10_000, seed = 1 }: PermutationOptions = {}): { pValue: number; exact: boolean } {
  expectPairs("pairedPermutation", a, b);
  const d = a.map((x, i) => x - b[i]).filter((x) => x !== 0);
  const observed = Math.abs(d.reduce((sum, x) => sum + x, 0)) * (1 - 1e-12); // equal sums in another order count as equal
  const exact = 2 ** d.length <= iterations;
  const draws = exact ? 2 ** d.length : iterations;
  const stream = random(seed, "evals/pairedPermutation");
  const words = Math.ceil(d.length / 32);
  let extreme = 0;
  for (let k = 0; k < draws; k++) {
    let sum = 0;
    for (let word = 0; word < words; word++) {
      const bits = exact ? k : stream.bits(k * words + word);
      for (let i = 32 * word; i < Math.min(d.length, 32 * word + 32); i++) sum += (bits >>> (i % 32)) & 1 ? d[i] : -d[i];
    }
    if (Math.abs(sum) >= observed) extreme++;
  }
  return { pValue: exact ? extreme / draws : (1 + extreme) / (1 + draws), exact };
}

export interface ProportionDifference {
  /** First minus second proportion. */
  difference: number;
  interval: Interval;
  /** Two-sided, of an exact test. */
  pValue: number;
}

/**
 * Two proportions without pairing: for published scores, where the answers to single items are unknown. If both models
 * answered the same items, this is conservative. Newcombe's interval from the two Wilson intervals, Fisher's exact p value.
 *
 * @see Newcombe 1998, "Interval estimation for the difference between independent proportions", method 10
 */
export function proportionDifference(k1: number, n1: number, k2: number, n2: number, level = 0.95): ProportionDifference {
  const [p1, p2] = [k1 / n1, k2 / n2];
  const [low1, high1] = wilson(k1, n1, level);
  const [low2, high2] = wilson(k2, n2, level);
  const difference = p1 - p2;
  return {
    difference,
    interval: [difference - Math.hypot(p1 - low1, high2 - p2), difference + Math.hypot(high1 - p1, p2 - low2)],
    pValue: fisherTest(k1, n1, k2, n2),
  };
}

/**
 * Difference of two models' accuracies on the same items, with the interval of {@link jeffreysDifference}. It holds for few items and
 * rates near 0 or 1, where the t interval of `pairedDifference` does not. The p value is McNemar's.
 */
export function pairedProportions(a: readonly boolean[], b: readonly boolean[], level = 0.95): ProportionDifference {
  const { onlyA, onlyB, pValue } = mcnemar(a, b);
  return { difference: (onlyA - onlyB) / a.length, interval: jeffreysDifference(onlyA, onlyB, a.length, level), pValue };
}

/**
 * Tango's score interval from the disagreements among n items at the quantile z: all differences d that
 * `|onlyA - onlyB - n d| <= z sqrt(n (2 q + d (1 - d)))` does not reject, q the likeliest share of items that only the second has right
 * under d. Wider than {@link jeffreysDifference}; kept to compare with.
 *
 * @see Tango 1998, "Equivalence test and confidence interval for the difference in proportions for the paired-sample design"
 */
export function tango(onlyA: number, onlyB: number, n: number, z: number): Interval {
  const difference = (onlyA - onlyB) / n;
  /** Rises with d: standard errors from the difference found. */
  const errors = (d: number): number => {
    const linear = -onlyA - onlyB + (2 * n - onlyA + onlyB) * d;
    const q = (Math.sqrt(Math.max(0, linear ** 2 + 8 * n * onlyB * d * (1 - d))) - linear) / (4 * n);
    const distance = n * d - onlyA + onlyB;
    const variance = n * (2 * q + d * (1 - d));
    return variance > 0 ? distance / Math.sqrt(variance) : Math.sign(distance) * Infinity;
  };
  return [difference <= -1 ? -1 : invert(errors, -z, -1, difference), difference >= 1 ? 1 : invert(errors, z, difference, 1)];
}

/** Adjusted p values that keep the chance of any false finding (Holm 1979), in the order given. */
export function holm(pValues: readonly number[]): number[] {
  const order = pValues.map((_, i) => i).sort((i, j) => pValues[i] - pValues[j]);
  const adjusted = Array<number>(pValues.length);
  let running = 0;
  order.forEach((i, rank) => {
    running = Math.max(running, Math.min(1, (pValues.length - rank) * pValues[i]));
    adjusted[i] = running;
  });
  return adjusted;
}

/** Adjusted p values that keep the share of false findings (Benjamini & Hochberg 1995), in the order given. */
export function benjaminiHochberg(pValues: readonly number[]): number[] {
  const m = pValues.length;
  const order = pValues.map((_, i) => i).sort((i, j) => pValues[j] - pValues[i]);
  const adjusted = Array<number>(m);
  let running = 1;
  order.forEach((i, rank) => {
    running = Math.min(running, (m / (m - rank)) * pValues[i]);
    adjusted[i] = running;
  });
  return adjusted;
}

export interface PowerOptions {
  /** Standard deviation of one item's (difference in) score; 0.5 is the most a 0/1 score can have. */
  standardDeviation: number;
  items: number;
  /** Two-sided error of the first kind. Default 0.05. */
  alpha?: number;
  /** Default 0.8. */
  power?: number;
}

/**
 * Smallest true difference that a set shows with the stated power:
 * `delta = (z_{1-alpha/2} + z_{power}) * sd / sqrt(n)`.
 *
 * @see Miller 2024, arXiv:2411.00640, section 5
 */
export function minimumDetectableDifference({ standardDeviation, items, alpha = 0.05, power = 0.8 }: PowerOptions): number {
  return ((normalQuantile(1 - alpha / 2) + normalQuantile(power)) * standardDeviation) / Math.sqrt(items);
}
