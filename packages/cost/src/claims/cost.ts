import { megatronFlopsRange, ZETTA } from "../flops.ts";
import { type Interval, propagateRounding, valueOf } from "../printed.ts";
import type { PaperCost, PaperTables } from "../paper/tables.ts";
import { type ArithmeticClaim, claim, isAbout, verdictOn, weakest } from "./row.ts";
import { admissibleShapes, flopsRangeOver } from "./stageShapes.ts";

const FORMULA = "F = c T L h^2 (1 + s/(6h) + V/(16 L h))";
/** How far a stage's parameters may be from its name: plain shapes such as 80 x 4096 and 48 x 5120 are 3 % off 16B. */
const SIZE_TOLERANCE = 0.04;

/** Cost of a published model in zettaFLOPs: middle and half-range of both recomputation forms, or the full form alone. */
function publishedCost(row: PaperCost): ArithmeticClaim {
  const range = megatronFlopsRange(row, row.tokens);
  const inputs = [
    { name: "T", value: row.tokens, source: "model's own publication" },
    { name: "L", value: row.numLayers, source: "model's own publication" },
    { name: "h", value: row.hiddenSize, source: "model's own publication" },
    { name: "s", value: row.seqLen, source: "model's own publication" },
    { name: "V", value: row.vocabSize, source: "model's own publication" },
  ];
  if (row.half !== undefined) {
    const mid = range.mid / ZETTA;
    const half = range.half / ZETTA;
    return claim({
      id: `cost.${row.id}`,
      paper: `${row.mid} +- ${row.half} zettaFLOPs`,
      measured: `${mid.toFixed(2)} +- ${half.toFixed(2)} zettaFLOPs`,
      interval: [range.low / ZETTA, range.high / ZETTA],
      verdict: weakest([verdictOn(mid, row.mid), verdictOn(half, row.half)]),
      why: "Middle and half-difference of the formula without (c = 72) and with full (c = 96) activation recomputation.",
      derivation: { formula: `${FORMULA}; c = 72 and 96; mid = mean, half = half-difference`, inputs },
    });
  }
  const { share, value } = row.tableShare!;
  const total = range.high / ZETTA;
  // The number of tokens is published in whole billions: what that leaves open covers the last digit.
  const interval = propagateRounding([`${row.tokens / 1e9}`], (tokensB) => (total * tokensB! * 1e9) / row.tokens);
  const partInterval: Interval = [interval[0] * share, interval[1] * share];
  return claim({
    id: `cost.${row.id}`,
    paper: `${row.mid} zettaFLOPs (half: ${value})`,
    measured: `${total.toFixed(2)} zettaFLOPs; half ${(total * share).toFixed(2)}`,
    interval,
    verdict: weakest([verdictOn(total, row.mid, interval), verdictOn(total * share, value, partInterval)]),
    why: "Full recomputation (c = 96), one lower in the last digit; the tokens are published in whole billions, which moves the total by more than that.",
    derivation: { formula: `${FORMULA}; c = 96; half = ${share} F`, inputs },
  });
}

function flmTotal(tables: PaperTables): ArithmeticClaim {
  const { cluster, stages, flmCost } = tables;
  const final = stages.at(-1)!;
  const largest = { numLayers: 80, hiddenSize: 10240 };
  const ranges = stages.map((stage) => {
    const tokens = valueOf(stage.tokensB) * 1e9;
    const shapes =
      stage === final
        ? [{ ...largest, parameters: 0 }]
        : admissibleShapes({
            nominalParameters: stage.parametersB * 1e9,
            tensorParallel: stage.tensorParallel,
            pipelineParallel: stage.pipelineParallel,
            vocabSize: cluster.vocabSize,
            tolerance: SIZE_TOLERANCE,
            largest,
            headDim: 128,
          });
    const [low, high] = flopsRangeOver(shapes, cluster, tokens);
    return { name: stage.name, numShapes: shapes.length, low: low / ZETTA, high: high / ZETTA };
  });
  const low = ranges.reduce((sum, range) => sum + range.low, 0);
  const high = ranges.reduce((sum, range) => sum + range.high, 0);
  const printed = valueOf(flmCost.total);
  return claim({
    id: "cost.flm-total",
    paper: `${flmCost.total} zettaFLOPs`,
    measured: `${low.toFixed(2)} to ${high.toFixed(2)} zettaFLOPs over ${ranges.map((r) => r.numShapes).join(" x ")} admissible stage shapes`,
    interval: [low, high],
    verdict: low <= printed && printed <= high ? "reproduced" : "contradicted",
    why: `Shapes of the 16B and 51B stages are not published, so the digits cannot be recomputed; the printed total lies inside the range of every shape with head size 128 that the layout allows, without recomputation. The 101B stage alone is ${ranges.at(-1)!.low.toFixed(2)}.`,
    derivation: {
      formula: `sum over stages of ${FORMULA}, c = 72; 16B and 51B over all L <= 80, h <= 10240 with h divisible by 128 tp, L by pp, N within ${SIZE_TOLERANCE * 100} % of the name`,
      inputs: [
        ...stages.map((stage) => ({ name: `T(${stage.name})`, value: `${stage.tokensB}e9`, source: "Table 1" })),
        { name: "L x h (101B)", value: "80 x 10240", source: "section 2.4" },
        { name: "s", value: cluster.seqLen, source: "section 2.4" },
        { name: "V", value: cluster.vocabSize, source: "section 2.4" },
        ...ranges.map((range) => ({ name: `F(${range.name})`, value: `${range.low.toFixed(2)}..${range.high.toFixed(2)}`, source: "computed" })),
      ],
    },
  });
}

function flmLanguages({ flmCost }: PaperTables): ArithmeticClaim {
  const inputs = [flmCost.total, flmCost.englishPercent];
  const english = (total: number, percent: number) => (total * percent) / 100;
  const chinese = (total: number, percent: number) => total * (1 - percent / 100);
  const values = inputs.map(valueOf) as [number, number];
  const e = english(...values);
  const c = chinese(...values);
  const eRange = propagateRounding(inputs, (t, p) => english(t!, p!));
  const cRange = propagateRounding(inputs, (t, p) => chinese(t!, p!));
  return claim({
    id: "cost.flm-languages",
    paper: `${flmCost.english} English, ${flmCost.chinese} Chinese`,
    measured: `${e.toFixed(2)} English, ${c.toFixed(2)} Chinese`,
    interval: eRange,
    verdict: weakest([verdictOn(e, flmCost.english, eRange), verdictOn(c, flmCost.chinese, cRange)]),
    why: `One lower in the last digit from the printed share; ${flmCost.englishPercent} % is itself rounded, and the printed pair (${((valueOf(flmCost.english) / values[0]) * 100).toFixed(2)} % English) lies inside that.`,
    derivation: {
      formula: "English = total * share; Chinese = total * (1 - share)",
      inputs: [
        { name: "total", value: flmCost.total, source: "section 4" },
        { name: "share", value: `${flmCost.englishPercent} %`, source: "section 2.2" },
      ],
    },
  });
}

function glmRatio(tables: PaperTables): ArithmeticClaim {
  const glm = tables.costs.find((row) => row.tableShare)!.tableShare!.value;
  const inputs = [glm, tables.flmCost.english];
  const ratio = valueOf(glm) / valueOf(tables.flmCost.english);
  const about = valueOf(tables.text.aboutTimesCheaperThanGlm);
  return claim({
    id: "cost.glm-ratio",
    paper: `about ${tables.text.aboutTimesCheaperThanGlm} times GLM-130B's English cost`,
    measured: `${ratio.toFixed(2)} times`,
    interval: propagateRounding(inputs, (a, b) => a! / b!),
    verdict: weakest([verdictOn(ratio, tables.text.aboutTimesCheaperThanGlm), isAbout(ratio, about) ? "exact" : "contradicted"]),
    why: "GLM-130B is counted with full recomputation and FLM-101B without; at equal counting the ratio is a quarter less.",
    derivation: {
      formula: "GLM-130B English cost / FLM-101B English cost",
      inputs: [
        { name: "GLM", value: glm, source: "Table 4" },
        { name: "FLM", value: tables.flmCost.english, source: "Table 4" },
      ],
    },
  });
}

/** FLM's total cost as a share of each bilingual or English model whose total the paper prints and calls comparable. */
export function sharesOfFlops(tables: PaperTables): { name: string; percent: number }[] {
  return tables.costs
    .filter((row) => row.id === "glm-130b" || row.id === "gpt3")
    .map((row) => ({ name: row.name, percent: (100 * valueOf(tables.flmCost.total)) / valueOf(row.mid) }));
}

function tenthOfFlops(tables: PaperTables): ArithmeticClaim {
  const shares = sharesOfFlops(tables);
  const about = valueOf(tables.text.aboutShareOfFlopsPercent);
  const percents = shares.map((share) => share.percent);
  return claim({
    id: "cost.tenth-of-flops",
    paper: `about ${tables.text.aboutShareOfFlopsPercent} % of the FLOPs of comparable models`,
    measured: shares.map((share) => `${share.percent.toFixed(1)} % of ${share.name}`).join(", "),
    interval: [Math.min(...percents), Math.max(...percents)],
    verdict: percents.every((percent) => isAbout(percent, about)) ? "reproduced" : "contradicted",
    why: `Total against total is more than a tenth. Only English FLM-101B against all of GPT-3 is less (${((100 * valueOf(tables.flmCost.english)) / valueOf(tables.costs[0]!.mid)).toFixed(1)} %). "About" is read as within a tenth.`,
    derivation: {
      formula: "FLM total / model total",
      inputs: [
        { name: "FLM", value: tables.flmCost.total, source: "section 4" },
        ...shares.map(({ name }) => ({ name, value: tables.costs.find((row) => row.name === name)!.mid, source: "Tables 4 and 7, section 4" })),
      ],
    },
  });
}

/** Every `cost.*` row. */
export function costClaims(tables: PaperTables): ArithmeticClaim[] {
  return [...tables.costs.map(publishedCost), flmTotal(tables), flmLanguages(tables), glmRatio(tables), tenthOfFlops(tables)];
}
