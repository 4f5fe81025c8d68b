import { describe, expect, it } from "vitest";
import { findGrid, pueRows } from "../catalogue/grid.ts";
import { assumedPowerAndPrice } from "./profile.ts";
import { runCost } from "./runCost.ts";

const machine = {
  name: "test",
  wattsPerCore: { value: 5, source: "measured at the plug", assumed: false },
  usdPerCoreHour: { value: 0.04, source: "bill", assumed: false },
};
const grid = findGrid("FRA")!;
const pue = pueRows.find((row) => row.id === "unknown")!;

describe("runCost", () => {
  it("equals a case worked out by hand", () => {
    const { total } = runCost({ work: [{ name: "run", seconds: 1800, cores: 2 }], machine, grid, pue });
    // One core-hour: 5 Wh at the cores, 7.8 Wh with PUE 1.56.
    expect(total.coreHours).toBe(1);
    expect(total.deviceKwh).toBe(0.005);
    expect(total.kwh).toBeCloseTo(0.0078, 15);
    expect(total.usd).toBe(0.04);
    expect(total.kgCo2e).toBeCloseTo(0.0078 * 0.056039, 15);
  });
  it("has parts that sum to the total exactly, in every unit", () => {
    const work = Array.from({ length: 25 }, (_, i) => ({ name: `job ${i}`, seconds: 1 / (i + 3) }));
    const { parts, total } = runCost({ work, machine, grid, pue });
    for (const key of ["seconds", "coreHours", "deviceKwh", "kwh", "usd", "kgCo2e"] as const) {
      expect(parts.reduce((sum, part) => sum + part[key], 0)).toBe(total[key]);
    }
  });
  it("takes FLOPs at a rate", () => {
    const { total } = runCost({ work: [{ name: "run", flops: 8e12, gflops: 40 }], machine, grid, pue });
    expect(total.seconds).toBe(200);
  });
  it("carries every factor with its formula and source, and says what is assumed", () => {
    const { factors } = runCost({ work: [], machine: { ...machine, ...assumedPowerAndPrice() }, grid, pue });
    expect(factors.map((factor) => factor.name)).toEqual(["core-hours", "watts per core", "PUE", "price", "grid"]);
    for (const factor of factors) {
      expect(factor.formula).not.toBe("");
      expect(factor.source).not.toBe("");
    }
    expect(factors.find((factor) => factor.name === "watts per core")!.assumed).toBe(true);
  });
});
