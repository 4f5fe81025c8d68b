/** Intervals for one proportion. All are of accuracy k / n in [0, 1]; `level` is the coverage, 0.95 unless given. */

import { ConfigError } from "@espalier/core";
import { betaQuantile, normalQuantile } from "./distributions.ts";

export type Interval = readonly [low: number, high: number];

function expectCount(where: string, k: number, n: number): void {
  if (!Number.isSafeInteger(n) || n < 1 || !Number.isSafeInteger(k) || k < 0 || k > n) {
    throw new ConfigError(`${where}: ${k} of ${n}, expected whole numbers with 0 <= k <= n and n >= 1. Pass counts, not shares.`);
  }
}

/**
 * Wilson score interval: `(p + z^2/2n +- z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n)`.
 *
 * @see Wilson 1927; Brown, Cai & DasGupta 2001, "Interval estimation for a binomial proportion"
 */
export function wilson(k: number, n: number, level = 0.95): Interval {
  expectCount("wilson", k, n);
  const [low, high] = wilsonOfShare(k / n, n, normalQuantile((1 + level) / 2));
  return [k === 0 ? 0 : low, k === n ? 1 : high];
}

/** Wilson's interval of a share `p` of `n` items, whole or effective, at the quantile `z`. */
export function wilsonOfShare(p: number, n: number, z: number): Interval {
  const centre = p + (z * z) / (2 * n);
  const half = z * Math.sqrt((p * (1 - p)) / n + (z * z) / (4 * n * n));
  const scale = 1 + (z * z) / n;
  return [(centre - half) / scale, (centre + half) / scale];
}

/** Equal-tailed credible interval of Beta(1 + k, 1 + n - k): a uniform prior. */
export function betaInterval(k: number, n: number, level = 0.95): Interval {
  expectCount("betaInterval", k, n);
  const tail = (1 - level) / 2;
  return [betaQuantile(tail, 1 + k, 1 + n - k), betaQuantile(1 - tail, 1 + k, 1 + n - k)];
}

/** Clopper-Pearson: never covers less than `level`, often more. */
export function clopperPearson(k: number, n: number, level = 0.95): Interval {
  expectCount("clopperPearson", k, n);
  const tail = (1 - level) / 2;
  return [k === 0 ? 0 : betaQuantile(tail, k, n - k + 1), k === n ? 1 : betaQuantile(1 - tail, k + 1, n - k)];
}

/** Upper 95 % bound of an event that did not happen in n trials: `3 / n` (exact: `1 - 0.05^(1/n)`). */
export function ruleOfThree(n: number): { approximate: number; exact: number } {
  expectCount("ruleOfThree", 0, n);
  return { approximate: Math.min(1, 3 / n), exact: -Math.expm1(Math.log(0.05) / n) };
}
