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
 * Published losses of seven architectures over scales, without and with growth in training, FineWeb, single epoch:
 * FLOPs and final validation loss in nats per token. Depth 6, 8, 10, 12, 14, 16, 18, some 20.
 *
 * Source: released measurements of arXiv 2609.19107, github.com/qlabs-eng/scaling-exponents.
 */
export const publishedLadders = {
  plain: e18([[0.3253, 3.5609], [1.0558, 3.3296], [2.9258, 3.1562], [6.7438, 3.0292], [14.978, 2.919], [30.605, 2.8259], [55.724, 2.7523], [100.64, 2.6834]]),
  /** Boundary operator, one pass. */
  boundary: e18([[0.3902, 3.5075], [1.2672, 3.2697], [3.5108, 3.1016], [8.0914, 2.979], [17.973, 2.8663], [36.726, 2.7775], [66.868, 2.7044], [120.77, 2.6373]]),
  /** Boundary operator, two passes of different weights; then grown to four. */
  untied: e18([[0.5197, 3.4286], [1.8988, 3.1904], [5.7353, 3.019], [12.697, 2.9077], [29.872, 2.794], [63.781, 2.7018], [111.43, 2.6378]]),
  untiedGrown: e18([[0.6991, 3.3551], [2.5422, 3.1304], [7.6637, 2.9625], [16.956, 2.8509], [39.867, 2.7416], [85.097, 2.6509], [148.64, 2.587]]),
  /** Boundary operator, passes share weights, grown. */
  tiedGrown: e18([[0.5453, 3.4325], [1.8709, 3.2002], [5.3817, 3.0357], [12.065, 2.9184], [27.49, 2.8046], [57.266, 2.7154], [101.81, 2.6445]]),
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
  /** The line at x, its standard error, the 95 % interval of the line, and a warning beyond the published scales. */
  at(flops: number): { multiplier: number; standardError: number; interval: [number, number]; warning?: string };
}

/** 97.5 % point of Student's t with four degrees of freedom: six published points, two coefficients. */
const T4 = 2.776;

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
      const multiplier = intercept + slope * x;
      const standardError = Math.sqrt(variance * (1 / n + (x - meanX) ** 2 / sxx));
      const beyond = Math.max(Math.min(...xs) - x, x - Math.max(...xs));
      return {
        multiplier,
        standardError,
        interval: [multiplier - T4 * standardError, multiplier + T4 * standardError],
        ...(beyond > 0 ? { warning: `growthTrend: ${flops.toExponential(1)} FLOPs lies ${beyond.toFixed(1)} decades beyond the published runs; the line is extrapolated` } : {}),
      };
    },
  };
}

/** Our measured points beside the published ones, in order of FLOPs, ready for a chart. */
export function pointsOnTrend(ours: readonly { name: string; flops: number; multiplier: number }[]): TrendPoint[] {
  const own = ours.map((point) => ({ ...point, ours: true }));
  return [...growthTrend().published, ...own].toSorted((p, q) => p.flops - q.flops);
}
