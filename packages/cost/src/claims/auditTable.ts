import { paperGridRows } from "../catalogue/grid.ts";
import { computeOfLossGap } from "../laws/savings.ts";
import { asPrinted, equalsPrinted, type Interval, overlaps, roundingInterval, truncatesToPrinted, valueOf } from "../printed.ts";
import type { CostCell, CostColumn, CostTable, CostTableRow } from "./costTable.ts";

/** A disagreement or an omission in a published cost table. `left out`: nothing is wrong, but the figure cannot be judged. */
export interface TableFinding {
  rule: string;
  where: string;
  severity: "contradiction" | "last digit" | "left out";
  sentence: string;
}

type Column = Exclude<CostColumn, "name">;
type Rule = (table: CostTable) => TableFinding[];

/** Counts are exact; everything else is known to its printed digits. */
const COUNTS: ReadonlySet<Column> = new Set(["tensor", "pipeline", "context", "data", "gpus", "batchSequences", "seqLen", "layers", "hidden", "vocab"]);

const value = ({ printed, factor }: CostCell) => valueOf(printed) * factor;
const interval = (column: Column, cell: CostCell): Interval => {
  if (COUNTS.has(column)) return [value(cell), value(cell)];
  const [low, high] = roundingInterval(cell.printed);
  return [low * cell.factor, high * cell.factor];
};

/** A product or quotient of cells, with the range that rounding leaves; undefined when a cell is missing. */
function computed(row: CostTableRow, up: readonly Column[], down: readonly Column[] = [], by = 1): { value: number; interval: Interval } | undefined {
  let [low, mid, high] = [by, by, by];
  for (const [columns, inverse] of [[up, false], [down, true]] as const) {
    for (const column of columns) {
      const cell = row.cells[column];
      if (!cell) return undefined;
      const [a, b] = interval(column, cell);
      if (inverse) [low, mid, high] = [low / b, mid / value(cell), high / a];
      else [low, mid, high] = [low * a, mid * value(cell), high * b];
    }
  }
  return { value: mid, interval: [low, high] };
}

const shown = (v: number) => (v !== 0 && (Math.abs(v) >= 1e7 || Math.abs(v) < 1e-3) ? v.toExponential(3) : v.toLocaleString("en-US", { maximumSignificantDigits: 6 }));

/** Silent when the digits agree, rounded or cut. */
function compare(rule: string, row: CostTableRow, column: Column, result: { value: number; interval: Interval } | undefined, how: string): TableFinding[] {
  const cell = row.cells[column];
  if (!cell || !result) return [];
  const own = result.value / cell.factor;
  if (equalsPrinted(own, cell.printed) || truncatesToPrinted(own, cell.printed)) return [];
  const explained = overlaps([result.interval[0] / cell.factor, result.interval[1] / cell.factor], roundingInterval(cell.printed));
  const digits = asPrinted(own, cell.printed);
  const also = digits === cell.printed ? "" : ` (${shown(own)})`;
  return [{
    rule, where: row.name, severity: explained ? "last digit" : "contradiction",
    sentence: `${row.name}: ${cell.printed} is printed as ${rule}, ${how} gives ${digits}${also}${explained ? "; rounding of the inputs explains it" : ""}.`,
  }];
}

const gpuHoursOf = (row: CostTableRow) => computed(row, ["gpuHours"]) ?? computed(row, ["gpus", "days"], [], 24);

const degrees: Rule = ({ rows }) =>
  rows.flatMap((row) => {
    const named = (["tensor", "pipeline", "context", "data"] as const).filter((column) => row.cells[column]);
    return named.includes("data") ? compare("GPUs", row, "gpus", computed(row, named), `the product of ${named.join(", ")}`) : [];
  });

const simple: Rule = ({ rows }) =>
  rows.flatMap((row) => [
    ...compare("GPU hours", row, "gpuHours", computed(row, ["gpus", "days"], [], 24), "GPUs x days x 24"),
    ...compare("batch tokens", row, "batchTokens", computed(row, ["batchSequences", "seqLen"]), "sequences x length"),
    ...compare("utilisation", row, "utilisation", computed(row, ["tflops"], ["peakTflops"], row.cells.utilisation && value(row.cells.utilisation) <= 1 ? 1 : 100), "TFLOP/s over peak"),
    ...compare("cost", row, "usd", row.cells.usdPerGpuHour ? scaled(gpuHoursOf(row), row) : undefined, "GPU hours x price"),
  ]);

function scaled(hours: ReturnType<typeof gpuHoursOf>, row: CostTableRow): ReturnType<typeof gpuHoursOf> {
  const cell = row.cells.usdPerGpuHour;
  if (!hours || !cell) return undefined;
  const [low, high] = interval("usdPerGpuHour", cell);
  return { value: hours.value * value(cell), interval: [hours.interval[0] * low, hours.interval[1] * high] };
}

/** Energy in MWh against hours x watts, with and without the row's PUE; the unit first. */
const energy: Rule = ({ rows, energyUnit }) => {
  const known = rows.flatMap((row) => {
    const hours = gpuHoursOf(row);
    const { energy: cell, watts, pue } = row.cells;
    if (!hours || !cell || !watts) return [];
    const scale = value(watts) / 1e6;
    return [{ row, cell, chip: { value: hours.value * scale, interval: [hours.interval[0] * scale, hours.interval[1] * scale] as Interval }, pue: pue && value(pue) }];
  });
  if (known.length === 0) return [];
  const logs = known.map(({ cell, chip }) => Math.log10(value(cell) / chip.value));
  const power = Math.round(logs.reduce((a, b) => a + b, 0) / logs.length);
  const found: TableFinding[] = [];
  if (power !== 0) {
    found.push({ rule: "energy unit", where: "energy", severity: "contradiction", sentence: `energy: read as ${energyUnit}, the column is ${(10 ** power).toLocaleString("en-US")} times hours x watts; the figures are ${power === 3 && energyUnit === "MkWh" ? "MWh" : `${energyUnit} over ${(10 ** power).toLocaleString("en-US")}`}.` });
  }
  const unit = (result: { value: number; interval: Interval }, by: number) => ({ value: result.value * by, interval: [result.interval[0] * by, result.interval[1] * by] as Interval });
  for (const { row, chip, pue } of known) {
    const plain = compare("energy", row, "energy", unit(chip, 10 ** power), "hours x watts");
    const facility = pue === undefined ? plain : compare("energy", row, "energy", unit(chip, pue * 10 ** power), "hours x watts x PUE");
    if (plain.length > 0 && facility.length > 0) found.push(...plain);
  }
  return found;
};

/** Below this a row has no PUE in its tonnes: no facility in use is better. */
const NO_PUE_BELOW = 1.04;

const tonnes: Rule = ({ rows }) => {
  const implied = rows.flatMap((row) => {
    const grid = row.cells.grid ? value(row.cells.grid) : paperGridRows.find(({ model }) => model === row.name.replace(/^total,?\s*/i, ""))?.kgCo2ePerKwh;
    const hours = gpuHoursOf(row);
    const { tonnes: cell, watts } = row.cells;
    if (grid === undefined || !hours || !cell || !watts) return [];
    return [{ row, cell, mwhGrid: (hours.value * value(watts) * grid) / 1e6, pue: value(cell) / ((hours.value * value(watts) * grid) / 1e6) }];
  });
  const found: TableFinding[] = [];
  for (const { row, cell, mwhGrid, pue } of implied) {
    const stated = row.cells.pue && value(row.cells.pue);
    if (stated !== undefined && Math.abs(pue / stated - 1) > 0.03 && Math.abs(pue - 1) > 0.03) {
      found.push({ rule: "tonnes", where: row.name, severity: "contradiction", sentence: `${row.name}: ${cell.printed} t is printed, hours x watts x PUE ${stated} x grid gives ${shown(mwhGrid * stated)} t.` });
    } else if (pue < 0.95 || pue > 2.5) {
      found.push({ rule: "tonnes", where: row.name, severity: "contradiction", sentence: `${row.name}: ${cell.printed} t is printed, hours x watts x grid gives ${shown(mwhGrid)} t: the PUE would be ${pue.toFixed(2)}.` });
    }
  }
  const [withPue, without] = [implied.filter(({ pue }) => pue >= NO_PUE_BELOW), implied.filter(({ pue }) => pue < NO_PUE_BELOW)];
  if (withPue.length > 0 && without.length > 0) {
    const names = (list: typeof implied) => list.map(({ row }) => row.name).join(", ");
    found.push({ rule: "PUE", where: "tonnes", severity: "contradiction", sentence: `tonnes: PUE is inside those of ${names(withPue)} and absent from those of ${names(without)}: the column mixes conventions.` });
  }
  return found;
};

const SUMMED: readonly Column[] = ["tokens", "days", "gpuHours", "energy", "tonnes", "usd", "flops"];

const sums: Rule = ({ rows }) => {
  const found: TableFinding[] = [];
  let open: CostTableRow[] = [];
  for (const row of rows) {
    if (!row.total) {
      open.push(row);
      continue;
    }
    for (const column of SUMMED) {
      const cells = open.map(({ cells: c }) => c[column]);
      if (open.length < 2 || cells.some((cell) => cell === undefined)) continue;
      const ranges = cells.map((cell) => interval(column, cell!));
      const total = (pick: (i: number) => number) => cells.reduce((sum, _, i) => sum + pick(i), 0);
      found.push(...compare(`total ${column}`, row, column, { value: total((i) => value(cells[i]!)), interval: [total((i) => ranges[i]![0]), total((i) => ranges[i]![1])] }, "the sum of the rows above"));
    }
    open = [];
  }
  return found;
};

const compute: Rule = ({ rows }) =>
  rows.flatMap((row) => {
    const { flops, parameters, tokens } = row.cells;
    if (!flops) return [];
    const found: TableFinding[] = [];
    const dense = parameters && tokens && 6 * value(parameters) * value(tokens);
    if (dense !== undefined) {
      const ratio = value(flops) / dense;
      if (ratio > 1.28 && ratio < 1.42) found.push({ rule: "FLOPs", where: row.name, severity: "left out", sentence: `${row.name}: the FLOPs are ${ratio.toFixed(2)} times 6 N D: recomputation is counted as work. Compare with rows that count alike.` });
      else if (ratio < 0.8 || ratio > 1.25) found.push({ rule: "FLOPs", where: row.name, severity: "contradiction", sentence: `${row.name}: ${flops.printed} is printed, 6 N D gives ${shown(dense / flops.factor)}.` });
    }
    const rate = computed(row, ["gpus", "days", "tflops"], [], 86400e12);
    if (rate && Math.abs(rate.value / value(flops) - 1) > 0.03) {
      const ratio = rate.value / value(flops);
      found.push({
        rule: "throughput x time", where: row.name, severity: ratio < 0.97 || ratio > 1.45 ? "contradiction" : "left out",
        sentence: `${row.name}: GPUs x days x TFLOP/s is ${shown(rate.value / flops.factor)}, the FLOPs are ${flops.printed}: ${ratio > 1 ? `${(100 * (1 - 1 / ratio)).toFixed(0)} % of the time was not training, or the TFLOP/s count other FLOPs` : "more than the machines can have done at that rate"}.`,
      });
    }
    return found;
  });

const savings: Rule = ({ rows }) =>
  rows.flatMap((row) => {
    const { speedup, saved, loss, baselineLoss, usd, usdPerGpuHour } = row.cells;
    const found: TableFinding[] = [];
    const inverse = speedup && { value: 1 - 1 / value(speedup), interval: interval("speedup", speedup).map((v) => 1 - 1 / v) as unknown as Interval };
    const percent = saved && value(saved) > 1 ? 100 : 1;
    if (inverse) found.push(...compare("saving", row, "saved", { value: percent * inverse.value, interval: [percent * inverse.interval[0], percent * inverse.interval[1]] }, "1 - 1 / speed-up"));
    if ((speedup || saved) && !(loss && baselineLoss)) {
      found.push({ rule: "equal tokens", where: row.name, severity: "left out", sentence: `${row.name}: a saving of ${saved ? `${saved.printed} %` : `${speedup!.printed}x`} without the loss of both runs compares equal tokens, not equal loss.` });
    } else if (loss && baselineLoss && value(loss) > value(baselineLoss)) {
      const gap = value(loss) / value(baselineLoss) - 1;
      found.push({ rule: "equal loss", where: row.name, severity: "contradiction", sentence: `${row.name}: the saving is claimed at a loss ${(100 * gap).toFixed(1)} % above the baseline's, which alone is worth about ${computeOfLossGap(gap).toFixed(2)}x of compute.` });
    }
    const hours = gpuHoursOf(row);
    if (usd && hours && !usdPerGpuHour) {
      found.push({ rule: "price", where: row.name, severity: "left out", sentence: `${row.name}: no price is printed; ${usd.printed} over the GPU hours is ${(value(usd) / hours.value).toFixed(2)} USD each.` });
    }
    return found;
  });

const RULES: readonly Rule[] = [degrees, simple, energy, tonnes, sums, compute, savings];
const ORDER = ["contradiction", "last digit", "left out"];

/**
 * What does not add up in a published cost table, and what it leaves out: contradictions first. The rules say how columns
 * depend on each other; a row takes part in every rule whose columns it has, and consistent tables yield nothing.
 */
export function auditTable(table: CostTable): TableFinding[] {
  return RULES.flatMap((rule) => rule(table)).toSorted((a, b) => ORDER.indexOf(a.severity) - ORDER.indexOf(b.severity));
}
