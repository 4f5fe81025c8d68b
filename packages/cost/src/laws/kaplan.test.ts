import { describe, expect, it } from "vitest";
import { criticalBatchTokens, kaplan, kaplanLoss, kaplanLossOfCompute, kaplanLossOfParameters, kaplanLossOfSteps, kaplanLossOfTokens } from "./kaplan.ts";

describe("Kaplan's laws", () => {
  it("give GPT-3's predicted loss of about 1.73 at 3,640 PF-days", () => {
    // Brown et al. 2020, figure 3.1, plot 2.57 C^-0.048; the earlier law gives 1.764.
    expect(kaplanLossOfCompute(3640)).toBeCloseTo(1.764, 2);
  });
  it("reach 1 nat at their critical scales and fall from there", () => {
    expect([kaplanLossOfParameters(kaplan.Nc), kaplanLossOfTokens(kaplan.Dc)]).toEqual([1, 1]);
    expect(kaplanLossOfParameters(1e9)).toBeCloseTo(8.8e4 ** 0.076, 9);
  });
  it("approach the single laws of the joint fit at the ends", () => {
    expect(kaplanLoss(1e9, 1e20)).toBeCloseTo((6.4e13 / 1e9) ** 0.076, 3);
    expect(kaplanLoss(1e20, 1e10)).toBeCloseTo((1.8e13 / 1e10) ** 0.103, 3);
  });
  it("need fewer tokens a batch at a higher loss", () => {
    expect(criticalBatchTokens(4)).toBeLessThan(criticalBatchTokens(2));
  });
  it("solve the law of steps consistently", () => {
    const loss = kaplanLossOfSteps(1e9, 1e5, 5e5);
    const least = 1e5 / (1 + criticalBatchTokens(loss) / 5e5);
    expect(loss).toBeCloseTo(kaplanLossOfParameters(1e9) + (kaplan.Sc / least) ** kaplan.alphaS, 9);
    expect(kaplanLossOfSteps(1e9, 2e5, 5e5)).toBeLessThan(loss);
  });
});
