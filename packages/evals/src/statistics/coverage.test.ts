import { describe, expect, it } from "vitest";
import { coverage, coverageCases } from "../testing/coverage.ts";
import { pairedProportions, tango } from "./comparison.ts";

/** Sets a cell: a coverage of 95 % is measured with a standard error of half a point. */
const TRIALS = 2000;
const at = (name: string, n: number, p: number) => coverage(coverageCases.find((test) => test.name === name)!, n, p, TRIALS);
const cells = (sizes: readonly number[], rates: readonly number[]) => sizes.flatMap((n) => rates.map((p) => [n, p] as const));

/** Numbers of items and true rates at which each interval is good to use: 93 to 97 % there. */
const good: Readonly<Record<string, readonly (readonly [number, number])[]>> = {
  Wilson: [...cells([30], [0.2, 0.5, 0.8]), ...cells([100], [0.02, 0.2, 0.5, 0.8, 0.98]), ...cells([1000], [0.02, 0.5])],
  "power of a uniform, bounded": [...cells([30], [0.02, 0.2, 0.5, 0.8]), ...cells([100], [0.02, 0.2, 0.5, 0.8, 0.98]), [1000, 0.02]],
  "F1, bounded": [...cells([30], [0.2, 0.5, 0.8]), ...cells([100], [0.02, 0.2, 0.5, 0.8, 0.98]), [1000, 0.02]],
  "recall of 4, bounded": [...cells([30, 100], [0.2, 0.5, 0.8]), [1000, 0.02]],
  "prefix accuracy of 6, bounded": [...cells([30], [0.2, 0.5, 0.8]), ...cells([100], [0.2, 0.5, 0.8, 0.98]), [1000, 0.02]],
  "paired right and wrong, t": [...cells([100], [0.2, 0.5, 0.8]), [1000, 0.5]],
  "paired right and wrong, Tango": [...cells([30], [0.2, 0.5, 0.8]), ...cells([100], [0.02, 0.2, 0.5, 0.8]), [1000, 0.5]],
  "paired right and wrong, Jeffreys": [...cells([30], [0.02, 0.5, 0.98]), ...cells([100], [0.02, 0.2, 0.5, 0.8, 0.98]), [1000, 0.5]],
  "paired power of a uniform, bounded": [...cells([30, 100], [0.2, 0.5, 0.8, 0.98]), [1000, 0.02]],
  "paired F1, bounded": cells([100], [0.02, 0.2, 0.5, 0.8, 0.98]),
  "paired recall of 4, bounded": cells([100], [0.02, 0.2, 0.5, 0.8, 0.98]),
  "paired prefix accuracy of 6, bounded": cells([100], [0.02, 0.2, 0.5, 0.8, 0.98]),
  "paired in clusters of 5, bounded": [...cells([100], [0.2, 0.5, 0.8]), [1000, 0.02]],
  "mean in clusters of 10 alike, bounded": [...cells([100], [0.5]), [1000, 0.5]],
  "mean in clusters of 5, bounded": [...cells([30], [0.5]), ...cells([100], [0.02, 0.2, 0.5, 0.8, 0.98]), [1000, 0.02]],
  "difference of two sets, Newcombe": [...cells([30, 100], [0.2, 0.5, 0.8]), [1000, 0.5]],
};

describe.each(Object.keys(good))("the 95 per cent interval of %s", (name) => {
  it.each(good[name])("holds the truth in 93 to 97 per cent of simulated sets of %i items at rate %f", (n, p) => {
    const share = at(name, n, p);
    expect(share).toBeGreaterThanOrEqual(0.93);
    expect(share).toBeLessThanOrEqual(0.97);
  });
});

describe("few items at rates near 0 or 1", () => {
  it.each(cells([30, 100], [0.02, 0.98]))("leave t intervals too narrow and the others safe at %i items and rate %f", (n, p) => {
    for (const [t, safe] of [["paired right and wrong, t", "paired right and wrong, Jeffreys"], ["mean in clusters of 5, t", "mean in clusters of 5, bounded"], ["F1, t", "F1, bounded"]] as const) {
      expect(at(t, n, p)).toBeLessThan(0.93);
      expect(at(safe, n, p)).toBeGreaterThan(0.93);
    }
  });

  it.each([0.02, 0.98])("do so for pairs with partial credit at 30 items and rate %f, and for few clusters that are alike", (p) => {
    expect(at("paired F1, t", 30, p)).toBeLessThan(0.93);
    expect(at("paired F1, bounded", 30, p)).toBeGreaterThan(0.93);
    expect(at("mean in clusters of 10 alike, t", 100, p)).toBeLessThan(0.6);
    expect(at("mean in clusters of 10 alike, bounded", 100, p)).toBeGreaterThan(0.93);
  });
});

describe("tango", () => {
  it("ends where the score test, worked out slowly, just rejects", () => {
    // Profile likelihood of the trinomial by search over q, the share that only the second has right.
    const errors = (onlyA: number, onlyB: number, n: number, d: number): number => {
      const log = (k: number, p: number) => (k === 0 ? 0 : k * Math.log(p));
      let best = { q: 0, value: -Infinity };
      for (let step = 0; step <= 200_000; step++) {
        const q = Math.max(0, -d) + (step / 200_000) * ((1 - d) / 2 - Math.max(0, -d));
        const value = log(onlyA, q + d) + log(onlyB, q) + log(n - onlyA - onlyB, 1 - 2 * q - d);
        if (value > best.value) best = { q, value };
      }
      return (onlyA - onlyB - n * d) / Math.sqrt(n * (2 * best.q + d * (1 - d)));
    };
    for (const [both, onlyA, onlyB, neither] of [[20, 7, 1, 12], [3, 2, 5, 20], [0, 4, 0, 30]]) {
      const n = both + onlyA + onlyB + neither;
      const interval = tango(onlyA, onlyB, n, 1.959963984540054);
      expect(errors(onlyA, onlyB, n, interval[0])).toBeCloseTo(1.959964, 3);
      expect(errors(onlyA, onlyB, n, interval[1])).toBeCloseTo(-1.959964, 3);
    }
  });
});

describe("pairedProportions", () => {
  const answers = (both: number, onlyA: number, onlyB: number, neither: number) => ({
    a: [...Array<boolean>(both + onlyA).fill(true), ...Array<boolean>(onlyB + neither).fill(false)],
    b: [...Array<boolean>(both).fill(true), ...Array<boolean>(onlyA).fill(false), ...Array<boolean>(onlyB).fill(true), ...Array<boolean>(neither).fill(false)],
  });

  it("has the difference found and McNemar's exact p", () => {
    const { a, b } = answers(20, 7, 1, 12);
    const { difference, pValue } = pairedProportions(a, b);
    expect(difference).toBeCloseTo(6 / 40, 12);
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
