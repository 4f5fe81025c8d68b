import { describe, expect, it } from "vitest";
import { aboveChance, clusteredEstimate, meanEstimate, pairedDifference, suiteAverage } from "./means.ts";

const xs = [1, 0, 0, 1, 1, 0, 1, 0];

describe("meanEstimate", () => {
  it("equals SciPy's standard error and t interval", () => {
    const { mean, standardError, interval } = meanEstimate(xs);
    expect(mean).toBe(0.5);
    expect(standardError).toBeCloseTo(0.1889822365046136, 13);
    expect(interval[0]).toBeCloseTo(0.053128020440947554, 12);
    expect(interval[1]).toBeCloseTo(0.9468719795590524, 12);
  });

  it("refuses no scores and has no interval for one", () => {
    expect(() => meanEstimate([])).toThrow(/no scores/);
    expect(meanEstimate([1]).interval).toEqual([Number.NaN, Number.NaN]);
  });
});

describe("clusteredEstimate", () => {
  it("equals the plain standard error when every item is a cluster", () => {
    expect(clusteredEstimate(xs, xs.map((_, i) => i)).standardError).toBeCloseTo(meanEstimate(xs).standardError, 13);
  });

  it("grows by sqrt(m) when every item is repeated m times in its cluster", () => {
    const tripled = xs.flatMap((x) => [x, x, x]);
    const clusters = xs.flatMap((_, i) => [i, i, i]);
    expect(clusteredEstimate(tripled, clusters).standardError).toBeCloseTo(meanEstimate(xs).standardError, 13);
    expect(meanEstimate(tripled).standardError).toBeLessThan(0.6 * meanEstimate(xs).standardError);
  });

  it("is worked out by hand for two clusters", () => {
    // mean 0.5; cluster sums of deviations +1 and -1; sqrt((1 + 1) * 2 / 1) / 4 = 0.5
    expect(clusteredEstimate([1, 1, 0, 0], ["a", "a", "b", "b"]).standardError).toBe(0.5);
  });

  it("refuses clusters that do not match", () => {
    expect(() => clusteredEstimate(xs, [1])).toThrow(/1 clusters for 8 scores/);
  });
});

describe("pairedDifference", () => {
  it("has a smaller error than the unpaired one for correlated models", () => {
    const better = xs.map((x, i) => (i === 1 ? 1 : x));
    const { mean, standardError, correlation } = pairedDifference(better, xs);
    expect(mean).toBe(0.125);
    expect(standardError).toBeCloseTo(0.125, 13); // sd of (1, 0 x 7) is sqrt(1/8)
    expect(correlation).toBeGreaterThan(0.7);
    expect(Math.hypot(meanEstimate(better).standardError, meanEstimate(xs).standardError)).toBeGreaterThan(0.25);
  });

  it("refuses scores of different items", () => {
    expect(() => pairedDifference([1, 0], [1])).toThrow(/2 and 1 scores/);
  });
});

describe("suiteAverage", () => {
  it("averages tasks, not items", () => {
    const { mean, standardError } = suiteAverage([
      { mean: 0.5, standardError: 0.03 },
      { mean: 0.7, standardError: 0.04 },
    ]);
    expect(mean).toBeCloseTo(0.6, 15);
    expect(standardError).toBeCloseTo(0.025, 15);
  });
});

describe("aboveChance", () => {
  it("is 0 for guessing and 1 for perfection", () => {
    expect([aboveChance(0.25, 0.25), aboveChance(1, 0.25), aboveChance(0.625, 0.25)]).toEqual([0, 1, 0.5]);
  });
});
