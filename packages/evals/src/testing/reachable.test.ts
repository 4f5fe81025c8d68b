import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { binomialPmf } from "../statistics/distributions.ts";
import { reachableCoverage } from "./reachable.ts";

const counts = (n: number, p: number) => Array.from({ length: n + 1 }, (_, k) => binomialPmf(k, n, p));

describe("reachableCoverage", () => {
  it("agrees with all subsets, listed", () => {
    const weights = fc.array(fc.double({ min: 0.001, max: 1, noNaN: true }), { minLength: 1, maxLength: 9 });
    fc.assert(
      fc.property(weights, fc.double({ min: 0.1, max: 0.9, noNaN: true }), (raw, low) => {
        const total = raw.reduce((sum, x) => sum + x, 0);
        const masses = raw.map((x) => x / total);
        const high = low + 0.03;
        const sums = Array.from({ length: 2 ** masses.length }, (_, set) => masses.reduce((sum, x, i) => sum + ((set >> i) & 1 ? x : 0), 0));
        const { reachable, below, above } = reachableCoverage(masses, low, high);
        expect(reachable).toBe(sums.some((sum) => sum >= low && sum <= high));
        if (reachable) return;
        expect(below).toBeCloseTo(Math.max(...sums.filter((sum) => sum < low)), 9);
        expect(above).toBeCloseTo(Math.min(...sums.filter((sum) => sum > high)), 9);
      }),
    );
  });

  it("proves that no interval of a count of 30 at a rate of 0.02 or 0.98 covers 93 to 97 %: 90.1 % or 97.8 %", () => {
    for (const p of [0.02, 0.98]) {
      const { reachable, below, above } = reachableCoverage(counts(30, p), 0.93, 0.97);
      expect(reachable).toBe(false);
      expect(below).toBeCloseTo(0.9012, 4);
      expect(above).toBeCloseTo(0.9783, 4);
    }
    expect(reachableCoverage(counts(30, 0.2), 0.93, 0.97).reachable).toBe(true);
    expect(reachableCoverage(counts(1000, 0.02), 0.93, 0.97).reachable).toBe(true);
  });
});
