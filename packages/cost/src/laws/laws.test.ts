import { describe, expect, it } from "vitest";
import { chinchillaLoss, computeOptimal, epochChinchilla, roundedChinchilla, texChinchilla } from "./chinchilla.ts";
import { growthLoss, predictedEqualLossSaving, scratchFlopsToLoss } from "./growthLaw.ts";
import { growthCurveSaving, stagedSaving } from "./linearGrowth.ts";
import { stackTiming } from "./stackTiming.ts";
import { growthStages } from "../paper/quantities.ts";
import { flm101b } from "../paper/tables.ts";

const flm = growthStages(flm101b);

describe("chinchillaLoss", () => {
  it.each([
    ["Epoch", epochChinchilla, "2.019"],
    ["rounded", roundedChinchilla, "2.012"],
    ["TeX", texChinchilla, "1.987"],
  ] as const)("of 101B on 311.55B tokens with the %s constants", (_, constants, loss) => {
    expect(chinchillaLoss(101e9, 311.55e9, constants).toFixed(3)).toBe(loss);
  });
});

describe("computeOptimal", () => {
  it("puts FLM's FLOPs at about 21B parameters and 414B tokens", () => {
    const { parameters, tokens } = computeOptimal(52.76e21);
    expect((parameters / 1e9).toFixed(0)).toBe("21");
    expect((tokens / 1e9).toFixed(0)).toBe("414");
    expect(6 * parameters * tokens).toBeCloseTo(52.76e21, -12);
  });
  it.each([epochChinchilla, roundedChinchilla, texChinchilla])("is no worse than its neighbours on the same FLOPs (%#)", (c) => {
    const { parameters, loss } = computeOptimal(1e21, c);
    for (const factor of [0.9, 1.1]) {
      expect(chinchillaLoss(parameters * factor, 1e21 / 6 / parameters / factor, c)).toBeGreaterThan(loss);
    }
  });
});

describe("growthStages", () => {
  it("are the nominal sizes and printed tokens", () => {
    expect(flm).toEqual([
      { parameters: 16e9, tokens: 245.37e9 },
      { parameters: 51e9, tokens: 39.64e9 },
      { parameters: 101e9, tokens: 26.54e9 },
    ]);
  });
});

describe("growthLoss", () => {
  it("gives the table of the loss-matching law to three decimals", () => {
    const { loss, flops, equivalentTokens, equivalentAfterGrowth } = growthLoss(flm);
    expect(loss.toFixed(3)).toBe("2.062");
    expect((flops / 1e21).toFixed(1)).toBe("51.8");
    expect(equivalentAfterGrowth.map((tokens) => (tokens / 1e9).toFixed(1))).toEqual(["115.3", "115.2"]);
    expect((equivalentTokens / 1e9).toFixed(1)).toBe("141.8");
    expect((scratchFlopsToLoss(101e9, loss) / 1e21).toFixed(1)).toBe("85.9");
    expect(predictedEqualLossSaving(flm).toFixed(2)).toBe("1.66");
  });
  it.each([
    [101e9, "2.097"],
    [51e9, "2.070"],
    [16e9, "2.059"],
  ])("leaves the plain model of %d parameters at %s on the same FLOPs", (parameters, loss) => {
    expect(chinchillaLoss(parameters, growthLoss(flm).flops / 6 / parameters).toFixed(3)).toBe(loss);
  });
  it("keeps the loss at a function-preserving growth", () => {
    const before = growthLoss([{ parameters: 16e9, tokens: 100e9 }]).loss;
    const after = growthLoss([{ parameters: 16e9, tokens: 100e9 }, { parameters: 51e9, tokens: 0 }]).loss;
    expect(after).toBeCloseTo(before, 12);
  });
  it("loses with a jump or lower retention and gains with transfer", () => {
    const base = growthLoss(flm).loss;
    expect(growthLoss(flm, { lossJump: 0.05 }).loss).toBeGreaterThan(base);
    expect(growthLoss(flm, { retention: 0.8 }).loss).toBeGreaterThan(base);
    expect(growthLoss(flm, { transfer: 0.5 }).loss).toBeLessThan(base);
  });
  it("refuses a stage that shrinks", () => {
    expect(() => growthLoss([{ parameters: 2, tokens: 1 }, { parameters: 1, tokens: 1 }])).toThrow(/stage 1: has 1 parameters/);
  });
});

describe("stackTiming", () => {
  it.each([
    [3e9, 5.4e21, 13],
    [7e9, 1.26e22, 20],
    [101e9, 1.9e23, 91],
  ])("target %d, %d FLOPs: about %d billion tokens for the small model, outside the fit", (parameters, flops, tokensB) => {
    const { tokens, extrapolatedTokens, insideFit, warnings } = stackTiming(parameters, flops);
    expect(Math.round(extrapolatedTokens / 1e9)).toBe(tokensB);
    expect(insideFit).toBe(false);
    expect(warnings.join(" ")).toContain("outside the fitted");
    expect(tokens).toBe(stackTiming(Math.min(parameters, 3e9), 1.2e21).tokens);
  });
  it.each([
    [6.58, 8e9, 15e12],
    [11.11, 7e9, 2e12],
    [15.84, 13e9, 2e12],
    [42.48, 70e9, 2e12],
  ])("agrees within 4 %% with the published example of %d billion tokens", (tokensB, parameters, data) => {
    expect(Math.abs(stackTiming(parameters, 6 * parameters * data).extrapolatedTokens / 1e9 / tokensB - 1)).toBeLessThan(0.04);
  });
  it("says when it is inside its fit", () => {
    expect(stackTiming(1.1e9, 1e21)).toMatchObject({ insideFit: true, warnings: [] });
    expect(stackTiming(1.1e9, 1e21).tokens).toBe(stackTiming(1.1e9, 1e21).extrapolatedTokens);
  });
});

describe("growthCurveSaving", () => {
  it("is one half for linear growth, more below the line, less above it", () => {
    expect(growthCurveSaving([[0, 0], [1, 1]])).toBe(0.5);
    expect(growthCurveSaving([[0, 0], [0.5, 0.2], [1, 1]])).toBeGreaterThan(0.5);
    expect(growthCurveSaving([[0, 0], [0.5, 0.8], [1, 1]])).toBeLessThan(0.5);
  });
  it("of FLM's stages is 73 % of the FLOPs at equal tokens", () => {
    expect(1 / (1 - stagedSaving(flm))).toBeCloseTo(3.65, 2);
  });
});
