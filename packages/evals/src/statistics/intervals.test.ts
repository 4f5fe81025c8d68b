import { random } from "@espalier/core";
import { describe, expect, it } from "vitest";
import { binomialPmf } from "./distributions.ts";
import { betaInterval, clopperPearson, type Interval, ruleOfThree, wilson } from "./intervals.ts";

const near = (actual: Interval, expected: Interval) => {
  expect(actual[0]).toBeCloseTo(expected[0], 12);
  expect(actual[1]).toBeCloseTo(expected[1], 12);
};

describe("wilson", () => {
  it("equals SciPy's values, the ends included", () => {
    near(wilson(0, 30), [0, 0.11351339317396875]);
    near(wilson(1, 30), [0.005908590381612441, 0.16670390991409173]);
    near(wilson(103, 148), [0.6176538029488693, 0.7643235598245665]);
    near(wilson(100, 100), [0.9630065017930143, 1]);
  });

  it("refuses shares and counts that do not fit", () => {
    expect(() => wilson(0.5, 10)).toThrow(/0.5 of 10, expected whole numbers/);
    expect(() => wilson(11, 10)).toThrow();
    expect(() => wilson(0, 0)).toThrow();
  });
});

describe("clopperPearson", () => {
  it("equals SciPy's exact interval", () => {
    near(clopperPearson(0, 30), [0, 0.11570330822202743]);
    near(clopperPearson(1, 30), [0.0008435709266493071, 0.17216945563341293]);
    near(clopperPearson(100, 100), [0.9637833073548094, 1]);
  });
});

describe("betaInterval", () => {
  it("has the closed form at no success", () => {
    near(betaInterval(0, 30), [1 - 0.975 ** (1 / 31), 1 - 0.025 ** (1 / 31)]);
  });
});

describe("ruleOfThree", () => {
  it("is 3 / n and close to the exact bound", () => {
    const { approximate, exact } = ruleOfThree(100);
    expect(approximate).toBe(0.03);
    expect((1 - exact) ** 100).toBeCloseTo(0.05, 12);
  });
});

const cells = [30, 100, 1000].flatMap((n) => [0.02, 0.5, 0.98].map((p) => [n, p] as const));
/** At n = 30 and p = 0.02 or 0.98 no interval rule can cover 93 to 97 %: see the test below. */
const impossible = ([n, p]: readonly [number, number]) => n === 30 && p !== 0.5;

/** Probability that the interval of a binomial count contains the true p, by adding up all counts. */
function exactCoverage(interval: (k: number, n: number) => Interval, n: number, p: number): number {
  let covered = 0;
  for (let k = 0; k <= n; k++) {
    const [low, high] = interval(k, n);
    if (low <= p && p <= high) covered += binomialPmf(k, n, p);
  }
  return covered;
}

describe("coverage of the 95 % Wilson interval", () => {
  it.each(cells.filter((cell) => !impossible(cell)))("is within 93 to 97 %% at n = %i, p = %f", (n, p) => {
    const coverage = exactCoverage(wilson, n, p);
    expect(coverage).toBeGreaterThan(0.93);
    expect(coverage).toBeLessThan(0.97);
  });

  it.each(cells)("is the same in simulation at n = %i, p = %f", (n, p) => {
    const stream = random(11, "coverage", n, String(p));
    const trials = n === 1000 ? 2000 : 6000;
    let covered = 0;
    for (let t = 0; t < trials; t++) {
      let k = 0;
      for (let i = 0; i < n; i++) if (stream.uniform(t * n + i) < p) k++;
      const [low, high] = wilson(k, n);
      if (low <= p && p <= high) covered++;
    }
    const expected = exactCoverage(wilson, n, p);
    expect(Math.abs(covered / trials - expected)).toBeLessThan(4 * Math.sqrt((expected * (1 - expected)) / trials));
  });

  it.each([0.02, 0.98])("is 97.8 %% at n = 30, p = %f, where no fixed interval rule at all reaches 93 to 97 %%", (p) => {
    expect(exactCoverage(wilson, 30, p)).toBeCloseTo(0.9783, 4);
    // A rule covers p at some set of counts. The rare counts together hold 2.2 %; the three frequent ones decide.
    const masses = Array.from({ length: 31 }, (_, k) => binomialPmf(k, 30, p)).sort((a, b) => b - a);
    const rare = masses.slice(3).reduce((sum, mass) => sum + mass, 0);
    for (let subset = 0; subset < 8; subset++) {
      const frequent = [0, 1, 2].reduce((sum, bit) => sum + ((subset >> bit) & 1 ? masses[bit] : 0), 0);
      expect(frequent > 0.97 || frequent + rare < 0.93).toBe(true);
    }
  });
});
