import { describe, expect, it } from "vitest";
import { equalLossMultiplier, flopsAtLoss, type LossPoint, savingFromMultiplier, savingFromSpeedup } from "./equalLoss.ts";
import { growthTrend, pointsOnTrend, publishedLadders } from "./growthTrend.ts";

const ladder = (pairs: [number, number][]): LossPoint[] => pairs.map(([flops, loss]) => ({ flops: flops * 1e18, loss }));

/** Released measurements of arXiv 2609.19107, FineWeb, single epoch: FLOPs (1e18) and loss at depth 6 to 20. */
const plain = ladder([[0.3253, 3.5609], [1.0558, 3.3296], [2.9258, 3.1562], [6.7438, 3.0292], [14.978, 2.919], [30.605, 2.8259], [55.724, 2.7523], [100.64, 2.6834]]);
const boundary = ladder([[0.3902, 3.5075], [1.2672, 3.2697], [3.5108, 3.1016], [8.0914, 2.979], [17.973, 2.8663], [36.726, 2.7775], [66.868, 2.7044], [120.77, 2.6373]]);
const untied = ladder([[0.5197, 3.4286], [1.8988, 3.1904], [5.7353, 3.019], [12.697, 2.9077], [29.872, 2.794], [63.781, 2.7018], [111.43, 2.6378]]);
const untiedGrown = ladder([[0.6991, 3.3551], [2.5422, 3.1304], [7.6637, 2.9625], [16.956, 2.8509], [39.867, 2.7416], [85.097, 2.6509], [148.64, 2.587]]);
const { deepPlain, deepPlainGrown } = publishedLadders;

const rounded = (reference: LossPoint[], method: LossPoint[], n: number) =>
  equalLossMultiplier(reference, method).slice(0, n).map((row) => row.multiplier?.toFixed(3) ?? "outside the range");

describe("equalLossMultiplier", () => {
  it.each([
    ["deep plain grown over deep plain", deepPlain, deepPlainGrown, ["1.073", "1.097", "1.113", "1.120", "1.149", "1.175"]],
    ["untied grown + BO over plain", plain, untiedGrown, ["1.321", "1.360", "1.421", "1.486", "1.531", "outside the range"]],
    ["untied grown over untied K=2", untied, untiedGrown, ["1.098", "1.092", "1.116", "1.143", "1.150", "1.167"]],
  ])("returns the published ladder of %s to three decimals", (_, reference, method, expected) => {
    expect(rounded(reference, method, 6)).toEqual(expected);
  });
  it.each([
    ["BO over plain", plain, boundary, [1.086, 1.177, 1.188, 1.194, 1.245, 1.233, 1.255]],
    ["deep plain over plain", plain, deepPlain, [1.09, 1.102, 1.098, 1.094, 1.08, 1.089]],
  ])("returns %s within what rounding of the losses to four decimals allows", (_, reference, method, published) => {
    // The published multipliers come from unrounded losses; four of these thirteen differ in the third decimal.
    const shifted = (points: LossPoint[], by: number) => points.map(({ flops, loss }) => ({ flops, loss: loss + by }));
    const half = 0.5e-4;
    const low = equalLossMultiplier(shifted(reference, -half), shifted(method, half));
    const high = equalLossMultiplier(shifted(reference, half), shifted(method, -half));
    published.forEach((value, i) => {
      expect(low[i]!.multiplier).toBeLessThan(value + 0.0005);
      expect(high[i]!.multiplier).toBeGreaterThan(value - 0.0005);
      expect(high[i]!.multiplier! - low[i]!.multiplier!).toBeLessThan(0.0025);
    });
  });
  it("never extrapolates", () => {
    const reference = [{ flops: 1, loss: 3 }, { flops: 2, loss: 2 }];
    expect(flopsAtLoss(reference, 3.001)).toBeNull();
    expect(flopsAtLoss(reference, 1.999)).toBeNull();
    expect(equalLossMultiplier(reference, [{ flops: 1, loss: 1 }])[0]).toMatchObject({ referenceFlops: null, multiplier: null });
  });
  it("is exact at measured points and linear in the logarithms between", () => {
    const reference = [{ flops: 4, loss: 1 }, { flops: 1, loss: 4 }];
    expect(flopsAtLoss(reference, 4)).toBe(1);
    expect(flopsAtLoss(reference, 2)).toBeCloseTo(2, 12);
  });
});

describe("savingFromSpeedup", () => {
  it.each([
    [54.6, 35.3],
    [55.3, 35.6],
    [53.8, 35.0],
    [40.8, 29.0],
    [31.0, 23.7],
  ])("a speed-up of %d %% saves %d %% of the FLOPs", (speedup, saving) => {
    expect(100 * savingFromSpeedup(speedup)).toBeCloseTo(saving, 1);
    expect(savingFromMultiplier(1 + speedup / 100)).toBeCloseTo(savingFromSpeedup(speedup), 12);
  });
});

describe("growthTrend", () => {
  it("gains about 0.046 a decade and crosses 1 near 2e16 FLOPs", () => {
    const trend = growthTrend();
    expect(trend.slopePerDecade).toBeCloseTo(0.046, 3);
    expect(Math.round(trend.breakEvenFlops / 1e16)).toBe(2);
    expect(trend.at(trend.breakEvenFlops).multiplier).toBeCloseTo(1, 9);
  });
  it("is less certain far from the published points", () => {
    const { at } = growthTrend();
    expect(at(1e12).standardError).toBeGreaterThan(3 * at(1e19).standardError);
  });
  it("puts our points in their place", () => {
    const points = pointsOnTrend([{ name: "here", flops: 5e12, multiplier: 1.7 }]);
    expect(points[0]).toEqual({ name: "here", flops: 5e12, multiplier: 1.7, ours: true });
    expect(points).toHaveLength(7);
  });
});
