/**
 * How often each 95 % interval holds the truth, by number of items and true rate.
 * Usage: node --conditions=@espalier/source bench/coverage.bench.ts [--trials 4000] [--json]
 */

import { parseArgs } from "node:util";
import { coverage, coverageCases } from "../src/testing/coverage.ts";

const { values } = parseArgs({ options: { trials: { type: "string", default: "4000" }, json: { type: "boolean", default: false } } });
const trials = Number(values.trials);
const rates = [0.02, 0.2, 0.5, 0.8, 0.98];
const rows = coverageCases.flatMap((test) => [30, 100, 1000].map((items) => ({ interval: test.name, items, coverage: rates.map((p) => coverage(test, items, p, trials)) })));

if (values.json) console.log(JSON.stringify({ trials, rates, rows }));
else {
  console.log(`${"interval".padEnd(34)}${"items".padStart(6)}${rates.map((p) => `p = ${p}`.padStart(10)).join("")}`);
  for (const { interval, items, coverage: shares } of rows) {
    console.log(`${interval.padEnd(34)}${String(items).padStart(6)}${shares.map((share) => `${(100 * share).toFixed(1)} %`.padStart(10)).join("")}`);
  }
  console.log(`${trials} simulated sets a cell: a cell at 95 % has a standard error of ${(100 * Math.sqrt((0.95 * 0.05) / trials)).toFixed(2)} points.`);
}
