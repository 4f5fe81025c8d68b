import { describe, expect, it } from "vitest";
import { computeOfLossGap, honestSavings, twoPointSaving } from "./savings.ts";

const claims = honestSavings();
const of = (work: string) => claims.find((claim) => claim.work.includes(work))!.savings.map((saving) => saving.toFixed(3));

describe("honestSavings", () => {
  it.each([
    // 1 - 1/pi of the published multipliers 1.073, 1.097, 1.113, 1.120, 1.149, 1.175, to three decimals.
    ["late depth growth", [1.073, 1.097, 1.113, 1.12, 1.149, 1.175]],
    ["with boundary operator", [1.321, 1.36, 1.421, 1.486, 1.531]],
    ["growth alone", [1.098, 1.092, 1.116, 1.143, 1.15, 1.167]],
  ])("re-reads %s from its multipliers to three decimals", (work, multipliers) => {
    const savings = claims.find((claim) => claim.work.includes(work))!.savings;
    multipliers.forEach((m, i) => expect((1 / (1 - savings[i]!)).toFixed(3)).toBe(m.toFixed(3)));
  });
  it("re-reads width growth by two points: 16, 16 and 24 %, not 20, 25 and 35 %", () => {
    expect(of("SPARKLING").map((saving) => Math.round(100 * Number(saving)))).toEqual([16, 16, 24]);
    expect(of("SPARKLING")).toEqual(["0.158", "0.162", "0.235"]);
  });
  it("re-reads speed-ups as savings", () => {
    expect(of("G_stack")).toEqual(["0.353", "0.356", "0.350", "0.290", "0.237"]);
  });
  it("says why a claim has no reading", () => {
    for (const claim of claims.filter(({ savings }) => savings.length === 0)) expect(claim.reading.length).toBeGreaterThan(20);
  });
});

describe("twoPointSaving", () => {
  it("is what was claimed when the grown run lies on the large run's loss", () => {
    expect(twoPointSaving({ flops: 1, loss: 4 }, { flops: 10, loss: 3 }, { flops: 8, loss: 3 })).toBeCloseTo(0.2, 12);
  });
  it("is nothing for a point of the law itself", () => {
    expect(twoPointSaving({ flops: 1, loss: 4 }, { flops: 100, loss: 1 }, { flops: 10, loss: 2 })).toBeCloseTo(0, 12);
  });
  it("refuses runs in the wrong order", () => {
    expect(() => twoPointSaving({ flops: 10, loss: 3 }, { flops: 1, loss: 4 }, { flops: 5, loss: 3 })).toThrow(/Order the runs/);
  });
});

describe("computeOfLossGap", () => {
  it.each([[0.005, "1.12"], [0.002, "1.05"]])("%d costs %s times the compute", (gap, factor) => expect(computeOfLossGap(gap).toFixed(2)).toBe(factor));
});
