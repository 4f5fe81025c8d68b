import { describe, expect, it } from "vitest";
import { clusterSums, correlationPosterior, mixtureQuantile } from "./clusters.ts";
import { studentQuantile } from "./distributions.ts";

const meanRho = (counts: readonly (readonly number[])[], shares: readonly number[]) => correlationPosterior(counts, shares).reduce((sum, { rho, weight }) => sum + rho * weight, 0);

describe("correlationPosterior", () => {
  it("weighs as the product of urn draws, one by one", () => {
    const counts = [[2, 1, 0], [0, 3, 1]];
    const shares = [0.3, 0.5, 0.2];
    const slow = correlationPosterior(counts, shares).map(({ rho }) => {
      const k = (1 - rho) / rho;
      let chance = 2 * Math.sqrt(rho); // width of the step at rho
      for (const count of counts) {
        let drawn = 0;
        for (const [category, number] of count.entries()) for (let x = 0; x < number; x++) chance *= (shares[category] * k + x) / (k + drawn++);
      }
      return chance;
    });
    const total = slow.reduce((sum, x) => sum + x, 0);
    correlationPosterior(counts, shares).forEach(({ weight }, i) => expect(weight).toBeCloseTo(slow[i] / total, 10));
  });

  it("finds clusters that are all alike, and clusters that are all mixed", () => {
    const alike = Array.from({ length: 20 }, (_, c) => (c % 2 ? [10, 0] : [0, 10]));
    const mixed = Array.from({ length: 20 }, () => [5, 5]);
    expect(meanRho(alike, [0.5, 0.5])).toBeGreaterThan(0.8);
    expect(meanRho(mixed, [0.5, 0.5])).toBeLessThan(0.02);
    expect(meanRho([[0, 10]], [0.01, 0.99])).toBeGreaterThan(0.3); // one cluster says next to nothing
  });
});

describe("mixtureQuantile", () => {
  it("is half way from the normal's to Student's t for one ratio, and between the ratios for two", () => {
    const stretch = (1.959963984540054 + studentQuantile(0.975, 9)) / 2;
    expect(mixtureQuantile([{ ratio: 1, weight: 1 }], 10, 0.95)).toBeCloseTo(stretch, 10);
    expect(mixtureQuantile([{ ratio: 4, weight: 1 }], 10, 0.95)).toBeCloseTo(2 * stretch, 10);
    const both = mixtureQuantile([{ ratio: 1, weight: 0.5 }, { ratio: 4, weight: 0.5 }], 10, 0.95);
    expect(both).toBeGreaterThan(1.5 * stretch); // the wide one has the tails
    expect(both).toBeLessThan(2 * stretch);
  });
});

describe("clusterSums", () => {
  it("sums columns by cluster in the order of their first items", () => {
    expect(clusterSums(["b", "a", "b"], [1, 2, 3], [1, 1, 1])).toEqual([[4, 2], [2, 1]]);
  });
});
