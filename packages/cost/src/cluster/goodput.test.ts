import { describe, expect, it } from "vitest";
import { checkpointInterval, clusterGoodput } from "./goodput.ts";

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
