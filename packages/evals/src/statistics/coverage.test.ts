import { describe, expect, it } from "vitest";
import { coverage, coverageCases } from "../testing/coverage.ts";
import { pairedProportions } from "./comparison.ts";

/** Sets a cell: a coverage of 95 % is measured with a standard error of half a point. */
const TRIALS = 2000;
const at = (name: string, n: number, p: number) => coverage(coverageCases.find((test) => test.name === name)!, n, p, TRIALS);
const cells = (sizes: readonly number[], rates: readonly number[]) => sizes.flatMap((n) => rates.map((p) => [n, p] as const));

/** Numbers of items and true rates at which each interval is good to use: 93 to 97 % there. */
const good: Readonly<Record<string, readonly (readonly [number, number])[]>> = {
  Wilson: [...cells([30], [0.2, 0.5, 0.8]), ...cells([100], [0.02, 0.2, 0.5, 0.8, 0.98]), ...cells([1000], [0.02, 0.5])],
  "mean of scores, t": [...cells([30, 100], [0.2, 0.5, 0.8]), [1000, 0.5]],
  "paired difference, t": [...cells([30], [0.2, 0.8]), ...cells([100], [0.2, 0.5, 0.8]), [1000, 0.5]],
  "paired difference, Bonett-Price": [...cells([30], [0.5]), ...cells([100], [0.02, 0.2, 0.5, 0.8]), [1000, 0.5]],
  "mean in clusters of 5, t": [...cells([100], [0.3, 0.5, 0.7]), [1000, 0.5]],
  "difference of two sets, Newcombe": [...cells([30, 100], [0.2, 0.5, 0.8]), [1000, 0.5]],
};

describe.each(Object.keys(good))("the 95 %% interval of %s", (name) => {
  it.each(good[name])("holds the truth in 93 to 97 %% of simulated sets of %i items at rate %f", (n, p) => {
    const share = at(name, n, p);
    expect(share).toBeGreaterThanOrEqual(0.93);
    expect(share).toBeLessThanOrEqual(0.97);
  });
});

describe("few items at rates near 0 or 1", () => {
  it.each(cells([30, 100], [0.02, 0.98]))("leave the paired t interval too narrow and pairedProportions safe at %i items and rate %f", (n, p) => {
    expect(at("paired difference, t", n, p)).toBeLessThan(0.93);
    expect(at("paired difference, Bonett-Price", n, p)).toBeGreaterThan(0.93);
  });
});

describe("pairedProportions", () => {
  const answers = (both: number, onlyA: number, onlyB: number, neither: number) => ({
    a: [...Array<boolean>(both + onlyA).fill(true), ...Array<boolean>(onlyB + neither).fill(false)],
    b: [...Array<boolean>(both).fill(true), ...Array<boolean>(onlyA).fill(false), ...Array<boolean>(onlyB).fill(true), ...Array<boolean>(neither).fill(false)],
  });

  it("equals the formula worked out by hand", () => {
    const { a, b } = answers(20, 7, 1, 12);
    // p' = 8/42, q' = 2/42: 6/42 +- 1.959964 sqrt((10/42 - (6/42)^2) / 42), worked out in Python
    const { difference, interval, pValue } = pairedProportions(a, b);
    expect(difference).toBeCloseTo(6 / 40, 12);
    expect(interval[0]).toBeCloseTo(0.0017529991364, 10);
    expect(interval[1]).toBeCloseTo(0.2839612865779, 10);
    expect(pValue).toBeCloseTo(18 / 256, 12); // 2 (C(8,0) + C(8,1)) / 2^8
  });

  it("is no certainty where the models never disagree, and turns round with them", () => {
    const { a, b } = answers(10, 0, 0, 0);
    const [low, high] = pairedProportions(a, b).interval;
    expect(high).toBeCloseTo(-low, 12);
    expect(high).toBeGreaterThan(0.1);
    const other = answers(5, 4, 1, 5);
    const [there, back] = [pairedProportions(other.a, other.b), pairedProportions(other.b, other.a)];
    expect(there.interval[0]).toBeCloseTo(-back.interval[1], 12);
  });
});
