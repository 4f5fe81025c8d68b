/** How far an interval must reach where items stand in clusters, when few clusters say how alike their items are. */

import { invert, logGamma, normalCdf, normalQuantile, studentQuantile } from "./distributions.ts";

/** Intraclass correlations that are weighed, denser near 0, where they usually are. */
const GRID = Array.from({ length: 20 }, (_, i) => ((i + 0.5) / 20) ** 2);

export interface Correlation {
  /** Intraclass correlation of two items of a cluster, 0 to 1. */
  rho: number;
  /** Posterior probability; all of them sum to 1. */
  weight: number;
}

/**
 * Posterior of the intraclass correlation of a Dirichlet-multinomial under a uniform prior, at given shares:
 * `P(x_c) = B(x_c + s k) / B(s k)` up to factors without k, `k = (1 - rho) / rho`. With two categories this is the beta-binomial.
 *
 * @param counts items of each category in each cluster; whole or effective numbers
 * @param shares share of each category, each above 0
 * @see Mosimann 1962, "On the compound multinomial distribution"; Williams 1975, "The analysis of binary responses from
 *   toxicological experiments", for two categories
 */
export function correlationPosterior(counts: readonly (readonly number[])[], shares: readonly number[]): Correlation[] {
  const distinct = new Map<string, { count: readonly number[]; times: number }>();
  for (const count of counts) {
    const key = count.join();
    distinct.set(key, { count, times: (distinct.get(key)?.times ?? 0) + 1 });
  }
  const clusters = [...distinct.values()];
  const logs = GRID.map((rho) => {
    const k = (1 - rho) / rho;
    const parameters = shares.map((share) => share * k);
    const bases = parameters.map(logGamma);
    let log = Math.log(rho) / 2; // the grid is even in the root of rho: d rho = 2 sqrt(rho) d sqrt(rho)
    for (const { count, times } of clusters) {
      const size = count.reduce((sum, x) => sum + x, 0);
      log += times * (logGamma(k) - logGamma(size + k) + count.reduce((sum, x, i) => sum + logGamma(x + parameters[i]) - bases[i], 0));
    }
    return log;
  });
  const top = Math.max(...logs);
  const weights = logs.map((log) => Math.exp(log - top));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return GRID.map((rho, i) => ({ rho, weight: weights[i] / total }));
}

export interface Spread {
  /** Variance of the mean against that of items that stand alone. */
  ratio: number;
  weight: number;
}

/**
 * Two-sided quantile of a mixture of normals with these variance ratios, in standard errors of items that stand alone, drawn out
 * half way from the normal's to Student's t with `units - 1` degrees of freedom.
 */
export function mixtureQuantile(spreads: readonly Spread[], units: number, level: number): number {
  const z = normalQuantile((1 + level) / 2);
  const stretch = (1 + studentQuantile((1 + level) / 2, units - 1) / z) / 2;
  const roots = spreads.map(({ ratio, weight }) => ({ root: Math.sqrt(ratio), weight }));
  const inside = (x: number) => roots.reduce((sum, { root, weight }) => sum + weight * (2 * normalCdf(x / root) - 1), 0);
  return stretch * invert(inside, level, 0, 1.0001 * z * Math.max(...roots.map(({ root }) => root)));
}

/** Units that carry the mean below which the spread between them is not believed; from the simulations of decision 13. */
const FEW_UNITS = 8;

/** How little the spread found among units is believed: near 1 where one of them carries the sum, near 0 where hundreds do. */
export const doubt = (carriers: number, few = FEW_UNITS): number => (few / (few + carriers)) ** 2;

/** How many units carry a sum: all n where they are equal, 1 where a single one is it; 0 for nothing. */
export function carriers(xs: readonly number[]): number {
  const sum = xs.reduce((total, x) => total + Math.abs(x), 0);
  return sum === 0 ? 0 : sum ** 2 / xs.reduce((total, x) => total + x * x, 0);
}

/**
 * Spread of a mean over clusters as a mixture: each intraclass correlation gives `1 + (m - 1) rho`, m the size of a cluster as an
 * item sees it, drawn to the ratio that the clusters show as far as those are believed.
 *
 * @param found ratio that the clusters show; undefined where nothing varies
 */
export function clusterSpreads(posterior: readonly Correlation[], size: number, found: number | undefined, disbelief: number): Spread[] {
  return posterior.map(({ rho, weight }) => {
    const assumed = 1 + (size - 1) * rho;
    return { ratio: found === undefined ? assumed : assumed ** disbelief * Math.max(found, 1e-9) ** (1 - disbelief), weight };
  });
}

/** Columns of numbers summed up over each cluster, in the order in which clusters first come. */
export function clusterSums(clusters: readonly (string | number)[], ...columns: readonly (readonly number[])[]): number[][] {
  const sums = new Map<string | number, number[]>();
  clusters.forEach((name, i) => {
    const sum = sums.get(name) ?? columns.map(() => 0);
    columns.forEach((column, k) => (sum[k] += column[i]));
    sums.set(name, sum);
  });
  return [...sums.values()];
}
