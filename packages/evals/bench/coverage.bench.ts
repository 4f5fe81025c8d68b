/**
 * How often each 95 % interval holds the truth, by number of items and true rate. Cells outside 93 to 97 % are listed below the
 * table: as unreachable where trying all sets of outcomes proves that no interval without added randomness can do better, as a miss
 * otherwise.
 * Usage: node --conditions=@espalier/source bench/coverage.bench.ts [--trials 4000] [--only WORDS] [--markdown | --json]
 * With --pairs: exact coverage for two models on the same right-or-wrong items, over 253 pairs of rates at which one alone is right.
 */

import { parseArgs } from "node:util";
import { coverage, coverageCases } from "../src/testing/coverage.ts";
import { pairCoverages, pairRates, pairRules } from "../src/testing/pairs.ts";
import { reachableCoverage } from "../src/testing/reachable.ts";

const { values } = parseArgs({
  options: {
    trials: { type: "string", default: "4000" },
    only: { type: "string", default: "" },
    markdown: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    pairs: { type: "boolean", default: false },
  },
});
const trials = Number(values.trials);
const rates = [0.02, 0.2, 0.5, 0.8, 0.98];
const [LOW, HIGH] = [0.93, 0.97];

interface Cell {
  share: number;
  /** What a cell outside the bar is: the nearest coverage that outcomes allow, or nothing that excuses it. */
  verdict?: { unreachable: true; nearest: number } | { unreachable: false };
}

if (values.pairs) {
  console.log(`| interval | items | below ${100 * LOW} % | above ${100 * HIGH} % | lowest | highest | mean distance from 95 |\n|---|--:|--:|--:|--:|--:|--:|`);
  for (const items of [30, 60, 100]) {
    for (const [name, rule] of pairRules) {
      const shares = pairCoverages(rule, items).map((share) => 100 * share);
      const distance = shares.reduce((sum, share) => sum + Math.abs(share - 95), 0) / pairRates.length;
      const outside = [shares.filter((share) => share < 100 * LOW), shares.filter((share) => share > 100 * HIGH)].map(({ length }) => length);
      console.log(`| ${name} | ${items} | ${outside.join(" | ")} | ${Math.min(...shares).toFixed(1)} | ${Math.max(...shares).toFixed(1)} | ${distance.toFixed(2)} |`);
    }
  }
  process.exit();
}

const rows = coverageCases
  .filter(({ name }) => name.includes(values.only))
  .flatMap((test) =>
    [30, 100, 1000].map((items) => ({
      interval: test.name,
      items,
      cells: rates.map((p): Cell => {
        const share = coverage(test, items, p, trials);
        if (share >= LOW && share <= HIGH) return { share };
        const reach = test.outcomes && reachableCoverage(test.outcomes(items, p), LOW, HIGH);
        if (reach?.reachable !== false) return { share, verdict: { unreachable: false } };
        return { share, verdict: { unreachable: true, nearest: HIGH - reach.above > reach.below - LOW ? reach.above : reach.below } };
      }),
    })),
  );

const percent = (share: number, digits = 1) => (100 * share).toFixed(digits);
const marked = ({ share, verdict }: Cell) => `${percent(share)}${verdict === undefined ? "" : verdict.unreachable ? " u" : " !"}`;
if (values.json) console.log(JSON.stringify({ trials, rates, rows }));
else if (values.markdown) {
  rows.forEach(({ interval, items, cells }, i) => console.log(`| ${rows[i - 1]?.interval === interval ? "" : interval} | ${items} | ${cells.map(marked).join(" | ")} |`));
} else {
  console.log(`${"interval, % of sets".padEnd(38)}${"items".padStart(6)}${rates.map((p) => `p = ${p}`.padStart(10)).join("")}`);
  for (const { interval, items, cells } of rows) console.log(`${interval.padEnd(38)}${String(items).padStart(6)}${cells.map((cell) => marked(cell).padStart(10)).join("")}`);
  console.log(`${trials} simulated sets a cell: a cell at 95 % has a standard error of ${percent(Math.sqrt((0.95 * 0.05) / trials), 2)} points.`);
  console.log(`Outside ${percent(LOW, 0)} to ${percent(HIGH, 0)} %:`);
  for (const { interval, items, cells } of rows) {
    cells.forEach(({ share, verdict }, i) => {
      if (verdict) console.log(`  ${interval}, ${items} items, p = ${rates[i]}: ${percent(share)} %, ${verdict.unreachable ? `unreachable: nearest possible ${percent(verdict.nearest, 2)} %` : "miss"}`);
    });
  }
}
