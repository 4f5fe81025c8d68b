/**
 * The IQ scores that the paper prints (arXiv 2309.03852 v3, tables 7 to 11) with the intervals it leaves out.
 *
 * Numbers of items are implied: the smallest natural denominator that reproduces every printed score of a column.
 * Only the 100 items of pattern mining are stated.
 */

import { normalCdf } from "../statistics/distributions.ts";
import { holm, minimumDetectableDifference, proportionDifference } from "../statistics/comparison.ts";
import { type Interval, wilson } from "../statistics/intervals.ts";
import { suiteAverage } from "../statistics/means.ts";

export type IqClaim = "iq.symbolic" | "iq.rules" | "iq.patterns" | "iq.interference";
export type PaperModel = "GPT-3" | "GLM-130B" | "FLM-101B";

interface Column {
  task: string;
  items: number;
  /** Labels of the set; only symbolic mapping has a closed choice. */
  labels?: number;
  /** Per cent, as printed. */
  printed: Partial<Record<PaperModel, number>>;
}

interface PrintedTable {
  claim: IqClaim;
  table: string;
  printedAverages: Partial<Record<PaperModel, number>>;
  columns: readonly Column[];
}

const printed = (gpt3: number, glm: number, flm: number) => ({ "GPT-3": gpt3, "GLM-130B": glm, "FLM-101B": flm });

const PRINTED: readonly PrintedTable[] = [
  {
    claim: "iq.symbolic",
    table: "SuperGLUE-IQ (Table 7)",
    printedAverages: printed(47.6, 48.19, 46.76),
    columns: [
      { task: "BoolQ", items: 299, labels: 2, printed: printed(50.84, 40.13, 49.5) },
      { task: "WiC", items: 300, labels: 2, printed: printed(53.33, 48.67, 50.33) },
      { task: "RTE", items: 277, labels: 2, printed: printed(48.38, 47.65, 48.38) },
      { task: "WSC", items: 103, labels: 2, printed: printed(37.86, 56.31, 38.83) },
    ],
  },
  {
    claim: "iq.symbolic",
    table: "CLUE-IQ (Table 8)",
    printedAverages: { "GLM-130B": 39.96, "FLM-101B": 42.07 },
    columns: [
      { task: "AFQMC", items: 300, labels: 2, printed: { "GLM-130B": 33.33, "FLM-101B": 38.33 } },
      { task: "CSL", items: 208, labels: 2, printed: { "GLM-130B": 53.85, "FLM-101B": 55.29 } },
      { task: "OCNLI", items: 300, labels: 3, printed: { "GLM-130B": 34.0, "FLM-101B": 27.33 } },
      { task: "CLUEWSC2020", items: 300, labels: 2, printed: { "GLM-130B": 38.67, "FLM-101B": 47.33 } },
    ],
  },
  {
    claim: "iq.rules",
    table: "Rule understanding (Table 9)",
    printedAverages: printed(86.03, 71.49, 76.42),
    columns: [
      { task: "Counting", items: 148, printed: printed(82.43, 60.81, 69.59) },
      { task: "Replace-Lowercase", items: 300, printed: printed(80.67, 69.67, 64.0) },
      { task: "Replace-Word", items: 300, printed: printed(95.0, 84.0, 95.67) },
    ],
  },
  {
    claim: "iq.patterns",
    table: "Pattern mining (Table 10)",
    printedAverages: printed(70.0, 53.0, 64.67),
    columns: [
      { task: "Head & Tail", items: 100, printed: printed(61.0, 38.0, 52.0) },
      { task: "Full Repeating", items: 100, printed: printed(92.0, 70.0, 79.0) },
      { task: "Head Slicing", items: 100, printed: printed(57.0, 51.0, 63.0) },
    ],
  },
  {
    claim: "iq.interference",
    table: "Anti-interference (Table 11)",
    printedAverages: printed(70.11, 53.56, 60.11),
    columns: [
      { task: "Multiple Key Retrieval", items: 300, printed: printed(92.67, 77.67, 89.0) },
      { task: "Single Supporting Fact", items: 300, printed: printed(78.33, 56.33, 59.0) },
      { task: "Two Supporting Facts", items: 300, printed: printed(39.33, 26.67, 32.33) },
    ],
  },
];

export interface PaperCell {
  claim: IqClaim;
  table: string;
  task: string;
  model: PaperModel;
  /** Per cent, as printed. */
  printed: number;
  correct: number;
  items: number;
  /** Wilson, 95 %, of the share. */
  interval: Interval;
  /** Share that naming one of the symbols at random earns; null where the answer must be composed. */
  chance: number | null;
  /** The interval contains chance, or lies below it. */
  atFloor: boolean;
}

export interface PaperDifference {
  claim: IqClaim;
  table: string;
  /** A task, or `average` of the table. */
  task: string;
  rival: Exclude<PaperModel, "FLM-101B">;
  /** FLM-101B minus rival, as shares. */
  difference: number;
  /** 95 %: Newcombe for a task, normal for an average. */
  interval: Interval;
  pValue: number;
  /** Holm over all tasks, or over all averages. */
  adjustedPValue: number;
  /** Adjusted p below 0.05. */
  survives: boolean;
  /** True difference that these items show with power 0.8 at the scores printed, without pairing and before Holm. */
  minimumDetectableDifference: number;
}

export interface PaperIqTables {
  cells: readonly PaperCell[];
  differences: readonly PaperDifference[];
}

const RIVALS = ["GPT-3", "GLM-130B"] as const;
const Z_95 = 1.959963984540054;

/**
 * Every printed IQ score with its Wilson interval, and every difference of FLM-101B to GPT-3 and GLM-130B with a test.
 *
 * All models answered the same items, but single answers were not published. So the tests are unpaired, which errs on
 * the side of calling a difference unproven.
 */
export function paperIqTables(): PaperIqTables {
  const cells: PaperCell[] = PRINTED.flatMap(({ claim, table, columns }) =>
    columns.flatMap(({ task, items, labels, printed }) =>
      (Object.entries(printed) as [PaperModel, number][]).map(([model, score]) => {
        const correct = Math.round((score / 100) * items);
        const interval = wilson(correct, items);
        const chance = labels === undefined ? null : 1 / labels;
        return { claim, table, task, model, printed: score, correct, items, interval, chance, atFloor: chance !== null && interval[0] <= chance };
      }),
    ),
  );
  const cell = (table: string, task: string, model: PaperModel) =>
    cells.find((found) => found.table === table && found.task === task && found.model === model);

  const byTask = PRINTED.flatMap(({ claim, table, columns }) =>
    columns.flatMap(({ task }) =>
      RIVALS.flatMap((rival) => {
        const [ours, theirs] = [cell(table, task, "FLM-101B")!, cell(table, task, rival)];
        if (theirs === undefined) return [];
        const variance = ({ correct, items }: PaperCell) => (correct / items) * (1 - correct / items);
        const standardDeviation = Math.sqrt(variance(ours) + variance(theirs));
        return [
          {
            claim, table, task, rival,
            ...proportionDifference(ours.correct, ours.items, theirs.correct, theirs.items),
            minimumDetectableDifference: minimumDetectableDifference({ standardDeviation, items: ours.items }),
          },
        ];
      }),
    ),
  );
  const byAverage = PRINTED.flatMap(({ claim, table, columns, printedAverages }) =>
    RIVALS.filter((rival) => printedAverages[rival] !== undefined).map((rival) => {
      const average = (model: PaperModel) =>
        suiteAverage(
          columns.map(({ task }) => {
            const { correct, items } = cell(table, task, model)!;
            const mean = correct / items;
            return { mean, standardError: Math.sqrt((mean * (1 - mean)) / (items - 1)) };
          }),
        );
      const [ours, theirs] = [average("FLM-101B"), average(rival)];
      const difference = ours.mean - theirs.mean;
      const standardError = Math.hypot(ours.standardError, theirs.standardError);
      const interval: Interval = [difference - Z_95 * standardError, difference + Z_95 * standardError];
      return {
        claim, table, task: "average", rival, difference, interval,
        pValue: 2 * normalCdf(-Math.abs(difference) / standardError),
        minimumDetectableDifference: minimumDetectableDifference({ standardDeviation: standardError, items: 1 }),
      };
    }),
  );
  return { cells, differences: [...adjusted(byTask), ...adjusted(byAverage)] };
}

function adjusted<T extends { pValue: number }>(rows: readonly T[]): (T & { adjustedPValue: number; survives: boolean })[] {
  const corrected = holm(rows.map(({ pValue }) => pValue));
  return rows.map((row, i) => ({ ...row, adjustedPValue: corrected[i], survives: corrected[i] < 0.05 }));
}

/** The averages that the paper prints, in per cent, for checking them against the cells. */
export function printedAverages(): { table: string; model: PaperModel; average: number }[] {
  return PRINTED.flatMap(({ table, printedAverages }) =>
    (Object.entries(printedAverages) as [PaperModel, number][]).map(([model, average]) => ({ table, model, average })),
  );
}
