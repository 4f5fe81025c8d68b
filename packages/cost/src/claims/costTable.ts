import { DataError } from "@espalier/core";
import { parseCsv } from "../csv.ts";
import type { Printed } from "../printed.ts";

/** What a column of a published cost table holds. */
export type CostColumn =
  | "name" | "parameters" | "tokens" | "tensor" | "pipeline" | "context" | "data" | "gpus" | "batchSequences" | "seqLen" | "batchTokens" | "layers" | "hidden" | "vocab"
  | "tflops" | "peakTflops" | "utilisation" | "days" | "gpuHours" | "watts" | "energy" | "pue" | "grid" | "tonnes" | "usd" | "usdPerGpuHour" | "flops" | "speedup" | "saved" | "loss" | "baselineLoss";

/** Headings by column, without their unit: lower case, letters and digits only. */
const HEADINGS: Record<CostColumn, readonly string[]> = {
  name: ["name", "model", "run", "stage"],
  parameters: ["params", "parameters", "size", "n"],
  tokens: ["tokens", "trainingtokens", "tokenstrained"],
  tensor: ["tensor", "tp", "tensorparallel"],
  pipeline: ["pipeline", "pp", "pipelineparallel"],
  context: ["context", "cp", "contextparallel"],
  data: ["data", "dp", "dataparallel"],
  gpus: ["gpus", "numgpus", "ngpus", "devices", "accelerators"],
  batchSequences: ["batchsequences", "globalbatch", "globalbatchsequences", "batch", "batchsize"],
  seqLen: ["seqlen", "sequencelength", "contextlength"],
  batchTokens: ["batchtokens", "tokensabatch", "globalbatchtokens"],
  layers: ["layers", "numlayers"],
  hidden: ["hidden", "hiddensize", "width"],
  vocab: ["vocab", "vocabsize", "vocabulary"],
  tflops: ["tflops", "tflopspergpu", "throughput"],
  peakTflops: ["peaktflops", "peak"],
  utilisation: ["utilisation", "utilization", "mfu", "hfu"],
  days: ["days", "time", "walltime"],
  gpuHours: ["gpuhours", "gpuh", "acceleratorhours", "devicehours"],
  watts: ["watts", "power", "tdp", "chippower"],
  energy: ["energy", "electricity", "powerconsumption"],
  pue: ["pue"],
  grid: ["grid", "carbonintensity", "gridintensity"],
  tonnes: ["tonnes", "tco2e", "carbon", "co2", "nettco2e", "emissions"],
  usd: ["usd", "cost", "dollars", "costusd", "budget", "price"],
  usdPerGpuHour: ["usdpergpuhour", "usdperhour", "pricepergpuhour", "hourlyprice", "rate"],
  flops: ["flops", "trainingflops", "compute"],
  speedup: ["speedup"],
  saved: ["saved", "saving", "savedpercent", "costsaved"],
  loss: ["loss", "finalloss", "validationloss"],
  baselineLoss: ["baselineloss", "scratchloss", "referenceloss"],
};

/** Units that a heading may name, as factors to the unit of the column; those of energy are read apart, with both prefixes. */
const UNITS: Partial<Record<CostColumn, Record<string, number>>> = {
  parameters: { "": 1, M: 1e6, B: 1e9, T: 1e12 },
  tokens: { "": 1, M: 1e6, B: 1e9, T: 1e12 },
  batchTokens: { "": 1, k: 1e3, M: 1e6 },
  flops: { "": 1, EFLOPs: 1e18, ZFLOPs: 1e21, zettaFLOPs: 1e21, YFLOPs: 1e24 },
  utilisation: { "": 1, "%": 1 },
  saved: { "": 1, "%": 1 },
  days: { "": 1, d: 1, days: 1, h: 1 / 24, hours: 1 / 24 },
  usd: { "": 1, k: 1e3, M: 1e6, USD: 1, "k USD": 1e3, "M USD": 1e6 },
  tonnes: { "": 1, t: 1, kg: 1e-3, tCO2e: 1, kgCO2e: 1e-3 },
  grid: { "": 1, "kg/kWh": 1, "g/kWh": 1e-3, "kgCO2e/kWh": 1, "gCO2e/kWh": 1e-3, "t/MWh": 1 },
  watts: { "": 1, W: 1, kW: 1e3 },
};

/** A cell as it was printed, with the factor of its column's unit. */
export interface CostCell {
  printed: Printed;
  factor: number;
}

export interface CostTableRow {
  name: string;
  /** The sum of the rows above it. */
  total: boolean;
  cells: Partial<Record<Exclude<CostColumn, "name">, CostCell>>;
}

export interface CostTable {
  where: string;
  rows: readonly CostTableRow[];
  /** As the heading prints it; absent without an energy column. */
  energyUnit?: string;
  /** Headings that no rule reads. */
  ignored: readonly string[];
}

/** kWh in one printed unit, read as SI prefixes: MkWh is a million kWh. Undefined when it is no such unit. */
export function kwhPerUnit(unit: string): number | undefined {
  const prefixes: Record<string, number> = { "": 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12 };
  const match = /^([kMGT]?)([kMGT]?)Wh$/.exec(unit);
  return match ? (prefixes[match[1]!]! * prefixes[match[2]!]!) / 1e3 : undefined;
}

const NUMBER = /^\d{1,3}(?:,\d{3})+(?:\.\d+)?$|^\d+(?:\.\d+)?(?:e[+-]?\d+)?$/;
const EMPTY = new Set(["", "-", "n/a", "na", "?", "–", "—"]);

function headingOf(text: string): { column: CostColumn; unit: string } | undefined {
  const match = /^([\s\S]*?)(?:\s*[([]([^)\]]*)[)\]])?$/.exec(text.trim())!;
  const word = match[1]!.toLowerCase().replaceAll(/[^a-z0-9]/g, "");
  const column = (Object.keys(HEADINGS) as CostColumn[]).find((key) => HEADINGS[key].includes(word));
  return column && { column, unit: (match[2] ?? "").trim() };
}

/** Rows of Markdown (a pipe table) as those of a CSV file. */
function parseMarkdown(text: string): Record<string, string>[] {
  const lines = text.split(/\r?\n/).filter((line) => line.trim().startsWith("|"));
  const cells = (line: string) => line.trim().replace(/^\||\|$/g, "").split("|").map((cell) => cell.trim().replaceAll("*", ""));
  const [head, , ...body] = lines;
  if (!head) return [];
  const names = cells(head);
  return body.map((line) => Object.fromEntries(names.map((name, i) => [name, cells(line)[i] ?? ""])));
}

/**
 * A cost table from CSV, Markdown or JSON (an array of objects). Headings name the column and, in brackets, the unit:
 * `energy [MWh]`, `tokens (B)`, `tCO2e`. Numbers stay as printed, since their digits are the claim. A row called total
 * holds sums.
 *
 * @throws {DataError} when there is no table, a cell is no number, or a unit is unknown
 */
export function parseCostTable(text: string, where: string): CostTable {
  const source = text.replace(/^\uFEFF/, "").trim();
  let records: Record<string, unknown>[];
  if (source.startsWith("[")) {
    try {
      records = JSON.parse(source) as Record<string, unknown>[];
    } catch (cause) {
      throw new DataError(`${where}: not JSON (${(cause as Error).message}), expected an array of rows. Correct the file.`, { cause });
    }
    if (!records.every((row) => typeof row === "object" && row !== null && !Array.isArray(row))) throw new DataError(`${where}: a row is no object, expected names and figures. Correct the file.`);
  } else records = source.startsWith("|") || /^\|.*\|$/m.test(source) ? parseMarkdown(source) : parseCsv(source);
  if (records.length === 0) throw new DataError(`${where}: holds no rows, expected a heading and at least one row. Give CSV, Markdown or a JSON array.`);
  const headings = [...new Set(records.flatMap((row) => Object.keys(row)))];
  const ignored: string[] = [];
  const columns = new Map<string, { column: CostColumn; unit: string }>();
  for (const heading of headings) {
    const found = headingOf(heading);
    if (found) columns.set(heading, found);
    else ignored.push(heading);
  }
  if (![...columns.values()].some(({ column }) => column !== "name")) {
    throw new DataError(`${where}: no heading is known (${headings.join(", ")}), expected such as gpus, days, gpu hours, watts, energy [MWh], tCO2e, tokens [B], tflops. Rename the columns.`);
  }
  let energyUnit: string | undefined;
  const rows = records.map((record, index): CostTableRow => {
    const cells: CostTableRow["cells"] = {};
    let name = `row ${index + 1}`;
    for (const [heading, { column, unit }] of columns) {
      const cell = String(record[heading] ?? "").trim();
      if (column === "name") {
        if (cell) name = cell;
        continue;
      }
      if (column === "energy") {
        if (kwhPerUnit(unit || "MWh") === undefined) throw new DataError(`${where}: ${heading}: the unit "${unit}" is not one of energy, expected Wh with a prefix such as MWh. Correct the heading.`);
        energyUnit = unit || "MWh";
      }
      const units = UNITS[column] ?? { "": 1 };
      const factor = column === "energy" ? kwhPerUnit(energyUnit!)! / 1e3 : Object.hasOwn(units, unit) ? units[unit]! : undefined;
      if (factor === undefined) throw new DataError(`${where}: ${heading}: the unit "${unit}" is not one of ${column}, expected ${Object.keys(units).filter(Boolean).join(", ") || "none"}. Correct the heading.`);
      if (EMPTY.has(cell.toLowerCase())) continue;
      const printed = cell.replace(/^\$|%$/g, "").trim();
      if (!NUMBER.test(printed)) throw new DataError(`${where}: ${name}, ${heading}: is "${cell.slice(0, 40)}", expected a number as printed. Leave the cell empty where there is none.`);
      cells[column] = { printed, factor };
    }
    return { name, total: /^(total|sum|all)\b/i.test(name), cells };
  });
  return { where, rows, ignored, ...(energyUnit === undefined ? {} : { energyUnit }) };
}
