/** How often the 95 % intervals hold the truth, in simulation. */

import { random, type RandomSequence } from "@espalier/core";
import { boundedEstimate } from "../statistics/bounded.ts";
import { pairedProportions, proportionDifference } from "../statistics/comparison.ts";
import { invert } from "../statistics/distributions.ts";
import { betaInterval, clopperPearson, type Interval, wilson } from "../statistics/intervals.ts";
import { clusteredEstimate, meanEstimate, pairedDifference } from "../statistics/means.ts";

export interface CoverageCase {
  name: string;
  /** Interval of one simulated set of n items, and the value it should hold. */
  simulate(draw: RandomSequence, n: number, p: number): { interval: Interval; truth: number };
}

const hit = (draw: RandomSequence, p: number) => draw.uniform() < p;
const scores = (draw: RandomSequence, n: number, p: number) => Array.from({ length: n }, () => (hit(draw, p) ? 1 : 0));
const count = (draw: RandomSequence, n: number, p: number) => scores(draw, n, p).reduce<number>((sum, x) => sum + x, 0);

/** Two models that agree by design on 60 % of the items; the second is 5 points better where there is room. */
function pairs(draw: RandomSequence, n: number, p: number): { a: boolean[]; b: boolean[]; truth: number } {
  const other = Math.min(1, p + 0.05);
  const a: boolean[] = [];
  const b: boolean[] = [];
  for (let i = 0; i < n; i++) {
    const [u, v] = [draw.uniform(), draw.uniform()];
    a.push(u < p);
    b.push((hit(draw, 0.6) ? u : v) < other);
  }
  return { a, b, truth: p - other };
}

/** Items of a cluster share a rate of p - 0.15 or p + 0.15 (nearer to p where that leaves [0, 1]). */
const CLUSTER = 5;
function clustered(draw: RandomSequence, n: number, p: number): { xs: number[]; clusters: number[] } {
  const spread = Math.min(0.15, p, 1 - p);
  const xs: number[] = [];
  const clusters: number[] = [];
  for (let c = 0; xs.length < n; c++) {
    const rate = hit(draw, 0.5) ? p - spread : p + spread;
    for (let k = 0; k < CLUSTER; k++) {
      xs.push(hit(draw, rate) ? 1 : 0);
      clusters.push(c);
    }
  }
  return { xs, clusters };
}

/** Steps of a procedure; each is right with the rate that gives prefix accuracy p. */
const STEPS = 6;
function stepRate(p: number): number {
  const mean = (rate: number) => Array.from({ length: STEPS }, (_, k) => rate ** (k + 1)).reduce((sum, x) => sum + x, 0) / STEPS;
  return invert(mean, p, 0, 1);
}

/** Scores between 0 and 1 with mean p. */
const partialCredit: Readonly<Record<string, (draw: RandomSequence, n: number, p: number) => number[]>> = {
  // E[u^a] = 1 / (1 + a): the most skewed of the four
  "power of a uniform": (draw, n, p) => Array.from({ length: n }, () => draw.uniform() ** ((1 - p) / p)),
  // as many ones as carry half of the mean, uniform scores for the other half, the rest 0; turned round above one half
  "F1": (draw, n, p) => {
    const small = Math.min(p, 1 - p);
    const score = (u: number) => (u < small / 2 ? 1 : u < 1.5 * small ? draw.uniform() : 0);
    return Array.from({ length: n }, () => (p <= 0.5 ? score(draw.uniform()) : 1 - score(draw.uniform())));
  },
  "recall of 4": (draw, n, p) => Array.from({ length: n }, () => count(draw, 4, p) / 4),
  "prefix accuracy of 6": (draw, n, p) => {
    const rate = stepRate(p);
    return Array.from({ length: n }, () => {
      let right = 0;
      while (right < STEPS && hit(draw, rate)) right++;
      return right / STEPS;
    });
  },
};

export const coverageCases: readonly CoverageCase[] = [
  { name: "Wilson", simulate: (draw, n, p) => ({ interval: wilson(count(draw, n, p), n), truth: p }) },
  { name: "Beta", simulate: (draw, n, p) => ({ interval: betaInterval(count(draw, n, p), n), truth: p }) },
  { name: "Clopper-Pearson", simulate: (draw, n, p) => ({ interval: clopperPearson(count(draw, n, p), n), truth: p }) },
  ...Object.entries(partialCredit).flatMap(([kind, draws]) =>
    [["t", meanEstimate] as const, ["bounded", boundedEstimate] as const].map(([name, estimate]): CoverageCase => ({
      name: `${kind}, ${name}`,
      simulate: (draw, n, p) => ({ interval: estimate(draws(draw, n, p)).interval, truth: p }),
    })),
  ),
  {
    name: "paired difference, t",
    simulate(draw, n, p) {
      const { a, b, truth } = pairs(draw, n, p);
      return { interval: pairedDifference(a.map(Number), b.map(Number)).interval, truth };
    },
  },
  {
    name: "paired difference, Tango",
    simulate(draw, n, p) {
      const { a, b, truth } = pairs(draw, n, p);
      return { interval: pairedProportions(a, b).interval, truth };
    },
  },
  ...[["t", clusteredEstimate] as const, ["bounded", (xs: number[], clusters: number[]) => boundedEstimate(xs, { clusters })] as const].map(([name, estimate]): CoverageCase => ({
    name: `mean in clusters of ${CLUSTER}, ${name}`,
    simulate(draw, n, p) {
      const { xs, clusters } = clustered(draw, n, p);
      return { interval: estimate(xs, clusters).interval, truth: p };
    },
  })),
  {
    name: "difference of two sets, Newcombe",
    simulate(draw, n, p) {
      const other = Math.min(1, p + 0.05);
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
