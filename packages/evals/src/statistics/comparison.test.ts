import { random } from "@espalier/core";
import { describe, expect, it } from "vitest";
import { benjaminiHochberg, holm, mcnemar, minimumDetectableDifference, pairedPermutation, proportionDifference } from "./comparison.ts";

describe("mcnemar", () => {
  it("counts disagreements only and is exact", () => {
    const a = [true, true, true, true, true, true, false, true, false];
    const b = [false, false, false, false, false, false, true, true, false];
    expect(mcnemar(a, b)).toEqual({ onlyA: 6, onlyB: 1, pValue: expect.closeTo((2 * (1 + 7)) / 2 ** 7, 12) });
  });

  it("says nothing when the models never disagree", () => {
    expect(mcnemar([true, false], [true, false]).pValue).toBe(1);
  });
});

describe("pairedPermutation", () => {
  it("equals McNemar's exact test on 0/1 scores", () => {
    const a = [1, 1, 1, 1, 1, 1, 0, 1];
    const b = [0, 0, 0, 0, 0, 0, 1, 1];
    const { pValue, exact } = pairedPermutation(a, b);
    expect(exact).toBe(true);
    expect(pValue).toBeCloseTo(mcnemar(a.map(Boolean), b.map(Boolean)).pValue, 12);
  });

  it("is seeded and close to exact when signs are drawn", () => {
    const draws = random(5, "pairs").sequence();
    const a = Array.from({ length: 12 }, () => draws.normal() + 0.8);
    const b = a.map(() => draws.normal());
    const exact = pairedPermutation(a, b);
    const drawn = pairedPermutation(a, b, { iterations: 4000, seed: 2 });
    expect([exact.exact, drawn.exact]).toEqual([true, false]);
    expect(Math.abs(exact.pValue - drawn.pValue)).toBeLessThan(0.03);
    expect(pairedPermutation(a, b, { iterations: 4000, seed: 2 })).toEqual(drawn);
  });

  it("draws every sign of more than 32 differences fairly", () => {
    const a = Array.from({ length: 70 }, (_, i) => (i < 42 ? 1 : 0));
    const b = a.map((x) => 1 - x);
    const expected = mcnemar(a.map(Boolean), b.map(Boolean)).pValue; // 42 against 28: 0.12
    expect(Math.abs(pairedPermutation(a, b, { iterations: 5000 }).pValue - expected)).toBeLessThan(0.02);
  });

  it("finds a clear difference over more than 32 items", () => {
    const a = Array.from({ length: 50 }, (_, i) => (i % 5 === 0 ? 0 : 1));
    const b = a.map((x, i) => (i % 2 === 0 ? 0 : x));
    expect(pairedPermutation(a, b).pValue).toBeLessThan(0.001);
    expect(pairedPermutation(a, a.toReversed().toReversed()).pValue).toBe(1);
  });
});

describe("proportionDifference", () => {
  it("equals Newcombe's published example 56/70 against 48/80", () => {
    const { difference, interval } = proportionDifference(56, 70, 48, 80);
    expect(difference).toBeCloseTo(0.2, 12);
    expect(interval[0]).toBeCloseTo(0.0524, 4);
    expect(interval[1]).toBeCloseTo(0.3339, 4);
  });
});

describe("holm", () => {
  it("multiplies by the tests left and never goes down", () => {
    expect(holm([0.01, 0.04, 0.03])).toEqual([0.03, 0.06, 0.06]);
    expect(holm([0.6, 0.7])).toEqual([1, 1]);
  });
});

describe("benjaminiHochberg", () => {
  it("equals SciPy's adjusted values", () => {
    const adjusted = benjaminiHochberg([0.01, 0.04, 0.03, 0.2, 0.5]);
    [0.05, 0.2 / 3, 0.2 / 3, 0.25, 0.5].forEach((expected, i) => expect(adjusted[i]).toBeCloseTo(expected, 12));
  });
});

describe("minimumDetectableDifference", () => {
  it("needs four times the items for half the difference", () => {
    const at = (items: number) => minimumDetectableDifference({ standardDeviation: 0.5, items });
    expect(at(100)).toBeCloseTo(2 * at(400), 12);
    expect(at(100)).toBeCloseTo((1.959963984540054 + 0.8416212335729143) * 0.05, 10);
  });
});
