import { describe, expect, it } from "vitest";
import { clusterPriceRows, clusterPrices, standInPrices } from "../catalogue/clusterPrices.ts";
import { findGrid, pueRows } from "../catalogue/grid.ts";
import { clusterDeviceRows } from "../catalogue/clusterDevices.ts";
import { cluster } from "./device.ts";
import { clusterCost } from "./money.ts";

const goodput = { goodput: 0.9, failureShare: 0.95, otherShare: 0.05, mtbfSeconds: 1e6, checkpointIntervalSeconds: 1e4 };
const usual = { cluster: cluster("A800-SXM-80GB", 192), goodput, grid: findGrid("CHN")!, pue: pueRows[0]! };
const day = { low: 86400, value: 86400, high: 86400 };

describe("clusterCost", () => {
  it("is the product of its named factors", () => {
    const cost = clusterCost({ ...usual, trainingSeconds: day, prices: clusterPrices("A800-SXM-80GB") });
    const factor = (name: string) => cost.factors.find((f) => f.name === name)!.value;
    expect(cost.gpuHours.value).toBeCloseTo((24 / 0.9) * 192, 9);
    expect(cost.deviceMwh.value).toBeCloseTo((cost.gpuHours.value * 400) / 1e6, 12);
    expect(cost.mwh.value).toBeCloseTo(cost.deviceMwh.value * factor("PUE"), 12);
    expect(cost.tCo2e.value).toBeCloseTo(cost.mwh.value * factor("grid"), 12);
    expect(cost.usd.value).toBeCloseTo(cost.gpuHours.value * factor("median price"), 9);
    for (const f of cost.factors) expect(f.source).not.toBe("");
  });
  it("reproduces FLM-101B's 40 MWh from its GPU-hours and watts", () => {
    const seconds = (1.01e5 / 192) * 3600 * 0.9;
    const cost = clusterCost({ ...usual, trainingSeconds: { low: seconds, value: seconds, high: seconds }, prices: clusterPrices("A800-SXM-80GB") });
    expect(cost.deviceMwh.value).toBeCloseTo(40.4, 9);
    expect(cost.usd.value / 1e5).toBeCloseTo(1, 2);
  });
  it("spans from the fewest hours at the lowest price to the most at the highest", () => {
    const prices = clusterPrices("H100-SXM-80GB", { since: "2025" });
    expect(prices.length).toBeGreaterThan(5);
    const cost = clusterCost({ ...usual, cluster: cluster("H100-SXM-80GB", 64), trainingSeconds: { low: 8e4, value: 1e5, high: 1.2e5 }, prices });
    expect(cost.usd.low).toBeCloseTo(cost.gpuHours.low * prices[0]!.usdPerGpuHour, 6);
    expect(cost.usd.high).toBeCloseTo(cost.gpuHours.high * prices.at(-1)!.usdPerGpuHour, 6);
    expect(cost.usd.high / cost.usd.low).toBeGreaterThan(5);
  });
  it("takes the ends of the range from the same chip where a device has hardly a price of its own", () => {
    const own = clusterPrices("A800-SXM-80GB");
    const cost = clusterCost({ ...usual, trainingSeconds: day, prices: own, standIns: standInPrices("A800-SXM-80GB") });
    expect(cost.usd.value).toBeCloseTo(cost.gpuHours.value * own[0]!.usdPerGpuHour, 6);
    expect(cost.usd.high / cost.usd.value).toBeGreaterThan(3);
    expect(cost.factors.find(({ name }) => name === "highest price")!.source).toMatch(/^of A100-SXM-80GB: /);
    expect(standInPrices("A100-SXM-80GB")).toEqual([]);
  });
  it("needs a price", () => {
    expect(() => clusterCost({ ...usual, trainingSeconds: day, prices: [] })).toThrow(/prices: is empty/);
  });
});

describe("clusterPrices", () => {
  it("filters by commitment, provider and date", () => {
    expect(clusterPrices("H100-SXM-80GB", { commitment: "spot" }).map((row) => row.provider)).toContain("Verda");
    expect(clusterPrices("A100-SXM-80GB", { provider: "Amazon Web Services" })[0]!.usdPerGpuHour).toBe(5.12);
    expect(clusterPrices("A100-SXM-80GB", { since: "2026" }).every((row) => row.date >= "2026")).toBe(true);
  });
  it("names source and date of every row, and only devices that exist", () => {
    const devices = new Set(clusterDeviceRows.map((row) => row.id));
    for (const row of [...clusterPriceRows, ...clusterDeviceRows]) {
      expect(row.url).toMatch(/^https:\/\//);
      expect(row.date).toMatch(/^\d{4}(-\d\d-\d\d)?$/);
    }
    expect(clusterPriceRows.filter((row) => !devices.has(row.device))).toEqual([]);
  });
});
