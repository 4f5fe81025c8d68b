import { random } from "@espalier/core";
import { describe, expect, it } from "vitest";
import { chinchillaLoss, epochChinchilla } from "./chinchilla.ts";
import { fitChinchilla, type ScalingPoint } from "./fitChinchilla.ts";
import { lbfgs } from "./lbfgs.ts";

const sizes = [7e7, 2e8, 5e8, 1.4e9, 4e9, 1.2e10];
const ratios = [5, 12, 30, 80];
const exact: ScalingPoint[] = sizes.flatMap((parameters) =>
  ratios.map((ratio) => ({ parameters, tokens: parameters * ratio, loss: chinchillaLoss(parameters, parameters * ratio) })),
);

describe("lbfgs", () => {
  it("finds the minimum of Rosenbrock's valley", () => {
    const valley = ([x, y]: readonly number[]) => ({
      value: (1 - x!) ** 2 + 100 * (y! - x! ** 2) ** 2,
      gradient: [-2 * (1 - x!) - 400 * x! * (y! - x! ** 2), 200 * (y! - x! ** 2)],
    });
    const { x, converged } = lbfgs(valley, [-1.2, 1]);
    expect(converged).toBe(true);
    expect(x[0]).toBeCloseTo(1, 6);
    expect(x[1]).toBeCloseTo(1, 6);
  });
});

describe("fitChinchilla", () => {
  it("recovers the law that made the runs", () => {
    const { constants } = fitChinchilla(exact, { bootstrap: 2 });
    expect(constants.E).toBeCloseTo(epochChinchilla.E, 3);
    expect(constants.alpha).toBeCloseTo(epochChinchilla.alpha, 3);
    expect(constants.beta).toBeCloseTo(epochChinchilla.beta, 3);
    expect(constants.A / epochChinchilla.A).toBeCloseTo(1, 1);
  });
  it("has intervals that hold the law under noise and an outlier", () => {
    const noise = random(5, "noise");
    const noisy = exact.map((point, i) => ({ ...point, loss: point.loss * Math.exp(0.002 * noise.normal(i)) * (i === 7 ? 1.1 : 1) }));
    const fit = fitChinchilla(noisy, { bootstrap: 60, seed: 1 });
    const truth = chinchillaLoss(3e10, 6e11);
    const { loss, interval, warning } = fit.predict(3e10, 6e11);
    expect(Math.abs(loss / truth - 1)).toBeLessThan(0.02);
    expect(interval[0]).toBeLessThan(interval[1]);
    expect(interval[0] * 0.99).toBeLessThan(truth);
    expect(interval[1] * 1.01).toBeGreaterThan(truth);
    expect(warning).toBeUndefined();
    expect(fit.predict(1e12, 1e13).warning).toMatch(/extrapolates 83 times/);
  });
  it("refuses runs that do not determine it", () => {
    expect(() => fitChinchilla(exact.slice(0, 4))).toThrow(/4 runs of 1 sizes/);
  });
});
