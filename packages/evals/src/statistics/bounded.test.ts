import { ConfigError } from "@espalier/core";
import { describe, expect, it } from "vitest";
import { boundedEstimate } from "./bounded.ts";
import { wilson } from "./intervals.ts";
import { clusteredEstimate, meanEstimate } from "./means.ts";

const binary = [1, 0, 0, 1, 1, 0, 1, 0, 0, 0];
const credit = Array.from({ length: 400 }, (_, i) => ((i * 37) % 101) / 100);

describe("boundedEstimate", () => {
  it("is Wilson's interval for right and wrong, with the plain standard error", () => {
    const { mean, standardError, interval } = boundedEstimate(binary);
    expect({ mean, standardError }).toEqual({ mean: 0.4, standardError: meanEstimate(binary).standardError });
    expect(interval).toEqual(wilson(4, 10));
  });

  it("is nearly the t interval for many scores in the middle, and no wider than right and wrong would be", () => {
    const { mean, interval } = boundedEstimate(credit);
    const t = meanEstimate(credit).interval;
    expect(interval[0]).toBeCloseTo(t[0], 3);
    expect(interval[1]).toBeCloseTo(t[1], 3);
    const worst = wilson(Math.round(mean * 400), 400);
    expect(interval[1] - interval[0]).toBeLessThan(worst[1] - worst[0]);
  });

  it("stays within 0 and 1, holds the mean, and turns round with the scores", () => {
    for (const xs of [[0, 0, 0.1], [1, 1, 0.97, 1], [0.5, 0.5], Array<number>(30).fill(0.01), [0.3, ...Array<number>(29).fill(0)]]) {
      const { mean, interval: [low, high] } = boundedEstimate(xs);
      expect(low).toBeGreaterThanOrEqual(0);
      expect(high).toBeLessThanOrEqual(1);
      expect(low <= mean && mean <= high).toBe(true);
      const turned = boundedEstimate(xs.map((x) => 1 - x)).interval;
      expect(turned[0]).toBeCloseTo(1 - high, 10);
      expect(turned[1]).toBeCloseTo(1 - low, 10);
    }
  });

  it("widens where clusters are alike, and is no certainty where all answers are the same", () => {
    const xs = Array.from({ length: 60 }, (_, i) => Number(i % 12 < 6));
    const alike = xs.map((_, i) => Math.floor(i / 6));
    const wide = boundedEstimate(xs, { clusters: alike });
    expect(wide.standardError).toBe(clusteredEstimate(xs, alike).standardError);
    const plain = boundedEstimate(xs).interval;
    expect(wide.interval[1] - wide.interval[0]).toBeGreaterThan(1.5 * (plain[1] - plain[0]));
    const none = boundedEstimate(Array<number>(30).fill(0), { clusters: Array.from({ length: 30 }, (_, i) => i % 6) });
    expect(none.interval[0]).toBe(0);
    expect(none.interval[1]).toBeGreaterThan(0.1);
  });

  it("has no interval for one unit, and refuses what is no share", () => {
    expect(boundedEstimate([0.5]).interval).toEqual([Number.NaN, Number.NaN]);
    expect(boundedEstimate([0, 1], { clusters: ["a", "a"] }).interval).toEqual([Number.NaN, Number.NaN]);
    expect(() => boundedEstimate([0.5, 1.5])).toThrow(ConfigError);
    expect(() => boundedEstimate([Number.NaN])).toThrow(/score is NaN, expected 0 to 1/);
    expect(() => boundedEstimate([])).toThrow(ConfigError);
  });
});
