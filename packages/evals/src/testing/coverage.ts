/** How often the 95 % intervals hold the truth, in simulation. */

import { random, type RandomSequence } from "@espalier/core";
import { pairedProportions, proportionDifference } from "../statistics/comparison.ts";
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

export const coverageCases: readonly CoverageCase[] = [
  { name: "Wilson", simulate: (draw, n, p) => ({ interval: wilson(count(draw, n, p), n), truth: p }) },
  { name: "Beta", simulate: (draw, n, p) => ({ interval: betaInterval(count(draw, n, p), n), truth: p }) },
  { name: "Clopper-Pearson", simulate: (draw, n, p) => ({ interval: clopperPearson(count(draw, n, p), n), truth: p }) },
  // A score between 0 and 1 on each item, as prefix accuracy: the larger of two uniform numbers, to the power that gives mean p.
  {
    name: "mean of scores, t",
    simulate(draw, n, p) {
      const power = (1 - p) / p; // E[u^a] = 1 / (1 + a)
      return { interval: meanEstimate(Array.from({ length: n }, () => draw.uniform() ** power)).interval, truth: p };
    },
  },
  {
    name: "paired difference, t",
    simulate(draw, n, p) {
      const { a, b, truth } = pairs(draw, n, p);
      return { interval: pairedDifference(a.map(Number), b.map(Number)).interval, truth };
    },
  },
  {
    name: "paired difference, Bonett-Price",
    simulate(draw, n, p) {
      const { a, b, truth } = pairs(draw, n, p);
      return { interval: pairedProportions(a, b).interval, truth };
    },
  },
  {
    name: `mean in clusters of ${CLUSTER}, t`,
    simulate(draw, n, p) {
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
      return { interval: clusteredEstimate(xs, clusters).interval, truth: p };
    },
  },
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
