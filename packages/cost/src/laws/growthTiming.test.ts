import { describe, expect, it } from "vitest";
import { growthTiming } from "./growthTiming.ts";
import { predictLoss } from "./predictLoss.ts";
import { publishedTargets, publishedTiming } from "./publishedTiming.ts";
import { timingOpinions } from "./timingOpinions.ts";

describe("growthTiming", () => {
  const plain = growthTiming("plain");
  const boundary = growthTiming("boundary");
  it("predicts rows that it has not seen within 2 to 3 thousandths of a nat, of gains up to 0.039", () => {
    expect(plain.heldOutStd).toBeLessThan(0.002);
    expect(boundary.heldOutStd).toBeLessThan(0.003);
    expect([plain.cells, boundary.cells]).toEqual([24, 25]);
  });
  it("finds the published best shares: half for plain models, earlier and larger gains where the small model is over-trained", () => {
    expect(plain.best().shareAfter).toBeCloseTo(0.53, 1);
    const [usual, over] = [boundary.best(6), boundary.best(22.6)];
    expect(usual.shareAfter).toBeGreaterThan(0.17);
    expect(usual.shareAfter).toBeLessThan(0.3);
    expect(over.shareAfter).toBeGreaterThan(usual.shareAfter);
    expect(over.nats).toBeGreaterThan(2 * usual.nats);
  });
  it("knows that growing very late can be worse than not growing", () => {
    expect(plain.gain(0.1).nats).toBeLessThan(0);
    expect(plain.gain(0.5).interval[0]).toBeGreaterThan(0);
  });
  it("covers the published cells with its 80 % intervals", () => {
    const inside = publishedTiming.flatMap(({ variant, tokensPerParameter, losses }) =>
      losses.slice(1).map(([share, loss]) => {
        const [low, high] = (variant === "plain" ? plain : boundary).gain(share, tokensPerParameter).interval;
        return losses[0]![1] - loss >= low && losses[0]![1] - loss <= high;
      }),
    );
    expect(inside.filter(Boolean).length / inside.length).toBeGreaterThan(0.8);
  });
  it("clamps what the tables do not hold, and says so", () => {
    expect(boundary.gain(0.9, 100).warnings).toHaveLength(2);
    expect(boundary.gain(0.9, 100).nats).toBe(boundary.gain(0.4, 22.6).nats);
    expect(() => boundary.gain(-1)).toThrow(/Check the units/);
  });
});

describe("publishedTargets", () => {
  it("has growth by two best at every budget", () => {
    for (const { losses } of publishedTargets) expect(losses.reduce((a, b) => (b[1] < a[1] ? b : a))[0]).toBe(4);
  });
});

describe("timingOpinions", () => {
  it("says that the laws disagree", () => {
    const { opinions, sentence } = timingOpinions(1e9, 100e9);
    expect(opinions.length).toBeGreaterThanOrEqual(6);
    expect(sentence).toMatch(/disagree/);
  });
});

describe("predictLoss", () => {
  it("clamps outside of its fit with a warning in the result, and keeps the extrapolation beside it", () => {
    const inside = predictLoss(1e9, 20e9);
    expect(inside.warnings).toEqual([]);
    expect(inside.loss).toBe(inside.extrapolated);
    const flm = predictLoss(101e9, 311.55e9);
    expect(flm.extrapolated.toFixed(3)).toBe("2.019");
    expect(flm.loss).toBe(predictLoss(16.2e9, 311.55e9).loss);
    expect(flm.warnings).toEqual(["epoch: parameters 1.01e+11 is outside the fitted 4.40e+7 to 1.62e+10, taken as 1.62e+10"]);
    expect(predictLoss(101e9, 311.55e9, "kaplan").warnings).toHaveLength(2);
  });
});
