import { describe, expect, it } from "vitest";
import { equalLossMultiplier, flopsAtLoss, type LossPoint, savingFromMultiplier, savingFromSpeedup } from "./equalLoss.ts";
import { growthTrend, pointsOnTrend, publishedLadders } from "./growthTrend.ts";

const { deepPlain, deepPlainGrown, plain, boundary, untied, untiedGrown } = publishedLadders;

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
  it("has a 95 % interval that holds its points' line, and warns beyond them", () => {
    const { at } = growthTrend();
    const inside = at(1e19);
    expect(inside.interval[0]).toBeLessThan(inside.multiplier);
    expect(inside.interval[1] - inside.multiplier).toBeCloseTo(2.776 * inside.standardError, 12);
    expect(inside.warning).toBeUndefined();
    expect(at(5e12).warning).toMatch(/5\.0 decades beyond/);
    expect(at(5e12).interval[0]).toBeLessThan(1);
  });
  it("puts our points in their place", () => {
    const points = pointsOnTrend([{ name: "here", flops: 5e12, multiplier: 1.7 }]);
    expect(points[0]).toEqual({ name: "here", flops: 5e12, multiplier: 1.7, ours: true });
    expect(points).toHaveLength(7);
  });
});
