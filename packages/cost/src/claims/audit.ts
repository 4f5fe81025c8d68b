import { megatronFlopsRange, ZETTA } from "../flops.ts";
import { averageScore, batchTokens, chipMwh, englishTokensB, gpuHours, growthStages, stageGpus, throughputFlops, totalDays, totalTokensB } from "../paper/quantities.ts";
import { predictedEqualLossSaving } from "../laws/growthLaw.ts";
import { flm101b, type PaperTables } from "../paper/tables.ts";
import { asPrinted, equalsPrinted, type Interval, overlaps, type Printed, propagateRounding, roundingInterval, truncatesToPrinted, valueOf } from "../printed.ts";
import { pueConventions } from "./carbon.ts";
import { sharesOfFlops } from "./cost.ts";
import { isAbout } from "./row.ts";
import { codePointOf } from "./text.ts";

/**
 * One disagreement between the paper's own figures.
 * `contradiction`: no rounding explains it. `last digit`: off by what rounding of the inputs allows. `left out`: what a
 * figure needs before it can be compared, and the tables do not say.
 */
export interface Finding {
  rule: string;
  where: string;
  printed: string;
  computed: string;
  severity: "contradiction" | "last digit" | "left out";
  sentence: string;
}

/** A check that knows how figures depend on each other, and nothing about which of them are wrong. */
type Rule = (tables: PaperTables) => Finding[];

/** Compares a printed figure with its computation; silent when the digits agree. */
function compare(
  rule: string,
  where: string,
  printed: Printed,
  { value, interval }: { value: number; interval?: Interval },
  unit: string,
  how: string,
): Finding[] {
  if (equalsPrinted(value, printed)) return [];
  const explained = interval !== undefined && overlaps(interval, roundingInterval(printed));
  const computed = asPrinted(value, printed);
  return [
    {
      rule,
      where,
      printed: `${printed} ${unit}`,
      computed: `${computed} ${unit}`,
      severity: explained ? "last digit" : "contradiction",
      sentence: `${where}: ${printed} ${unit} is printed, ${how} gives ${computed} ${unit}${explained ? "; rounding of the inputs explains it" : ""}.`,
    },
  ];
}

const totals: Rule = (tables) => [
  ...compare("sum", "total days", tables.schedule.totalDays, totalDays(tables), "days", "the sum over stages"),
  ...compare("sum", "total tokens", tables.schedule.totalTokensB, totalTokensB(tables), "billion", "the sum over stages"),
];

const hours: Rule = (tables) => {
  const own = tables.carbon.columns.at(-1)!;
  const { value, interval } = gpuHours(tables);
  const found = compare("GPU hours", `carbon table, ${own.name}`, own.gpuHours, { value, interval }, "GPU-hours", `GPUs x days x 24 = ${Math.round(value).toLocaleString("en-US")}`);
  return found.map((finding) => ({ ...finding, computed: `${Math.round(value).toLocaleString("en-US")} GPU-hours` }));
};

const gpus: Rule = ({ stages, cluster }) =>
  stages
    .filter((stage) => stageGpus(stage) !== cluster.numGpus)
    .map((stage) => ({
      rule: "GPUs",
      where: `stage ${stage.name}`,
      printed: `${cluster.numGpus}`,
      computed: `${stageGpus(stage)}`,
      severity: "contradiction",
      sentence: `stage ${stage.name}: tp x pp x dp is ${stageGpus(stage)}, the cluster has ${cluster.numGpus} GPUs.`,
    }));

const batches: Rule = ({ stages, cluster }) =>
  stages.flatMap((stage) =>
    compare(
      "batch tokens",
      `stage ${stage.name}`,
      stage.batchTokensM,
      { value: batchTokens(stage, cluster.seqLen) / 1e6 },
      "million tokens a batch",
      `${stage.batchSequences} x ${cluster.seqLen}`,
    ),
  );

const utilisations: Rule = ({ stages, rival, cluster }) =>
  [...stages, rival].flatMap(({ name, tflops, utilisationPercent }) => {
    const share = (rate: number) => (100 * rate) / valueOf(cluster.peakTflops);
    const interval = propagateRounding([tflops], (rate) => share(rate!));
    return compare("utilisation", name, utilisationPercent, { value: share(valueOf(tflops)), interval }, "%", `${tflops} / ${cluster.peakTflops}`);
  });

/** kWh in one printed unit, read as SI prefixes: MkWh is a million kWh. */
function kwhPerUnit(unit: string): number {
  const prefixes: Record<string, number> = { "": 1, k: 1e3, M: 1e6, G: 1e9 };
  const match = /^([kMG]?)([kMG]?)Wh$/.exec(unit);
  if (!match) throw new RangeError(`audit: energyUnit: is ${unit}, expected prefixes k, M, G before Wh. Correct the table.`);
  return (prefixes[match[1]!]! * prefixes[match[2]!]!) / 1e3;
}

const energy: Rule = ({ carbon }) => {
  const unitMwh = kwhPerUnit(carbon.energyUnit) / 1e3;
  const ratios = carbon.columns.map((column) => (valueOf(column.energy) * unitMwh) / chipMwh(column));
  const scale = 10 ** Math.round(Math.log10(ratios.reduce((a, b) => a * b) ** (1 / ratios.length)));
  const unit: Finding[] =
    scale === 1
      ? []
      : [
          {
            rule: "energy unit",
            where: "carbon table, energy",
            printed: carbon.energyUnit,
            computed: "MWh",
            severity: "contradiction",
            sentence: `carbon table, energy: read as ${carbon.energyUnit} every column is ${scale} times hours x watts; the figures are MWh.`,
          },
        ];
  const values = carbon.columns.flatMap((column) => {
    const mwh = (chipMwh(column) * scale) / unitMwh;
    if (truncatesToPrinted(mwh, column.energy)) return [];
    const interval = propagateRounding([column.gpuHours], (h) => (mwh * h!) / valueOf(column.gpuHours));
    return compare("energy", `carbon table, ${column.name}`, column.energy, { value: mwh, interval }, "MWh", "hours x watts");
  });
  return [...unit, ...values];
};

const pue: Rule = ({ carbon }) => {
  const { withPue, without } = pueConventions(carbon.columns);
  if (withPue.length === 0 || without.length === 0) return [];
  return [
    {
      rule: "PUE",
      where: "carbon table, tCO2e",
      printed: `one row for ${carbon.columns.length} models`,
      computed: `PUE in ${withPue.join(", ")}; none in ${without.join(", ")}`,
      severity: "contradiction",
      sentence: `carbon table, tCO2e: PUE is left out of the energy row, is inside the tonnes of ${withPue.join(", ")} and absent from ${without.join(", ")}: the row mixes conventions.`,
    },
  ];
};

const flopsShare: Rule = (tables) => {
  const about = valueOf(tables.text.aboutShareOfFlopsPercent);
  return sharesOfFlops(tables)
    .filter(({ percent }) => !isAbout(percent, about))
    .map(({ name, percent }) => ({
      rule: "share of FLOPs",
      where: `text against ${name}`,
      printed: `about ${about} %`,
      computed: `${percent.toFixed(1)} %`,
      severity: "contradiction",
      sentence: `text: about ${about} % of the FLOPs is printed, the cost columns give ${percent.toFixed(1)} % of ${name}.`,
    }));
};

const costColumn: Rule = ({ costs }) =>
  costs.flatMap((row) => {
    const range = megatronFlopsRange(row, row.tokens);
    const value = (row.half === undefined ? range.high : range.mid) / ZETTA;
    const interval = propagateRounding([`${row.tokens / 1e9}`], (tokensB) => (value * tokensB! * 1e9) / row.tokens);
    return compare("cost formula", `cost of ${row.name}`, row.mid, { value, interval }, "zettaFLOPs", "the formula");
  });

/** Figures that the text repeats from a table. */
const textAgainstTable: Rule = ({ text, costs }) => {
  const row = costs.find((cost) => cost.id === "llama2-13b");
  if (!row || row.mid === text.llama2Cost13b) return [];
  const computed = megatronFlopsRange(row, row.tokens).mid / ZETTA;
  const right = equalsPrinted(computed, row.mid) ? "table" : equalsPrinted(computed, text.llama2Cost13b) ? "text" : "neither";
  return [
    {
      rule: "text against table",
      where: `cost of ${row.name}`,
      printed: `${text.llama2Cost13b} in the text, ${row.mid} in the table`,
      computed: computed.toFixed(2),
      severity: "contradiction",
      sentence: `cost of ${row.name}: the text prints ${text.llama2Cost13b}, the table ${row.mid}; the formula agrees with the ${right}.`,
    },
  ];
};

const languages: Rule = (tables) => {
  const { total, english, chinese, englishPercent } = tables.flmCost;
  const split = (share: (percent: number) => number) => ({
    value: valueOf(total) * share(valueOf(englishPercent)),
    interval: propagateRounding([total, englishPercent], (t, p) => t! * share(p!)),
  });
  return [
    ...compare("language split", "English cost", english, split((p) => p / 100), "zettaFLOPs", `${englishPercent} % of ${total}`),
    ...compare("language split", "Chinese cost", chinese, split((p) => 1 - p / 100), "zettaFLOPs", `the rest of ${total}`),
  ];
};

const englishBound: Rule = (tables) => {
  const { value, interval } = englishTokensB(tables);
  const bound = valueOf(tables.text.englishTokensBelowB);
  if (interval[0] < bound) return [];
  return [
    {
      rule: "English tokens",
      where: "text",
      printed: `less than ${bound / 1000}T`,
      computed: `${value.toFixed(1)}B`,
      severity: "contradiction",
      sentence: `text: less than ${bound / 1000}T English tokens is printed, ${tables.flmCost.englishPercent} % of all tokens is ${value.toFixed(1)}B.`,
    },
  ];
};

const glyphs: Rule = ({ text }) =>
  text.glyphs
    .filter(({ glyph, codePoint }) => codePointOf(glyph) !== codePoint)
    .map(({ glyph, codePoint }) => ({
      rule: "code point",
      where: "teacher signal",
      printed: `${glyph} as ${codePoint}`,
      computed: codePointOf(glyph),
      severity: "contradiction",
      sentence: `teacher signal: ${glyph} is printed as ${codePoint}, its code point is ${codePointOf(glyph)}.`,
    }));

const averages: Rule = ({ scores }) =>
  scores.flatMap((row) => compare("average", `${row.table}, ${row.model}`, row.average, averageScore(row), "points", "the mean of the row"));

/** A saving at equal tokens says nothing about equal loss; the tables hold no loss of a run from scratch. */
const equalTokens: Rule = (tables) => {
  const { scratchDays, savedPercent, speedup } = tables.schedule;
  const stages = growthStages(tables);
  if (stages.length < 2) return [];
  const saving = predictedEqualLossSaving(stages).toFixed(2);
  return [
    {
      rule: "equal tokens",
      where: "saving",
      printed: `${savedPercent} %, ${speedup}x`,
      computed: `${saving}x at equal loss by the loss-matching law`,
      severity: "left out",
      sentence: `saving: ${savedPercent} % (${speedup}x) compares equal tokens with an estimate of ${scratchDays} days, not equal loss: no run from scratch was made; by the loss-matching law the same loss from scratch costs ${saving}x.`,
    },
  ];
};

/** Rows of one column that count recomputation differently: 6 N D, 8 N D, or both as a range. */
const recomputation: Rule = (tables) => {
  const own = valueOf(tables.flmCost.total) / (growthStages(tables).reduce((sum, { parameters, tokens }) => sum + 6 * parameters * tokens, 0) / ZETTA);
  const full = tables.costs.filter((row) => row.half === undefined).map(({ name }) => name);
  const ranges = tables.costs.filter((row) => row.half !== undefined).map(({ name }) => name);
  if (own > 1.15 || full.length === 0) return [];
  return [
    {
      rule: "recomputation",
      where: "cost column",
      printed: tables.flmCost.total,
      computed: `${own.toFixed(2)} x 6 N D`,
      severity: "left out",
      sentence: `cost column: its own ${tables.flmCost.total} zettaFLOPs are ${own.toFixed(2)} times 6 N D (no recomputation), ${full.join(", ")} is counted with full recomputation and ${ranges.join(", ")} as a range over both.`,
    },
  ];
};

/** Throughput times time holds more work than the cost column: time that did not train, or other FLOPs counted. */
const throughput: Rule = (tables) => {
  const rate = throughputFlops(tables) / ZETTA;
  const printed = valueOf(tables.flmCost.total);
  if (Math.abs(rate / printed - 1) < 0.03) return [];
  return [
    {
      rule: "throughput x time",
      where: "cost column",
      printed: `${tables.flmCost.total} zettaFLOPs`,
      computed: `${rate.toFixed(2)} zettaFLOPs`,
      severity: rate < printed ? "contradiction" : "left out",
      sentence: `cost column: GPUs x days x TFLOP/s is ${rate.toFixed(2)} zettaFLOPs, printed ${tables.flmCost.total}: ${rate < printed ? "more than the machines can have done at that rate" : `${(100 * (1 - printed / rate)).toFixed(0)} % of the time was not training, or the TFLOP/s count other FLOPs`}.`,
    },
  ];
};

/** Dollars without a price an hour. */
const price: Rule = (tables) => {
  const usd = valueOf(tables.text.budgetUsd);
  const { value } = gpuHours(tables);
  return [
    {
      rule: "price",
      where: "budget",
      printed: `${tables.text.budgetUsd} USD`,
      computed: `${(usd / value).toFixed(4)} USD per GPU-hour`,
      severity: "left out",
      sentence: `budget: ${tables.text.budgetUsd} USD has no price an hour; over ${Math.round(value).toLocaleString("en-US")} GPU-hours it is ${(usd / value).toFixed(4)} USD, over the printed ${tables.carbon.columns.at(-1)!.gpuHours} ${(usd / valueOf(tables.carbon.columns.at(-1)!.gpuHours)).toFixed(3)}; data, search, failed runs and people are outside.`,
    },
  ];
};

const RULES: readonly Rule[] = [
  hours, batches, energy, pue, flopsShare, textAgainstTable, utilisations, totals, gpus, costColumn, languages, englishBound, glyphs, averages, throughput, recomputation, equalTokens, price,
];

const ORDER: readonly Finding["severity"][] = ["contradiction", "last digit", "left out"];

/**
 * Every disagreement among the figures of a paper's tables, contradictions first, then what they leave out. The rules state how figures depend
 * on each other; given consistent tables they find no contradiction.
 */
export function audit(tables: PaperTables = flm101b): Finding[] {
  const found = RULES.flatMap((rule) => rule(tables));
  return found.toSorted((a, b) => ORDER.indexOf(a.severity) - ORDER.indexOf(b.severity));
}
