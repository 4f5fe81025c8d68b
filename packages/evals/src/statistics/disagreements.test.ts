import { random } from "@espalier/core";
import { describe, expect, it } from "vitest";
import { disagreementRates } from "../testing/coverage.ts";
import { pairCoverages, pairRules } from "../testing/pairs.ts";
import { jeffreysDifference } from "./disagreements.ts";
import { betaQuantile } from "./distributions.ts";
import { wilson } from "./intervals.ts";

describe("jeffreysDifference", () => {
  it("cuts off 2.5 % of the posterior on either side, drawn with gamma variables", () => {
    const draws = random(3, "dirichlet").sequence();
    /** Gamma variable of shape k + 1/2: half a squared normal and k exponentials. */
    const gamma = (k: number): number => Array.from({ length: k }, () => -Math.log(1 - draws.uniform())).reduce((sum, x) => sum + x, draws.normal() ** 2 / 2);
    for (const [onlyA, onlyB, n] of [[1, 0, 30], [7, 1, 40], [0, 4, 34], [9, 12, 60]]) {
      const [low, high] = jeffreysDifference(onlyA, onlyB, n);
      const trials = 20_000;
      let [below, above] = [0, 0];
      for (let trial = 0; trial < trials; trial++) {
        const [a, b, same] = [gamma(onlyA), gamma(onlyB), gamma(n - onlyA - onlyB)];
        const difference = (a - b) / (a + b + same);
        if (difference < low) below++;
        if (difference > high) above++;
      }
      for (const share of [below / trials, above / trials]) expect(Math.abs(share - 0.025)).toBeLessThan(0.0045); // four standard errors
    }
  });

  it("is twice Jeffreys' interval of one share, less one, where the models disagree on nearly all of many items", () => {
    const [low, high] = jeffreysDifference(700, 300, 1000);
    expect(low).toBeCloseTo(2 * betaQuantile(0.025, 700.5, 300.5) - 1, 3);
    expect(high).toBeCloseTo(2 * betaQuantile(0.975, 700.5, 300.5) - 1, 3);
  });

  it("turns round with the models, takes effective numbers, and reaches 1 where one model alone is right", () => {
    for (const [onlyA, onlyB, n] of [[3.4, 1.1, 17.9], [0, 0, 2], [250, 300, 1000]]) {
      const [there, back] = [jeffreysDifference(onlyA, onlyB, n), jeffreysDifference(onlyB, onlyA, n)];
      expect(there[0]).toBeCloseTo(-back[1], 8);
      expect(there[1]).toBeCloseTo(-back[0], 8);
    }
    expect(jeffreysDifference(0, 0, 30)[1]).toBeCloseTo(wilson(0, 30)[1], 12);
    expect(jeffreysDifference(5, 0, 5)[1]).toBe(1);
    expect(jeffreysDifference(0, 5, 5)[0]).toBe(-1);
  });
});

describe("exact coverage", () => {
  it.each([30, 100])("is within 93 to 97 per cent with %i items at the five rates of the table", (n) => {
    for (const share of pairCoverages(jeffreysDifference, n, [0.02, 0.2, 0.5, 0.8, 0.98].map(disagreementRates))) {
      expect(share).toBeGreaterThan(0.93);
      expect(share).toBeLessThan(0.97);
    }
  });

  const inside = (name: string) => pairCoverages(pairRules.find(([rule]) => rule === name)![1], 30).filter((share) => share >= 0.93 && share <= 0.97).length;

  it("is 93 to 97 % at more of 253 pairs of rates and 30 items with Jeffreys' interval than with the published others", () => {
    const jeffreys = inside("Jeffreys");
    expect(jeffreys).toBeGreaterThan(180);
    for (const other of ["Tango", "Bonett-Price", "Agresti-Min"]) expect(inside(other)).toBeLessThan(jeffreys - 20);
  });
});
