import { equalLossMultiplier, type LossPoint } from "./equalLoss.ts";

/** A point of the trend of growth over scale: method FLOPs against the equal-loss multiplier. */
export interface TrendPoint {
  name: string;
  flops: number;
  multiplier: number;
  ours: boolean;
}

const e18 = (pairs: readonly (readonly [number, number])[]): LossPoint[] => pairs.map(([c, loss]) => ({ flops: c * 1e18, loss }));

/**
 * Published losses of one architecture at six scales, without and with growth in training, FineWeb, single epoch:
 * FLOPs and final validation loss in nats per token. Depth 6, 8, 10, 12, 14, 16, 18.
 *
 * Source: released measurements of arXiv 2609.19107, github.com/qlabs-eng/scaling-exponents.
 */
export const publishedLadders = {
  deepPlain: e18([[0.5197, 3.45], [1.8988, 3.2121], [5.7353, 3.0394], [12.697, 2.9292], [29.872, 2.8194], [63.781, 2.7265], [111.43, 2.6625]]),
  deepPlainGrown: e18([[0.5252, 3.4347], [1.9109, 3.1963], [5.7582, 3.0237], [12.732, 2.914], [29.928, 2.8019], [63.863, 2.7077], [111.53, 2.6429]]),
};

/** The straight line `multiplier = intercept + slope * log10(FLOPs)` through the published gains of growth alone. */
export interface GrowthTrend {
  published: readonly TrendPoint[];
  intercept: number;
  /** Gain in the multiplier per decade of compute. */
  slopePerDecade: number;
  /** FLOPs at which the line crosses 1: below, growth should not be expected to gain against a tuned control. */
  breakEvenFlops: number;
  /** Standard error of the line's value at x. */
  at(flops: number): { multiplier: number; standardError: number };
}

/** Ordinary least squares over the published equal-loss multipliers of growth, against log10 FLOPs. */
export function growthTrend(): GrowthTrend {
  const published = equalLossMultiplier(publishedLadders.deepPlain, publishedLadders.deepPlainGrown)
    .filter((row) => row.multiplier !== null)
    .map((row) => ({ name: "arXiv 2609.19107, grown depth", flops: row.methodFlops, multiplier: row.multiplier!, ours: false }));
  const n = published.length;
  const xs = published.map((p) => Math.log10(p.flops));
  const ys = published.map((p) => p.multiplier);
  const meanX = xs.reduce((a, b) => a + b) / n;
  const meanY = ys.reduce((a, b) => a + b) / n;
  const sxx = xs.reduce((sum, x) => sum + (x - meanX) ** 2, 0);
  const slope = xs.reduce((sum, x, i) => sum + (x - meanX) * (ys[i]! - meanY), 0) / sxx;
  const intercept = meanY - slope * meanX;
  const variance = xs.reduce((sum, x, i) => sum + (ys[i]! - intercept - slope * x) ** 2, 0) / (n - 2);
  return {
    published,
    intercept,
    slopePerDecade: slope,
    breakEvenFlops: 10 ** ((1 - intercept) / slope),
    at(flops) {
      const x = Math.log10(flops);
      return { multiplier: intercept + slope * x, standardError: Math.sqrt(variance * (1 / n + (x - meanX) ** 2 / sxx)) };
    },
  };
}

/** Our measured points beside the published ones, in order of FLOPs, ready for a chart. */
export function pointsOnTrend(ours: readonly { name: string; flops: number; multiplier: number }[]): TrendPoint[] {
  const own = ours.map((point) => ({ ...point, ours: true }));
  return [...growthTrend().published, ...own].toSorted((p, q) => p.flops - q.flops);
}
