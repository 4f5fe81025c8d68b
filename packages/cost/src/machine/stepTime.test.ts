import { describe, expect, it } from "vitest";
import { rungModel } from "../experiment/ladder.ts";
import { gemmGflops, roughProfile } from "./profile.ts";
import { calibrateSteps, predictStepSeconds } from "./stepTime.ts";

const text = { vocabSize: 1024, seqLen: 128 };
const machine = roughProfile({ name: "test", cores: 2, gflopsPerThread: 220 });
const batch = { microBatchSize: 8 };
const model = (numLayers: number, residualDim: number, headDim: number) => rungModel({ numLayers, residualDim, headDim }, text);

describe("gemmGflops", () => {
  const profile = { gemm: [{ flops: 1e8, gflops: 40 }, { flops: 1e6, gflops: 10 }] };
  it("is exact at measured classes, geometric between and held beyond", () => {
    expect(gemmGflops(profile, 1e6)).toBe(10);
    expect(gemmGflops(profile, 1e7)).toBeCloseTo(20, 9);
    expect(gemmGflops(profile, 1e10)).toBe(40);
    expect(gemmGflops(profile, 1)).toBe(10);
  });
});

describe("predictStepSeconds", () => {
  it.each([
    // Median seconds of the forward and backward program, batch 8 x 128, V 1024, one thread of a Zen 5 EPYC, AVX-512.
    // [L, C, D, seconds]
    [8, 96, 24, 0.0393],
    [2, 96, 24, 0.0129],
    [4, 48, 24, 0.0086],
    [8, 64, 16, 0.0239],
    [4, 32, 16, 0.0056],
    [8, 192, 24, 0.1264],
    [8, 256, 32, 0.2079],
    [4, 512, 32, 0.3945],
  ])("comes within a tenth of the measured step of L%d C%d (head size %d) from the one rate of large products", (numLayers, residualDim, headDim, measured) => {
    const { parts } = predictStepSeconds(model(numLayers, residualDim, headDim), batch, machine);
    const seconds = parts.filter((part) => part.name !== "optimiser").reduce((sum, part) => sum + part.seconds, 0);
    expect(Math.abs(seconds / measured - 1)).toBeLessThan(0.1);
  });
  it("has parts that sum to the total", () => {
    const { parts, seconds } = predictStepSeconds(model(8, 64, 16), { microBatchSize: 4, gradAccumSteps: 3 }, machine);
    expect(parts.reduce((sum, part) => sum + part.seconds, 0)).toBe(seconds);
    expect(parts.every((part) => part.seconds > 0)).toBe(true);
  });
  it("gives a wide layer a higher rate than a narrow one", () => {
    expect(predictStepSeconds(model(4, 192, 24), batch, machine).gflops).toBeGreaterThan(predictStepSeconds(model(4, 48, 24), batch, machine).gflops);
  });
  it("pays for the optimiser once a step, however often gradients accumulate", () => {
    const part = (gradAccumSteps: number) =>
      predictStepSeconds(model(4, 64, 16), { microBatchSize: 2, gradAccumSteps }, machine).parts.find((p) => p.name === "optimiser")!.seconds;
    expect(part(8)).toBe(part(1));
  });
});

describe("calibrateSteps", () => {
  const shapes = [model(8, 96, 24), model(2, 96, 24), model(4, 48, 24)];
  const measured = (factors: number[]) =>
    factors.map((factor, i) => ({ model: shapes[i]!, batch, seconds: factor * predictStepSeconds(shapes[i]!, batch, machine).seconds }));

  it("finds the scale of a machine that is slower throughout", () => {
    expect(calibrateSteps(machine, measured([1.5, 1.5, 1.5])).scale).toBeCloseTo(1.5, 9);
  });
  it("narrows the interval with pilots and widens it with their spread", () => {
    const width = (factors?: number[]) => {
      const { interval } = predictStepSeconds(shapes[0]!, batch, machine, factors && calibrateSteps(machine, measured(factors)));
      return interval[1] / interval[0];
    };
    expect(width([1.2])).toBeLessThan(width());
    expect(width([1.2, 1.2])).toBeLessThan(width([1.2]));
    expect(width([1.2, 1.2, 1.2])).toBeLessThan(width([1.2, 1.2]));
    expect(width([0.8, 1.2, 1.6])).toBeGreaterThan(width([1.2, 1.2, 1.2]));
  });
  it("holds a new shape that is 15 % off inside its interval after three pilots", () => {
    const calibration = calibrateSteps(machine, measured([1.1, 1.25, 1.2]));
    const next = model(8, 64, 16);
    const truth = 1.18 * 1.15 * predictStepSeconds(next, batch, machine).seconds;
    const { interval } = predictStepSeconds(next, batch, machine, calibration);
    expect(interval[0]).toBeLessThan(truth);
    expect(interval[1]).toBeGreaterThan(truth);
    expect(interval[1] / interval[0]).toBeLessThan(2);
  });
  it("refuses to calibrate on nothing", () => {
    expect(() => calibrateSteps(machine, [])).toThrow(/pilots: is empty/);
  });
});
