import { describe, expect, it } from "vitest";
import { leastSquares } from "./leastSquares.ts";
import { fitMuScaling } from "./muScaling.ts";

/** GPT-2, 6 layers, step 20k: millions of parameters and loss at widths 128 to 3072. Source: cofe-ai/Mu-scaling. */
const measured = [
  [8.53, 3.9181], [21.56, 3.6054], [39.09, 3.4431], [61.12, 3.3542], [87.65, 3.2902], [118.68, 3.2478],
  [154.21, 3.224], [194.24, 3.1797], [676.48, 3.0854], [1446.72, 3.0425],
] as const;

describe("fitMuScaling", () => {
  it("fits the seven narrow models as the authors did and predicts the three wide ones", () => {
    const { a, b, c, predict } = fitMuScaling(measured.slice(0, 7));
    expect([a.toFixed(4), b.toFixed(5), c.toFixed(4)]).toEqual(["2.4694", "-0.42311", "2.9233"]);
    expect(measured.slice(7).map(([N]) => predict(N).loss.toFixed(4))).toEqual(["3.1890", "3.0800", "3.0369"]);
  });
  it.each([
    [8, 2.4469, -0.4088, 2.9011],
    [10, 2.4965, -0.4324, 2.9335],
  ])("fits %d points", (n, a, b, c) => {
    const fit = fitMuScaling(measured.slice(0, n));
    expect(fit.a).toBeCloseTo(a, 4);
    expect(fit.b).toBeCloseTo(b, 4);
    expect(fit.c).toBeCloseTo(c, 4);
  });
  it("states an error that holds what was measured and grows with distance", () => {
    const { predict } = fitMuScaling(measured.slice(0, 7));
    const far = measured.slice(7).map(([N, loss]) => ({ loss, ...{ predicted: predict(N) } }));
    for (const { loss, predicted } of far) expect(Math.abs(loss - predicted.loss)).toBeLessThan(2.776 * predicted.standardError);
    expect(far[2]!.predicted.standardError).toBeGreaterThan(far[0]!.predicted.standardError);
  });
});

describe("leastSquares", () => {
  const line = { value: (x: number, [a, b]: readonly number[]) => a! + b! * x, gradient: (x: number) => [1, x] };

  it("agrees with a straight line worked out by hand", () => {
    // (0, 1), (1, 2), (2, 4): b = 1.5, a = 5/6; residuals 1/6, -1/3, 1/6: variance 1/6; var(b) = (1/6) / 2.
    const fit = leastSquares(line, [[0, 1], [1, 2], [2, 4]], [0, 0]);
    expect(fit.parameters[0]).toBeCloseTo(5 / 6, 9);
    expect(fit.parameters[1]).toBeCloseTo(1.5, 9);
    expect(fit.residualStd ** 2).toBeCloseTo(1 / 6, 9);
    expect(fit.covariance[1]![1]).toBeCloseTo(1 / 12, 9);
    expect(fit.predict(1).standardError ** 2).toBeCloseTo(1 / 18, 9);
  });
  it("refuses fewer points than it needs", () => {
    expect(() => leastSquares(line, [[0, 1], [1, 2]], [0, 0])).toThrow(/2 points, expected more than the 2 parameters/);
  });
  it("refuses points that do not determine the curve", () => {
    expect(() => leastSquares({ value: (_, [a, b]) => a! + b!, gradient: () => [1, 0] }, [[1, 1], [1, 2], [1, 3]], [0, 0])).toThrow(/do not determine/);
  });
});
