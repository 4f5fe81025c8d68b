import { describe, expect, it } from "vitest";
import { checkpointInterval, clusterGoodput } from "./goodput.ts";
import { simulateRun } from "./simulate.ts";

const failures = { mtbfHours: 50_000, checkpointSeconds: 60, restartSeconds: 600, otherShare: 0 };

describe("checkpointInterval", () => {
  it("is Young's square root when failures are rare, less a little", () => {
    expect(checkpointInterval(60, 1e7) / Math.sqrt(2 * 60 * 1e7)).toBeCloseTo(1, 2);
  });
  it("loses less than intervals to either side", () => {
    const loss = (t: number, d: number, M: number) => (M / t) * Math.exp(600 / M) * Math.expm1((t + d) / M);
    for (const M of [5_000, 50_000, 500_000]) {
      const best = loss(checkpointInterval(60, M), 60, M);
      for (const factor of [0.7, 1.4]) expect(loss(factor * checkpointInterval(60, M), 60, M)).toBeGreaterThan(best);
    }
  });
});

describe("clusterGoodput", () => {
  it("falls with the number of devices", () => {
    const at = (n: number) => clusterGoodput(n, failures).goodput;
    expect([8, 192, 16_384, 100_000].map(at)).toEqual([8, 192, 16_384, 100_000].map(at).toSorted((a, b) => b - a));
    expect(at(8)).toBeGreaterThan(0.995);
  });
  it("multiplies by the other losses", () => {
    expect(clusterGoodput(192, { ...failures, otherShare: 0.1 }).goodput).toBeCloseTo(0.9 * clusterGoodput(192, failures).goodput, 12);
  });
  it("refuses percent for a share and times that are not", () => {
    expect(() => clusterGoodput(8, { ...failures, otherShare: 5 })).toThrow(/not percent/);
    expect(() => clusterGoodput(8, { ...failures, mtbfHours: 0 })).toThrow(/above 0/);
  });
});

describe("simulateRun", () => {
  it.each([192, 16_384])("has the closed form as its mean on %i devices", (numGpus) => {
    // Enough failures for 1 % of standard error: mean of runs of different seeds.
    const runs = Array.from({ length: 40 }, (_, seed) => simulateRun({ numGpus, workSeconds: 60 * 86400, failures, seed }).goodput);
    const mean = runs.reduce((a, b) => a + b, 0) / runs.length;
    expect(Math.abs(mean / clusterGoodput(numGpus, failures).goodput - 1)).toBeLessThan(0.005);
  });
  it("does all of the work, has parts that sum to its seconds and is the same for the same seed", () => {
    const request = { numGpus: 8192, workSeconds: 1e6, failures, stragglers: { meanHours: 1e6, slowdown: 1.2 }, growths: [{ atSeconds: 4e5, pauseSeconds: 900 }], seed: 3 };
    const run = simulateRun(request);
    expect(run.parts.work).toBeCloseTo(1e6, 3);
    expect(Object.values(run.parts).reduce((a, b) => a + b, 0)).toBe(run.seconds);
    expect(run.parts.growth).toBe(900);
    expect(run.parts.stragglers).toBeGreaterThan(0);
    expect(simulateRun(request)).toEqual(run);
    expect(simulateRun({ ...request, seed: 4 }).seconds).not.toBe(run.seconds);
  });
  it("simulates a month of 100,000 devices, with a failure about every half hour", () => {
    const { numFailures, goodput } = simulateRun({ numGpus: 100_000, workSeconds: 30 * 86400, failures: { ...failures, restartSeconds: 120 }, seed: 1 });
    expect(numFailures).toBeGreaterThan(1_000);
    expect(goodput).toBeGreaterThan(0.5);
  });
  it("refuses a job that can hardly get anywhere", () => {
    expect(() => simulateRun({ numGpus: 10_000_000, workSeconds: 1e6, failures, seed: 1 })).toThrow(/fewer devices/);
  });
});
