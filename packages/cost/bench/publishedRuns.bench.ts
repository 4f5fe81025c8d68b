/**
 * The step and memory models against published training runs, dense models on A100, A800, H100 and B200.
 *
 * `node --conditions=@espalier/source bench/publishedRuns.bench.ts [published_runs.csv] [--fit]`
 *
 * Split: constants are fitted to all sources but those of the family being scored (same authors and machine: the two
 * Megatron tables and MT-NLG; the NeMo tables; the torchtitan tables), family after family, so no scored row has a part
 * in what scores it. Errors are averaged within a source, then over sources. "One row a cluster": one row of each
 * (source, GPU, precision, full sharding or not) calibrates, the others are scored; mean over up to five evenly spaced choices of that row.
 * `--fit` prints the constants fitted to all sources, those in `src/cluster/fitted.ts`.
 */
import { existsSync, readFileSync } from "node:fs";
import { calibrateCluster, CALIBRATION_NOISE, type ClusterCalibration, fitConstants, stepSpread, uncalibrated, Z80 } from "../src/cluster/calibrate.ts";
import { constantSpread, type FittedConstant, priorConstants } from "../src/cluster/constants.ts";
import { calibrateMemory, defaultMemory, type MemoryConstants, peakMemory } from "../src/cluster/memory.ts";
import { stepSeconds, sumParts } from "../src/cluster/step.ts";
import { type Bar, reportBars } from "./bars.ts";
import { type PublishedRow, publishedRows } from "./publishedRows.ts";

const path = process.argv[2] && !process.argv[2].startsWith("--") ? process.argv[2] : new URL("../../../../shared/data/cost/published_runs.csv", import.meta.url);
if (!existsSync(path)) {
  console.log("skipped: there is no published_runs.csv beside the checkout; give its path");
  process.exit(0);
}
const { rows, left } = publishedRows(readFileSync(path, "utf8"));
const timed = rows.filter((row): row is PublishedRow & { seconds: number } => row.seconds !== undefined && !row.model.experts);
const routed = rows.filter((row): row is PublishedRow & { seconds: number } => row.seconds !== undefined && row.model.experts !== undefined);

const FAMILIES: Record<string, string> = { sc21t1: "megatron", sc21t2: "megatron", mtnlg: "megatron", nemo2407: "nemo", nemolaunch: "nemo", nemolong: "nemo", ttitan24: "torchtitan", ttitan25: "torchtitan" };
const familyOf = (row: PublishedRow) => FAMILIES[row.source] ?? row.source;
const names = Object.keys(constantSpread) as FittedConstant[];
const prior: ClusterCalibration = {
  constants: priorConstants,
  names,
  covariance: names.map((a) => names.map((b) => (a === b ? constantSpread[a] ** 2 : 0))),
  unexplained: 0,
};
const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
const groupBy = <T>(items: readonly T[], key: (item: T) => string) => {
  const groups = new Map<string, T[]>();
  for (const item of items) (groups.get(key(item)) ?? groups.set(key(item), []).get(key(item))!).push(item);
  return groups;
};
const seconds = (row: PublishedRow, calibration: ClusterCalibration) => sumParts(stepSeconds(row.model, row.layout, row.machine, calibration.constants));
const measured = (row: PublishedRow & { seconds: number }, weight = 1) => ({ model: row.model, layout: row.layout, cluster: row.machine, seconds: row.seconds, weight });

/** A source counts as at most three rows, whatever its length; a published row and a right model differ by about 10 %. */
function fit(training: readonly (PublishedRow & { seconds: number })[]): ClusterCalibration {
  const sizes = groupBy(training, (row) => row.source);
  const weighted = training.map((row) => measured(row, Math.min(3, sizes.get(row.source)!.length) / sizes.get(row.source)!.length));
  return fitConstants(weighted, prior, 0.1, true);
}

/** Errors of rows under a calibration, with the spread that their interval has. */
interface Scored { row: PublishedRow & { seconds: number }; error: number; log: number; constantsSpread: number }
const score = (row: PublishedRow & { seconds: number }, calibration: ClusterCalibration): Scored => {
  const predicted = seconds(row, calibration);
  return { row, error: predicted / row.seconds - 1, log: Math.log(row.seconds / predicted), constantsSpread: stepSpread(row.model, row.layout, row.machine, { ...calibration, unexplained: 0 }) };
};
const covered = (s: Scored, unexplained: number) => Math.abs(s.log) <= Z80 * Math.hypot(s.constantsSpread, unexplained);
const macro = (scored: readonly Scored[], value: (s: Scored) => number) => mean([...groupBy(scored, (s) => s.row.source).values()].map((group) => mean(group.map(value))));
/** The unexplained spread at which intervals of training rows cover 80 %, averaged over sources. */
function spreadFor(scored: readonly Scored[]): number {
  let low = 0;
  let high = 1;
  for (let i = 0; i < 30; i++) {
    const middle = (low + high) / 2;
    if (macro(scored, (s) => Number(covered(s, middle))) < 0.8) low = middle;
    else high = middle;
  }
  return high;
}

/** Every row with one of its cluster's rows as calibration, over up to five choices of that row. */
function withOneRow(list: readonly (PublishedRow & { seconds: number })[], start: ClusterCalibration): Scored[] {
  const scored: Scored[] = [];
  for (const group of groupBy(list, (row) => row.cluster).values()) {
    if (group.length < 2) continue;
    const choices = Math.min(5, group.length);
    for (let i = 0; i < choices; i++) {
      const chosen = group[Math.floor(((i + 0.5) * group.length) / choices)]!;
      const calibration = calibrateCluster([measured(chosen)], start);
      for (const row of group) if (row !== chosen) scored.push(score(row, calibration));
    }
  }
  return scored;
}

const started = performance.now();
const families = [...new Set(timed.map(familyOf))];
const plain: (Scored & { unexplained: number })[] = [];
const tuned: (Scored & { unexplained: number })[] = [];
const beforeCluster = (fitted: ClusterCalibration): ClusterCalibration => ({ ...fitted, covariance: uncalibrated.covariance });
const heldPlain = new Map<string, Scored[]>();
const heldTuned = new Map<string, Scored[]>();
for (const family of families) {
  const start = beforeCluster(fit(timed.filter((row) => familyOf(row) !== family)));
  const held = timed.filter((row) => familyOf(row) === family);
  heldPlain.set(family, held.map((row) => score(row, start)));
  heldTuned.set(family, withOneRow(held, start));
}
// The unexplained spread of a family is that of the other families, each when it was held out itself.
const others = (scored: Map<string, Scored[]>, family: string) => [...scored].filter(([name]) => name !== family).flatMap(([, list]) => list);
for (const family of families) {
  plain.push(...heldPlain.get(family)!.map((s) => ({ ...s, unexplained: spreadFor(others(heldPlain, family)) })));
  tuned.push(...heldTuned.get(family)!.map((s) => ({ ...s, unexplained: spreadFor(others(heldTuned, family)) })));
}

const percent = (value: number) => `${(100 * value).toFixed(1)} %`;
function table(title: string, scored: readonly (Scored & { unexplained: number })[]): void {
  console.log(`\n${title}`);
  console.log("  source       rows    MAPE    bias  within 10 %  80 % interval covers");
  for (const [source, group] of groupBy(scored, (s) => s.row.source)) {
    const cells = [mean(group.map((s) => Math.abs(s.error))), mean(group.map((s) => s.error)), mean(group.map((s) => Number(Math.abs(s.error) <= 0.1))), mean(group.map((s) => Number(covered(s, s.unexplained))))];
    console.log(`  ${source.padEnd(11)} ${String(new Set(group.map((s) => s.row.id)).size).padStart(5)} ${cells.map(percent).map((text, i) => text.padStart([8, 8, 10, 14][i]!)).join(" ")}`);
  }
  const subsets: [string, (s: Scored) => boolean][] = [
    ["dense A100/A800/H100, all", (s) => s.row.gpu !== "B200"],
    ["  of these bf16 and fp16", (s) => !s.row.fp8],
    ["  of these fp8", (s) => s.row.fp8],
    ["  without DeepSpeed ZeRO-3 and row-wise fp8", (s) => !/sc21t2-00[1-6]|ttitan25-(005|006|011|012)/.test(s.row.id)],
  ];
  for (const [name, keep] of subsets) {
    const part = scored.filter((s) => keep(s));
    console.log(`  macro, ${name}: MAPE ${percent(macro(part, (s) => Math.abs(s.error)))}, within 10 % ${percent(macro(part, (s) => Number(Math.abs(s.error) <= 0.1)))}, coverage ${percent(macro(part, (s) => Number(covered(s, (s as Scored & { unexplained: number }).unexplained))))}`);
  }
}
table("Step time, no calibration (family left out of the fit)", plain);
table("Step time, one row a cluster (family left out of the fit)", tuned);

console.log("\nWorst rows without calibration");
for (const s of plain.toSorted((a, b) => Math.abs(b.log) - Math.abs(a.log)).slice(0, 12)) {
  const { layout: l } = s.row;
  console.log(`  ${s.row.id.padEnd(14)} ${percent(s.error).padStart(8)}  tensor ${l.tensor} pipeline ${l.pipeline} context ${l.context} data ${l.data} micro-batch ${l.microBatchSize} ${l.sharding} ${l.precision}`);
}

console.log("\nMixture of experts, no calibration, no part in any fit");
const all = fit(timed);
for (const row of routed) console.log(`  ${row.id.padEnd(14)} ${percent(seconds(row, all) / row.seconds - 1).padStart(8)}  expert ${row.layout.expert} data ${row.layout.data} micro-batch ${row.layout.microBatchSize}`);

/**
 * Memory: by the formula as it stands, with what is known of the source's optimiser (`bench/publishedRows.ts`), and with
 * extra state bytes a parameter fitted to one row of the source.
 */
console.log("\nPeak memory");
const GIB = 2 ** 30;
const errorOf = (row: PublishedRow & { memoryGib: number }, k: MemoryConstants) => peakMemory(row.model, row.layout, k) / GIB / row.memoryGib - 1;
const memoryRows = [...groupBy(rows.filter((row): row is PublishedRow & { memoryGib: number } => row.memoryGib !== undefined), (row) => row.source)];
const memoryErrors = memoryRows.map(([source, group]) => {
  const fitted: number[] = [];
  for (let i = 0; i < 5; i++) {
    const chosen = group[Math.floor(((i + 0.5) * group.length) / 5)]!;
    const k = calibrateMemory({ model: chosen.model, layout: chosen.layout, bytes: chosen.memoryGib * GIB });
    fitted.push(...group.filter((row) => row !== chosen).map((row) => Math.abs(errorOf(row, k))));
  }
  const absolute = (k: (row: PublishedRow) => MemoryConstants) => mean(group.map((row) => Math.abs(errorOf(row, k(row)))));
  const errors = { plain: absolute(() => defaultMemory), known: absolute((row) => row.memory), fitted: mean(fitted) };
  const wrong = group.filter((row) => peakMemory(row.model, row.layout, row.memory) > row.machine.device.memoryGb * GIB).length;
  console.log(`  ${source.padEnd(13)} ${String(group.length).padStart(3)} rows  MAPE ${percent(errors.plain)}, with its optimiser ${percent(errors.known)}, with one row ${percent(errors.fitted)}; said not to fit though they ran: ${wrong}`);
  return errors;
});
console.log(`  macro MAPE ${percent(mean(memoryErrors.map((e) => e.plain)))}, with its optimiser ${percent(mean(memoryErrors.map((e) => e.known)))}, with one row ${percent(mean(memoryErrors.map((e) => e.fitted)))}`);
const worst = memoryRows.flatMap(([, group]) => group).toSorted((p, q) => Math.abs(errorOf(q, q.memory)) - Math.abs(errorOf(p, p.memory)));
console.log(`  worst: ${worst.slice(0, 6).map((row) => `${row.id} ${percent(errorOf(row, row.memory))}`).join(", ")}`);

const dense = (scored: readonly (Scored & { unexplained: number })[]) => {
  const part = scored.filter((s) => s.row.gpu !== "B200");
  return { error: macro(part, (s) => Math.abs(s.error)), coverage: macro(part, (s) => Number(covered(s, (s as Scored & { unexplained: number }).unexplained))) };
};
const [withoutStep, withStep] = [dense(plain), dense(tuned)];
const bars: Bar[] = [
  { name: "dense A100/H100 step time, no calibration, macro-MAPE over sources", expected: "at most 12 %", measured: percent(withoutStep.error), holds: withoutStep.error <= 0.12 },
  { name: "the same with one row a cluster", expected: "at most 8 %", measured: percent(withStep.error), holds: withStep.error <= 0.08 },
  { name: "80 % intervals, no calibration, cover", expected: "75 to 85 %", measured: percent(withoutStep.coverage), holds: withoutStep.coverage >= 0.75 && withoutStep.coverage <= 0.85 },
  { name: "80 % intervals, one row a cluster, cover", expected: "75 to 85 %", measured: percent(withStep.coverage), holds: withStep.coverage >= 0.75 && withStep.coverage <= 0.85 },
  { name: "peak memory, with what is known of the source's optimiser, macro-MAPE", expected: "at most 8 %", measured: percent(mean(memoryErrors.map((e) => e.known))), holds: mean(memoryErrors.map((e) => e.known)) <= 0.08 },
  { name: "peak memory, one measured peak a source, macro-MAPE", expected: "at most 8 %", measured: percent(mean(memoryErrors.map((e) => e.fitted))), holds: mean(memoryErrors.map((e) => e.fitted)) <= 0.08 },
];

console.log("\nRows left out");
for (const [why, count] of left) console.log(`  ${count}  ${why}`);

if (process.argv.includes("--fit")) {
  console.log("\nFitted to all sources:", Object.fromEntries(names.map((name) => [name, +all.constants[name].toPrecision(3)])));
  console.log(`unexplained: ${spreadFor(plain).toFixed(3)}, calibrated ${spreadFor(tuned).toFixed(3)}, noise ${CALIBRATION_NOISE}`);
}
console.log(`\n${timed.length} timed rows of ${new Set(timed.map((row) => row.source)).size} sources, ${((performance.now() - started) / 1000).toFixed(1)} s`);
reportBars("pnpm bench:cost, bench/publishedRuns.bench.ts", bars);
