import { ConfigError } from "@espalier/core";
import { describe, expect, it } from "vitest";
import { boundedDifference } from "./boundedDifference.ts";
import { pairedProportions } from "./comparison.ts";
import { pairedDifference } from "./means.ts";

const spread = (n: number, step: number) => Array.from({ length: n }, (_, i) => ((i * step) % 101) / 100);
const width = ([low, high]: readonly [number, number]) => high - low;

describe("boundedDifference", () => {
  it("is Jeffreys' interval for right and wrong, with the plain difference, error and correlation", () => {
    const a = [1, 1, 0, 1, 0, 1, 1, 0, 1, 1];
    const b = [1, 0, 0, 1, 1, 0, 0, 0, 1, 0];
    const { interval, ...rest } = boundedDifference(a, b);
    expect(interval).toEqual(pairedProportions(a.map(Boolean), b.map(Boolean)).interval);
    const { interval: _, ...plain } = pairedDifference(a, b);
    expect(rest).toEqual(plain);
  });

  it("is nearly the t interval for many differences of all sizes", () => {
    const [a, b] = [spread(2000, 37), spread(2000, 53)];
    const t = pairedDifference(a, b).interval;
    const { interval } = boundedDifference(a, b);
    expect(interval[0]).toBeCloseTo(t[0], 3);
    expect(interval[1]).toBeCloseTo(t[1], 3);
  });

  it("knows that scores a quarter as far apart say as much with a quarter of the width, once many say so", () => {
    const [a, b] = [spread(2000, 37).map((x) => Number(x > 0.5)), spread(2000, 53).map((x) => Number(x > 0.6))];
    const whole = boundedDifference(a, b).interval;
    const quarter = boundedDifference(a.map((x) => x / 4), b.map((x) => x / 4)).interval;
    expect(quarter[0]).toBeCloseTo(whole[0] / 4, 4);
    expect(quarter[1]).toBeCloseTo(whole[1] / 4, 4);
  });

  it("is no certainty where models never disagree or one item alone differs, and turns round with the models", () => {
    const same = Array<number>(30).fill(0.3);
    const none = boundedDifference(same, same).interval;
    expect(none[1]).toBeCloseTo(-none[0], 12);
    expect(none[1]).toBeGreaterThan(0.1);
    const one = [0.4, ...same.slice(1)];
    const there = boundedDifference(one, same).interval;
    const back = boundedDifference(same, one).interval;
    expect(there[0]).toBeCloseTo(-back[1], 12);
    expect(there[1]).toBeGreaterThan(2 * pairedDifference(one, same).interval[1]);
  });

  it("widens where clusters differ as wholes, and takes clusters that all differ in one way as few observations", () => {
    const n = 60;
    const alike = Array.from({ length: n }, (_, i) => Math.floor(i / 10));
    const a = alike.map((c) => Number(c % 2 === 0));
    const b = alike.map((c) => Number(c % 3 === 0));
    const clustered = boundedDifference(a, b, { clusters: alike });
    expect(clustered.standardError).toBe(pairedDifference(a, b, alike).standardError);
    expect(width(clustered.interval)).toBeGreaterThan(2 * width(boundedDifference(a, b).interval));
    const always = boundedDifference(Array<number>(n).fill(1), Array<number>(n).fill(0), { clusters: alike }).interval;
    expect(always[1]).toBe(1);
    expect(always[0]).toBeLessThan(0.8);
  });

  it("stays within -1 and 1 and holds the difference", () => {
    const cases: [number[], number[], number[]?][] = [
      [[1, 1, 1, 0.9], [0, 0, 0, 0.1]],
      [[0.2, 0.9, 0.1], [0.3, 0.1, 0.1]],
      [[1, 0.5, 0, 0.25], [0, 0.5, 1, 0], [1, 1, 2, 2]],
      [[0, 0, 0, 0], [1, 1, 0.5, 1], [1, 1, 2, 2]],
    ];
    for (const [a, b, clusters] of cases) {
      const { mean, interval: [low, high] } = boundedDifference(a, b, { clusters });
      expect(low).toBeGreaterThanOrEqual(-1);
      expect(high).toBeLessThanOrEqual(1);
      expect(low <= mean && mean <= high).toBe(true);
    }
  });

  it("has no interval for one unit, and refuses what is no share or no pair", () => {
    expect(boundedDifference([0.5], [0.2]).interval).toEqual([Number.NaN, Number.NaN]);
    expect(boundedDifference([1, 0], [0, 0], { clusters: ["a", "a"] }).interval).toEqual([Number.NaN, Number.NaN]);
    expect(() => boundedDifference([1.5], [0])).toThrow(ConfigError);
    expect(() => boundedDifference([1], [0, 1])).toThrow(ConfigError);
  });
});
