import { describe, expect, it } from "vitest";
import { bestFixed, comparisons } from "./comparisons.ts";
import { equalLossRows } from "./equalLoss.ts";
import { caveat, headline } from "./headline.ts";
import { sampleArm } from "./testing.ts";

const grown = [3.6, 3.62, 3.61].map((loss, seed) => sampleArm("growth three stages", seed, loss, 1e12));
const bar = [3.65, 3.66, 3.64].map((loss, seed) => sampleArm("scratch bar", seed, loss, 1.3e12));
const fixed = [
  sampleArm("best fixed shape", 0, 3.5, 1e12, 48),
  sampleArm("best fixed shape", 0, 3.4, 1e12, 64),
  sampleArm("best fixed shape", 1, 3.42, 1e12, 64),
  sampleArm("best fixed shape", 2, 3.41, 1e12, 64),
];

describe("comparisons", () => {
  it("pairs by seed, states s and passes only at or below the control", () => {
    const [first] = comparisons([...grown, ...bar]);
    expect(first!.s).toBeCloseTo(1.3);
    expect(first!.perSeed.map((row) => row.passed)).toEqual([true, true, true]);
    expect(first!.meanDifference).toBeCloseTo(-0.04);
    expect(first!.interval![1]).toBeLessThan(0);
    const [reversed] = comparisons([sampleArm("growth three stages", 0, 3.7, 1e12), bar[0]!]);
    expect(reversed!.perSeed[0]!.passed).toBe(false);
    expect(reversed!.interval).toBeNull();
  });

  it("takes the shape that won the sweep, at every seed", () => {
    expect(bestFixed(fixed).map((arm) => arm.finalLoss)).toEqual([3.4, 3.42, 3.41]);
  });
});

describe("headline and caveat", () => {
  it("says that growth lost to the best fixed shape when it did", () => {
    const arms = [...grown, ...bar, ...fixed];
    expect(headline(arms, comparisons(arms))).toMatch(/3\.610 nats per token, lower than the 3\.650/);
    expect(caveat(arms, 3)).toMatch(/ends 0\.200 nats lower/);
  });

  it("says when nothing can be told apart, and when seeds are few", () => {
    const arms = [sampleArm("growth three stages", 0, 3.6, 1e12), sampleArm("growth three stages", 1, 3.7, 1e12), bar[0]!, bar[1]!, ...fixed];
    expect(headline(arms, comparisons(arms))).toContain("not distinguishable from");
    expect(caveat(arms, 2)).toContain("Only 2 seeds");
  });
});

describe("equalLossRows", () => {
  it("interpolates between finished runs of the same shape and rate, and never beyond them", () => {
    const cheap = [0, 1, 2].map((seed) => sampleArm("scratch equal tokens", seed, 3.55, 4e12));
    const [row] = equalLossRows([...grown, ...bar, ...cheap]);
    expect(row!.multiplier).toBeGreaterThan(1.3);
    expect(row!.multiplier).toBeLessThan(4);
    const [outside] = equalLossRows([...grown, ...bar]);
    expect(outside).toMatchObject({ multiplier: null, interval: null });
    expect(outside!.note).toMatch(/below all of them/);
  });

  it("does not mix in runs at another learning rate", () => {
    const other = sampleArm("pilot", 0, 3.55, 4e12, 96, 0.003);
    expect(equalLossRows([...grown, ...bar, other])[0]!.multiplier).toBeNull();
  });
});
