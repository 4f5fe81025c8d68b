import { megatronFlopsRange, ZETTA } from "../flops.ts";
import { averageScore, batchTokens, chipMwh, englishTokensB, gpuHours, stageGpus, totalDays, totalTokensB } from "../paper/quantities.ts";
import { flm101b, type PaperTables } from "../paper/tables.ts";
import { asPrinted, equalsPrinted, type Interval, overlaps, type Printed, propagateRounding, roundingInterval, truncatesToPrinted, valueOf } from "../printed.ts";
import { pueConventions } from "./carbon.ts";
import { sharesOfFlops } from "./cost.ts";
import { isAbout } from "./row.ts";
import { codePointOf } from "./text.ts";

/**
 * One disagreement between the paper's own figures.
 * `contradiction`: no rounding explains it. `last digit`: off by what rounding of the inputs allows.
 */
export interface Finding {
  rule: string;
  where: string;
  printed: string;
  computed: string;
  severity: "contradiction" | "last digit";
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

const RULES: readonly Rule[] = [
  hours, batches, energy, pue, flopsShare, textAgainstTable, utilisations, totals, gpus, costColumn, languages, englishBound, glyphs, averages,
];

/**
 * Every disagreement among the figures of a paper's tables, contradictions first. The rules state how figures depend
 * on each other; given consistent tables they find nothing.
 */
export function audit(tables: PaperTables = flm101b): Finding[] {
  const found = RULES.flatMap((rule) => rule(tables));
  return found.toSorted((a, b) => Number(a.severity === "last digit") - Number(b.severity === "last digit"));
}
