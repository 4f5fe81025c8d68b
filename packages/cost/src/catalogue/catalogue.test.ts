import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { findGrid, gridRows, paperGridRows, pueRows } from "./grid.ts";
import { acceleratorRows, cpuPowerRows } from "./hardware.ts";
import { priceRange, priceRows } from "./prices.ts";

const shared = new URL("../../../../../shared/data/cost/", import.meta.url);

describe("catalogue", () => {
  it("names source and date of every row", () => {
    for (const row of [...gridRows, ...pueRows, ...paperGridRows, ...priceRows, ...acceleratorRows, ...cpuPowerRows]) {
      expect(row.url).toMatch(/^https:\/\//);
      expect(row.date).toMatch(/^\d{4}(-\d\d-\d\d)?$/);
    }
  });
  it("has a range of prices, lowest first", () => {
    const { low, high } = priceRange("A100-80GB")!;
    expect(low.usdPerHour).toBe(1.29);
    expect(high.usdPerHour).toBe(5.12);
    expect(priceRange("abacus")).toBeUndefined();
  });
  it("finds a grid by country and says when there is none", () => {
    expect(findGrid("FRA")!.kgCo2ePerKwh).toBe(0.056039);
    expect(findGrid("ATL")).toBeUndefined();
  });
  it.skipIf(!existsSync(shared))("equals the collected data (skipped without the shared data folder)", () => {
    const lines = (file: string) => readFileSync(new URL(file, shared), "utf8").split("\n");
    const grid = lines("grid.csv");
    for (const row of gridRows.filter(({ id }) => id !== "WORLD")) {
      expect(grid.some((line) => line.startsWith("country,") && line.includes(`,${row.id},${row.kgCo2ePerKwh},`)), row.id).toBe(true);
    }
    const hardware = lines("hardware.csv");
    for (const row of acceleratorRows) {
      const cells = hardware.find((line) => line.startsWith(`${row.id},`))!.split(",");
      expect([Number(cells[3]), Number(cells[7]), Number(cells[8]), Number(cells[12])]).toEqual([
        row.peakBf16Tflops, row.memoryGb, row.memoryGbPerSecond, row.tdpWatts,
      ]);
    }
  });
});
