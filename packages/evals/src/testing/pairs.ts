/** Exact coverage of intervals for two models on the same right-or-wrong items, by adding up all outcomes. */

import { tango } from "../statistics/comparison.ts";
import { jeffreysDifference } from "../statistics/disagreements.ts";
import { logGamma, normalQuantile } from "../statistics/distributions.ts";
import type { Interval } from "../statistics/intervals.ts";

/** Interval of the difference of two rates from the items that only the first and only the second model has right. */
export type PairRule = (onlyA: number, onlyB: number, n: number) => Interval;

/**
 * Wald's interval of the difference with observations added.
 *
 * @see Agresti & Min 2005, "Simple improved confidence intervals for comparing matched proportions": half a one to each of four cells;
 *   Bonett & Price 2012, "Adjusted Wald confidence interval for a difference of binomial proportions based on paired data": one to each
 *   kind of disagreement
 */
const wald = (each: number): PairRule => (onlyA, onlyB, n) => {
  const [a, b] = [(onlyA + each) / (n + 2), (onlyB + each) / (n + 2)];
  const half = normalQuantile(0.975) * Math.sqrt((a + b - (a - b) ** 2) / (n + 2));
  return [a - b - half, a - b + half];
};

export const pairRules: readonly (readonly [string, PairRule])[] = [
  ["Tango", (onlyA, onlyB, n) => tango(onlyA, onlyB, n, normalQuantile(0.975))],
  ["Bonett-Price", wald(1)],
  ["Agresti-Min", wald(0.5)],
  ["Jeffreys", jeffreysDifference],
];

/** Every number of items that only the first and only the second model has right, with its probability. */
export function trinomial(n: number, a: number, b: number): { onlyA: number; onlyB: number; mass: number }[] {
  const logFactorials = Array.from({ length: n + 1 }, (_, k) => logGamma(k + 1));
  const [logA, logB, logSame] = [Math.log(a), Math.log(b), Math.log(1 - a - b)];
  const outcomes: { onlyA: number; onlyB: number; mass: number }[] = [];
  for (let i = 0; i <= n; i++) {
    for (let j = 0; i + j <= n; j++) {
      const logMass = logFactorials[n] - logFactorials[i] - logFactorials[j] - logFactorials[n - i - j] + i * logA + j * logB + (n - i - j) * logSame;
      outcomes.push({ onlyA: i, onlyB: j, mass: Math.exp(logMass) });
    }
  }
  return outcomes;
}

const RATES = [0.0005, 0.003, 0.006, 0.01, 0.015, 0.02, 0.03, 0.04, 0.05, 0.06, 0.07, 0.08, 0.09, 0.1, 0.12, 0.14, 0.17, 0.2, 0.25, 0.3, 0.35, 0.4];
/** Pairs of rates at which only one of two models is right, the smaller first. */
export const pairRates: readonly (readonly [number, number])[] = RATES.flatMap((a) => RATES.filter((b) => b >= a).map((b) => [a, b] as const));

/** Probability that the interval of n items holds the true difference, at each pair of rates; all of {@link pairRates} unless given. */
export function pairCoverages(rule: PairRule, n: number, rates: readonly (readonly [number, number])[] = pairRates): number[] {
  const intervals = new Map<number, Interval>();
  const intervalOf = (onlyA: number, onlyB: number): Interval => {
    const key = onlyA * (n + 1) + onlyB;
    const known = intervals.get(key) ?? rule(onlyA, onlyB, n);
    intervals.set(key, known);
    return known;
  };
  return rates.map(([a, b]) =>
    trinomial(n, a, b).reduce((sum, { onlyA, onlyB, mass }) => {
      const [low, high] = intervalOf(onlyA, onlyB);
      return low <= a - b && a - b <= high ? sum + mass : sum;
    }, 0),
  );
}
