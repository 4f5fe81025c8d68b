import { modelConfig, numParameters } from "@espalier/spec/model";
import { blockParameters, megatronFlopsRange, ZETTA } from "../flops.ts";
import { averageScore, batchTokens, englishTokensB } from "../paper/quantities.ts";
import type { PaperTables } from "../paper/tables.ts";
import { asPrinted, equalsPrinted, valueOf } from "../printed.ts";
import { type ArithmeticClaim, claim, verdictOn, weakest } from "./row.ts";

function lastBatch({ stages, cluster }: PaperTables): ArithmeticClaim {
  const stage = stages.at(-1)!;
  const millions = batchTokens(stage, cluster.seqLen) / 1e6;
  return claim({
    id: "batch.tokens-101b",
    paper: `${stage.batchTokensM}M tokens a batch`,
    measured: `${millions.toFixed(2)}M tokens`,
    verdict: verdictOn(millions, stage.batchTokensM),
    why: "The other stages' batches do equal sequences times length.",
    derivation: {
      formula: "sequences * s",
      inputs: [
        { name: "sequences", value: stage.batchSequences, source: "Table 2" },
        { name: "s", value: cluster.seqLen, source: "section 2.4" },
      ],
    },
  });
}

function llama2Text(tables: PaperTables): ArithmeticClaim {
  const row = tables.costs.find((cost) => cost.id === "llama2-13b")!;
  const mid = megatronFlopsRange(row, row.tokens).mid / ZETTA;
  const same = row.mid === tables.text.llama2Cost13b;
  return claim({
    id: "text.llama2-13b-cost",
    paper: `${tables.text.llama2Cost13b} in the text, ${row.mid} in the table`,
    measured: `${mid.toFixed(2)} zettaFLOPs`,
    verdict: same && equalsPrinted(mid, row.mid) ? "exact" : "contradicted",
    why: equalsPrinted(mid, row.mid) ? "The formula gives the table's figure; the text has two digits swapped." : "Neither figure follows from the formula.",
    derivation: {
      formula: "mean of F = c T L h^2 (1 + s/(6h) + V/(16 L h)) at c = 72 and 96",
      inputs: [{ name: "L, h, s, V, T", value: `${row.numLayers}, ${row.hiddenSize}, ${row.seqLen}, ${row.vocabSize}, ${row.tokens}`, source: "arXiv:2307.09288" }],
    },
  });
}

function englishTokens(tables: PaperTables): ArithmeticClaim {
  const { value, interval } = englishTokensB(tables);
  const bound = valueOf(tables.text.englishTokensBelowB);
  return claim({
    id: "text.english-tokens",
    paper: "less than 0.16T English tokens",
    measured: `${(value / 1000).toFixed(4)}T`,
    interval: [interval[0] / 1000, interval[1] / 1000],
    verdict: interval[0] < bound ? "reproduced" : "contradicted",
    why: "All tokens times the English share is above the bound, whatever the rounding of either.",
    derivation: {
      formula: "sum of tokens * English share",
      inputs: [
        ...tables.stages.map((stage) => ({ name: stage.name, value: `${stage.tokensB}e9`, source: "Table 1" })),
        { name: "share", value: `${tables.flmCost.englishPercent} %`, source: "section 2.2" },
      ],
    },
  });
}

/** Code point of a glyph as Unicode writes it. */
export function codePointOf(glyph: string): string {
  return `U+${glyph.codePointAt(0)!.toString(16).toUpperCase()}`;
}

function emoji({ text }: PaperTables): ArithmeticClaim {
  const wrong = text.glyphs.filter(({ glyph, codePoint }) => codePointOf(glyph) !== codePoint);
  return claim({
    id: "text.emoji",
    paper: text.glyphs.map(({ glyph, codePoint }) => `${glyph} as ${codePoint}`).join(", "),
    measured: text.glyphs.map(({ glyph }) => `${glyph} is ${codePointOf(glyph)}`).join(", "),
    verdict: wrong.length === 0 ? "exact" : "contradicted",
    why: wrong.length === 0 ? "Each glyph has its code point." : "The two code points are swapped against the glyphs.",
    derivation: {
      formula: "code point of the glyph",
      inputs: text.glyphs.map(({ glyph, codePoint }) => ({ name: glyph, value: codePoint, source: "section 2.1" })),
    },
  });
}

function averages({ scores }: PaperTables): ArithmeticClaim {
  const rows = scores.map((row) => ({ row, ...averageScore(row) }));
  const off = rows.filter(({ row, value }) => !equalsPrinted(value, row.average));
  return claim({
    id: "tables.averages",
    paper: `${rows.length} printed averages of Tables 4 to 11`,
    measured: `${rows.length - off.length} equal to the digit${off.map(({ row, value }) => `; ${row.table} ${row.model} ${asPrinted(value, row.average)} for ${row.average}`).join("")}`,
    verdict: weakest(rows.map(({ row, value, interval }) => verdictOn(value, row.average, interval))),
    why: "Plain means of the scores; C-Eval over its 20, 10, 11 and 11 subjects. The others differ by one in the last digit, inside the rounding of their scores.",
    derivation: {
      formula: "mean of scores; Table 5 weighted by subjects",
      inputs: off.map(({ row }) => ({ name: `${row.table} ${row.model}`, value: row.scores.join(" "), source: row.table })),
    },
  });
}

/** The released 101B shape in our own layout table. */
export function flm101bParameters(): { blocks: number; total: number } {
  const model = modelConfig({ family: "flm", vocabSize: 100352, seqLen: 2048, numLayers: 80, residualDim: 10240, numKvHeads: 80 });
  return { blocks: blockParameters({ numLayers: 80, hiddenSize: 10240 }), total: numParameters(model) };
}

function parameters(): ArithmeticClaim {
  const { blocks, total } = flm101bParameters();
  return claim({
    id: "params.101b",
    paper: "101B from 80 x 10240 x 80",
    measured: `blocks ${(blocks / 1e9).toFixed(2)}B; with biases, norms and one embedding ${(total / 1e9).toFixed(2)}B`,
    interval: [blocks / 1e9, total / 1e9],
    verdict: verdictOn(blocks / 1e9, "101"),
    why: "The block count rounds to the name; with one embedding the total truncates to it.",
    derivation: {
      formula: "12 L h^2; total from the layout table",
      inputs: [
        { name: "L", value: 80, source: "section 2.4" },
        { name: "h", value: 10240, source: "section 2.4" },
        { name: "V", value: 100352, source: "released configuration (padded)" },
      ],
    },
  });
}

/** Every `batch.*`, `text.*`, `tables.*` and `params.*` row. */
export function textClaims(tables: PaperTables): ArithmeticClaim[] {
  return [lastBatch(tables), llama2Text(tables), englishTokens(tables), emoji(tables), averages(tables), parameters()];
}
