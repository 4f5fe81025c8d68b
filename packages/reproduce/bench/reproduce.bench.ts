/**
 * `pnpm bench:reproduce [DIR]`: the bars of the experiment, per seed. Reads the report of a finished reproduction; without
 * DIR it runs one at the default scale first.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { ReproductionReport } from "@espalier/spec/run";

const root = resolve(import.meta.dirname, "../../..");
let directory = process.argv[2];
if (!directory) {
  directory = mkdtempSync(join(tmpdir(), "espalier-bench-"));
  const cli = join(root, "apps/cli/src/main.ts");
  const args = ["--conditions=@espalier/source", "--disable-warning=ExperimentalWarning", cli, "reproduce", "--out", directory];
  const { status } = spawnSync(process.execPath, args, { stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}
const report = JSON.parse(readFileSync(join(directory, "report.json"), "utf8")) as ReproductionReport;

let missed = 0;
const row = (name: string, passed: boolean, figure: string) => {
  if (!passed) missed++;
  console.log(`${passed ? "met   " : "MISSED"}  ${name}: ${figure}`);
};
const bars = report.comparisons.filter(({ name }) => name.includes("more FLOPs"));
for (const { name, s, perSeed } of bars) {
  for (const { seed, grown, control, passed } of perSeed) {
    row(`${name}, s = ${s.toFixed(2)}, seed ${seed}`, passed, `${grown.toFixed(4)} against ${control.toFixed(4)}`);
  }
}
if (bars.length < 2) row("one-hop arm", false, "dropped: the minutes did not suffice");
if (bars.some(({ perSeed }) => perSeed.length < 3)) row("three seeds", false, "fewer were trained");
const largest = Math.max(...report.axisProbes.map(({ logitChange }) => logitChange));
row("logit change of each axis at gate 0 at most 1e-5", largest <= 1e-5, largest.toExponential(1));
const arithmetic = report.claims.filter(({ kind, verdict }) => kind === "arithmetic" && (verdict === "exact" || verdict === "reproduced"));
console.log(`        arithmetic rows equal to the printed figure or within its rounding: ${arithmetic.length}`);
row("time within the minutes asked", report.minutesTaken <= report.minutesAsked, `${report.minutesTaken.toFixed(1)} of ${report.minutesAsked}`);
console.log(`${missed} missed`);
process.exitCode = missed === 0 ? 0 : 1;
