/** How often the 95 % intervals hold the truth, in simulation. */

import { random, type RandomSequence } from "@espalier/core";
import { boundedEstimate } from "../statistics/bounded.ts";
import { boundedDifference } from "../statistics/boundedDifference.ts";
import { mcnemar, proportionDifference } from "../statistics/comparison.ts";
import { binomialPmf, invert } from "../statistics/distributions.ts";
import { betaInterval, clopperPearson, type Interval, wilson } from "../statistics/intervals.ts";
import { clusteredEstimate, meanEstimate, pairedDifference } from "../statistics/means.ts";
import { pairRules, trinomial } from "./pairs.ts";

export interface CoverageCase {
  name: string;
  /** Interval of one simulated set of n items, and the value it should hold. */
  simulate(draw: RandomSequence, n: number, p: number): { interval: Interval; truth: number };
  /** Probabilities of all outcomes that the interval can tell apart, where they can be listed. */
  outcomes?(n: number, p: number): number[];
}

const hit = (draw: RandomSequence, p: number) => draw.uniform() < p;
const scores = (draw: RandomSequence, n: number, p: number) => Array.from({ length: n }, () => (hit(draw, p) ? 1 : 0));
const count = (draw: RandomSequence, n: number, p: number) => scores(draw, n, p).reduce<number>((sum, x) => sum + x, 0);

const counts = (n: number, p: number) => Array.from({ length: n + 1 }, (_, k) => binomialPmf(k, n, p));

/** Rate of the second of two models: 5 points better, or worse where there is no room. */
const otherRate = (p: number) => (p <= 0.95 ? p + 0.05 : p - 0.05);
/** Share of items that two models take alike. */
const ALIKE = 0.6;

/** How often only the first and only the second of two models is right. */
export function disagreementRates(p: number): [onlyA: number, onlyB: number] {
  const other = otherRate(p);
  return [ALIKE * Math.max(0, p - other) + (1 - ALIKE) * p * (1 - other), ALIKE * Math.max(0, other - p) + (1 - ALIKE) * (1 - p) * other];
}

/** Probabilities of every number of items that only the first and only the second has right. */
const disagreements = (n: number, p: number): number[] => trinomial(n, ...disagreementRates(p)).map(({ mass }) => mass);

/** Steps of a procedure; each is right with the rate that gives prefix accuracy p. */
const STEPS = 6;
const stepRates = new Map<number, number>();
function stepRate(p: number): number {
  const mean = (rate: number) => Array.from({ length: STEPS }, (_, k) => rate ** (k + 1)).reduce((sum, x) => sum + x, 0) / STEPS;
  const known = stepRates.get(p) ?? invert(mean, p, 0, 1);
  stepRates.set(p, known);
  return known;
}

/** Score of one item from uniform numbers, with mean p. */
type Scoring = (uniforms: readonly number[], p: number) => number;
const right: Scoring = ([u], p) => (u < p ? 1 : 0);
const partialCredit: Readonly<Record<string, Scoring>> = {
  // E[u^a] = 1 / (1 + a): the most skewed of the four
  "power of a uniform": ([u], p) => u ** ((1 - p) / p),
  // as many ones as carry half of the mean, uniform scores for the other half, the rest 0; turned round above one half
  F1: ([u, v], p) => {
    const small = Math.min(p, 1 - p);
    const score = u < small / 2 ? 1 : u < 1.5 * small ? v : 0;
    return p <= 0.5 ? score : 1 - score;
  },
  "recall of 4": (uniforms, p) => uniforms.slice(0, 4).filter((u) => u < p).length / 4,
  "prefix accuracy of 6": (uniforms, p) => {
    const wrong = uniforms.findIndex((u) => u >= stepRate(p));
    return (wrong < 0 ? STEPS : wrong) / STEPS;
  },
};
const uniforms = (draw: RandomSequence) => Array.from({ length: STEPS }, () => draw.uniform());
const credits = (draw: RandomSequence, n: number, p: number, score: Scoring) => Array.from({ length: n }, () => score(uniforms(draw), p));

/** Two models that take the share `ALIKE` of the items alike; rates may differ from item to item. */
function pairs(draw: RandomSequence, n: number, score: Scoring, ratesOf: (i: number) => readonly [number, number]): { a: number[]; b: number[] } {
  const a: number[] = [];
  const b: number[] = [];
  for (let i = 0; i < n; i++) {
    const [first, second] = ratesOf(i);
    const mine = uniforms(draw);
    a.push(score(mine, first));
    b.push(score(hit(draw, ALIKE) ? mine : uniforms(draw), second));
  }
  return { a, b };
}
const pairsAt = (draw: RandomSequence, n: number, p: number, score: Scoring = right) => ({ ...pairs(draw, n, score, () => [p, otherRate(p)]), truth: p - otherRate(p) });

/** Items of a cluster share a rate of p - 0.15 or p + 0.15 (nearer to p where that leaves [0, 1]). */
const MIXED = 5;
function mixedRate(draw: RandomSequence, p: number): number {
  const spread = Math.min(0.15, p, 1 - p);
  return hit(draw, 0.5) ? p - spread : p + spread;
}
const clusterOf = (size: number) => (i: number) => Math.floor(i / size);
const clustersOf = (n: number, size: number) => Array.from({ length: n }, (_, i) => clusterOf(size)(i));
function mixed(draw: RandomSequence, n: number, p: number): number[] {
  const rates = Array.from({ length: Math.ceil(n / MIXED) }, () => mixedRate(draw, p));
  return Array.from({ length: n }, (_, i) => right([draw.uniform()], rates[clusterOf(MIXED)(i)]));
}

/** Ten items whose rates are alike: the beta-binomial with intraclass correlation 0.4, drawn as Polya's urn. */
const ALIKE_SIZE = 10;
function urns(draw: RandomSequence, n: number, p: number): number[] {
  const k = (1 - 0.4) / 0.4;
  const xs: number[] = [];
  let found = 0;
  for (let i = 0; i < n; i++) {
    const drawn = i % ALIKE_SIZE;
    if (drawn === 0) found = 0;
    const x = hit(draw, (p * k + found) / (k + drawn)) ? 1 : 0;
    found += x;
    xs.push(x);
  }
  return xs;
}

/** Clusters of ten of two kinds: 40 % are wholly alike, the others not at all. */
const WHOLLY_ALIKE = 0.4;
function twoKinds(draw: RandomSequence, n: number, p: number): number[] {
  const xs: number[] = [];
  while (xs.length < n) {
    const whole = hit(draw, WHOLLY_ALIKE);
    const first = hit(draw, p) ? 1 : 0;
    const size = Math.min(ALIKE_SIZE, n - xs.length);
    for (let i = 0; i < size; i++) xs.push(whole || i === 0 ? first : Number(hit(draw, p)));
  }
  return xs;
}

type Estimator = (xs: number[], clusters: number[]) => { interval: Interval };
const clusterMeans: readonly (readonly [string, Estimator])[] = [["t", clusteredEstimate], ["bounded", (xs, clusters) => boundedEstimate(xs, { clusters })]];
type PairEstimator = (a: number[], b: number[], clusters?: number[]) => { interval: Interval };
const differences: readonly (readonly [string, PairEstimator])[] = [["t", pairedDifference], ["bounded", (a, b, clusters) => boundedDifference(a, b, { clusters })]];

export const coverageCases: readonly CoverageCase[] = [
  { name: "Wilson", simulate: (draw, n, p) => ({ interval: wilson(count(draw, n, p), n), truth: p }), outcomes: counts },
  { name: "Beta", simulate: (draw, n, p) => ({ interval: betaInterval(count(draw, n, p), n), truth: p }), outcomes: counts },
  { name: "Clopper-Pearson", simulate: (draw, n, p) => ({ interval: clopperPearson(count(draw, n, p), n), truth: p }), outcomes: counts },
  ...Object.entries(partialCredit).flatMap(([kind, score]) =>
    [["t", meanEstimate] as const, ["bounded", boundedEstimate] as const].map(([name, estimate]): CoverageCase => ({
      name: `${kind}, ${name}`,
      simulate: (draw, n, p) => ({ interval: estimate(credits(draw, n, p, score)).interval, truth: p }),
    })),
  ),
  {
    name: "paired right and wrong, t",
    simulate(draw, n, p) {
      const { a, b, truth } = pairsAt(draw, n, p);
      return { interval: pairedDifference(a, b).interval, truth };
    },
    outcomes: disagreements,
  },
  ...pairRules.map(([name, rule]): CoverageCase => ({
    name: `paired right and wrong, ${name}`,
    simulate(draw, n, p) {
      const { a, b, truth } = pairsAt(draw, n, p);
      const { onlyA, onlyB } = mcnemar(a.map(Boolean), b.map(Boolean));
      return { interval: rule(onlyA, onlyB, n), truth };
    },
    outcomes: disagreements,
  })),
  ...Object.entries(partialCredit).flatMap(([kind, score]) =>
    differences.map(([name, estimate]): CoverageCase => ({
      name: `paired ${kind}, ${name}`,
      simulate(draw, n, p) {
        const { a, b, truth } = pairsAt(draw, n, p, score);
        return { interval: estimate(a, b).interval, truth };
      },
    })),
  ),
  ...clusterMeans.map(([name, estimate]): CoverageCase => ({
    name: `mean in clusters of ${MIXED}, ${name}`,
    simulate: (draw, n, p) => ({ interval: estimate(mixed(draw, n, p), clustersOf(n, MIXED)).interval, truth: p }),
  })),
  ...clusterMeans.map(([name, estimate]): CoverageCase => ({
    name: `mean in clusters of ${ALIKE_SIZE} alike, ${name}`,
    simulate: (draw, n, p) => ({ interval: estimate(urns(draw, n, p), clustersOf(n, ALIKE_SIZE)).interval, truth: p }),
  })),
  ...clusterMeans.map(([name, estimate]): CoverageCase => ({
    name: `mean in clusters of ${ALIKE_SIZE} of two kinds, ${name}`,
    simulate: (draw, n, p) => ({ interval: estimate(twoKinds(draw, n, p), clustersOf(n, ALIKE_SIZE)).interval, truth: p }),
  })),
  ...differences.map(([name, estimate]): CoverageCase => ({
    name: `paired in clusters of ${MIXED}, ${name}`,
    simulate(draw, n, p) {
      const rates = Array.from({ length: Math.ceil(n / MIXED) }, () => [mixedRate(draw, p), mixedRate(draw, otherRate(p))] as const);
      const { a, b } = pairs(draw, n, right, (i) => rates[clusterOf(MIXED)(i)]);
      return { interval: estimate(a, b, clustersOf(n, MIXED)).interval, truth: p - otherRate(p) };
    },
  })),
  {
    name: "difference of two sets, Newcombe",
    simulate(draw, n, p) {
      const other = otherRate(p);
      const { interval } = proportionDifference(count(draw, n, p), n, count(draw, n, other), n);
      return { interval, truth: p - other };
    },
  },
];

/** Share of `trials` simulated sets whose interval holds the truth. A trial depends on its number alone. */
export function coverage({ name, simulate }: CoverageCase, n: number, p: number, trials: number, seed = 1): number {
  let held = 0;
  for (let trial = 0; trial < trials; trial++) {
    const { interval, truth } = simulate(random(seed, "coverage", name, n, String(p), trial).sequence(), n, p);
    if (interval[0] <= truth && truth <= interval[1]) held++;
  }
  return held / trials;
}
