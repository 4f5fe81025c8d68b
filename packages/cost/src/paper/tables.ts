import type { Printed } from "../printed.ts";

/**
 * The figures of FLM-101B that arithmetic can check, as printed in arXiv 2309.03852 v3. The audit and the arithmetic
 * claims read nothing else about the paper.
 */
export interface PaperTables {
  cluster: { numGpus: number; peakTflops: Printed; gpuWatts: Printed; seqLen: number; vocabSize: number };
  stages: readonly PaperStage[];
  schedule: { totalDays: Printed; totalTokensB: Printed; scratchDays: Printed; savedPercent: Printed; speedup: Printed };
  /** Figures that follow from the tables and are quoted beside them; the paper does not print them. */
  derived: { throughputZetta: Printed; steps: readonly Printed[] };
  rival: { name: string; tflops: Printed; utilisationPercent: Printed };
  /** One row a model whose cost column is `mid (+- half)`, or the full-recompute value alone when `half` is absent. */
  costs: readonly PaperCost[];
  flmCost: { total: Printed; english: Printed; chinese: Printed; englishPercent: Printed };
  /** Statements of the text about figures that tables also hold. */
  text: {
    llama2Cost13b: Printed;
    aboutTimesCheaperThanGlm: Printed;
    aboutShareOfFlopsPercent: Printed;
    englishTokensBelowB: Printed;
    budgetUsd: Printed;
    glyphs: readonly { glyph: string; codePoint: string }[];
  };
  carbon: { energyUnit: string; columns: readonly PaperCarbon[] };
  scores: readonly PaperScores[];
}

export interface PaperStage {
  name: string;
  parametersB: number;
  tokensB: Printed;
  days: Printed;
  tensorParallel: number;
  pipelineParallel: number;
  dataParallel: number;
  batchSequences: number;
  batchTokensM: Printed;
  tflops: Printed;
  utilisationPercent: Printed;
}

export interface PaperCost {
  id: string;
  name: string;
  numLayers: number;
  hiddenSize: number;
  seqLen: number;
  vocabSize: number;
  tokens: number;
  mid: Printed;
  half?: Printed;
  /** The share of the total that the table holds (GLM-130B: its English half). */
  tableShare?: { share: number; value: Printed };
}

export interface PaperCarbon {
  name: string;
  gpuHours: Printed;
  watts: Printed;
  energy: Printed;
  tonnes: Printed;
}

/** A row of scores with its printed average; `weights` where the average is over unequal groups. */
export interface PaperScores {
  table: string;
  model: string;
  average: Printed;
  scores: readonly Printed[];
  weights?: readonly number[];
}

/** Subjects in each category of C-Eval: STEM 20, social science 10, humanities 11, other 11 (arXiv:2305.08322, figure 1). */
const C_EVAL_SUBJECTS = [20, 10, 11, 11];

function rows(table: string, weights: readonly number[] | undefined, lines: readonly string[]): PaperScores[] {
  return lines.map((line) => {
    const [model, average, ...scores] = line.split("|").map((cell) => cell.trim());
    return { table, model: model!, average: average!, scores, ...(weights ? { weights } : {}) };
  });
}

export const flm101b: PaperTables = {
  // Section 3 (24 nodes of 8 A800-80G, 312 TFLOP/s as peak), Table 3 (TDP), section 2.4 (context, vocabulary).
  cluster: { numGpus: 192, peakTflops: "312", gpuWatts: "400", seqLen: 2048, vocabSize: 100256 },
  // Tables 1 and 2.
  stages: [
    { name: "16B", parametersB: 16, tokensB: "245.37", days: "9.63", tensorParallel: 2, pipelineParallel: 1, dataParallel: 96, batchSequences: 2304, batchTokensM: "4.72", tflops: "162", utilisationPercent: "51.90" },
    { name: "51B", parametersB: 51, tokensB: "39.64", days: "5.37", tensorParallel: 4, pipelineParallel: 2, dataParallel: 24, batchSequences: 2304, batchTokensM: "4.72", tflops: "160", utilisationPercent: "51.30" },
    { name: "101B", parametersB: 101, tokensB: "26.54", days: "6.54", tensorParallel: 4, pipelineParallel: 4, dataParallel: 12, batchSequences: 2160, batchTokensM: "4.31", tflops: "165", utilisationPercent: "52.88" },
  ],
  // Section 3.
  schedule: { totalDays: "21.54", totalTokensB: "311.54", scratchDays: "76.74", savedPercent: "72", speedup: "3.56" },
  derived: { throughputZetta: "58.03", steps: ["52,000", "8,400", "6,000"] },
  // Section 3.
  rival: { name: "GLM-130B", tflops: "135", utilisationPercent: "42.27" },
  // Table 4 (cost column), Table 7 for GPT-3. Shapes are public model facts: arXiv 2005.14165, 2302.13971, 2307.09288, 2210.02414.
  costs: [
    { id: "gpt3", name: "GPT-3 175B", numLayers: 96, hiddenSize: 12288, seqLen: 2048, vocabSize: 50257, tokens: 300e9, mid: "376.41", half: "53.77" },
    { id: "llama2-13b", name: "Llama-2 13B", numLayers: 40, hiddenSize: 5120, seqLen: 4096, vocabSize: 32000, tokens: 2e12, mid: "201.37", half: "28.77" },
    { id: "llama2-7b", name: "Llama-2 7B", numLayers: 32, hiddenSize: 4096, seqLen: 4096, vocabSize: 32000, tokens: 2e12, mid: "106.60", half: "15.23" },
    { id: "llama-13b", name: "Llama 13B", numLayers: 40, hiddenSize: 5120, seqLen: 2048, vocabSize: 32000, tokens: 1e12, mid: "94.81", half: "13.54" },
    { id: "llama-7b", name: "Llama 7B", numLayers: 32, hiddenSize: 4096, seqLen: 2048, vocabSize: 32000, tokens: 1e12, mid: "49.54", half: "7.08" },
    { id: "glm-130b", name: "GLM-130B", numLayers: 70, hiddenSize: 12288, seqLen: 2048, vocabSize: 150528, tokens: 400e9, mid: "421.60", tableShare: { share: 0.5, value: "210.80" } },
  ],
  // Section 4, Tables 4, 7 and 8; section 2.2 (53.5 % English).
  flmCost: { total: "52.76", english: "28.22", chinese: "24.54", englishPercent: "53.5" },
  text: {
    llama2Cost13b: "210.37", // section 4
    aboutTimesCheaperThanGlm: "7", // section 4
    aboutShareOfFlopsPercent: "10", // abstract
    englishTokensBelowB: "160", // section 4: "less than 0.16T"
    budgetUsd: "100,000", // abstract
    // Section 2.1 prints each glyph of the teacher signal with the code point of the other.
    glyphs: [
      { glyph: "\u{1F608}", codePoint: "U+1F621" },
      { glyph: "\u{1F621}", codePoint: "U+1F608" },
    ],
  },
  // Table 3. The unit is printed "MkWh".
  carbon: {
    energyUnit: "MkWh",
    columns: [
      { name: "GPT-3", gpuHours: "3.55e6", watts: "330", energy: "1171", tonnes: "552" },
      { name: "Gopher", gpuHours: "3.77e6", watts: "283", energy: "1066", tonnes: "380" },
      { name: "PaLM", gpuHours: "8.40e6", watts: "378.5", energy: "3179", tonnes: "271" },
      { name: "GLM-130B", gpuHours: "1.11e6", watts: "400", energy: "444", tonnes: "257" },
      { name: "Llama-2", gpuHours: "1.72e6", watts: "400", energy: "688", tonnes: "291" },
      { name: "FLM-101B", gpuHours: "1.01e5", watts: "400", energy: "40", tonnes: "26" },
    ],
  },
  scores: [
    // ARC | HellaSwag | MMLU | TruthfulQA
    ...rows("Table 4", undefined, [
      "Llama-2 13B | 58.66 | 59.39 | 82.13 | 55.77 | 37.38",
      "Llama-2 7B | 54.32 | 53.07 | 78.59 | 46.87 | 38.76",
      "Llama 13B | 56.08 | 56.23 | 80.93 | 47.67 | 39.48",
      "Llama 7B | 49.72 | 51.02 | 77.82 | 35.71 | 34.33",
      "GLM-130B | 48.11 | 42.15 | 67.91 | 42.59 | 39.80",
      "FLM-101B | 43.94 | 39.76 | 66.23 | 28.30 | 41.47",
    ]),
    // STEM | social science | humanities | others
    ...rows("Table 5", C_EVAL_SUBJECTS, [
      "GPT-4 | 68.7 | 67.1 | 77.6 | 64.5 | 67.8",
      "ChatGPT | 54.4 | 52.9 | 61.8 | 50.9 | 53.6",
      "GLM-130B | 44.0 | 36.7 | 55.8 | 47.7 | 43.0",
      "eFLM-16B | 46.1 | 38.3 | 53.7 | 46.8 | 52.6",
    ]),
    // ARC | HellaSwag | MMLU | TruthfulQA, samples of HellaSwag and MMLU
    ...rows("Table 6", undefined, [
      "16B | 39.19 | 32.25 | 58.57 | 27.02 | 38.92",
      "51B | 41.79 | 35.32 | 64.04 | 27.66 | 40.12",
      "101B | 44.41 | 39.76 | 67.88 | 28.54 | 41.47",
    ]),
    // BoolQ | WiC | RTE | WSC
    ...rows("Table 7", undefined, [
      "GPT-3 | 47.60 | 50.84 | 53.33 | 48.38 | 37.86",
      "GLM-130B | 48.19 | 40.13 | 48.67 | 47.65 | 56.31",
      "FLM-101B | 46.76 | 49.50 | 50.33 | 48.38 | 38.83",
    ]),
    // AFQMC | CSL | OCNLI | CLUEWSC2020
    ...rows("Table 8", undefined, [
      "GLM-130B | 39.96 | 33.33 | 53.85 | 34.0 | 38.67",
      "FLM-101B | 42.07 | 38.33 | 55.29 | 27.33 | 47.33",
    ]),
    // Counting | Replace-Lowercase | Replace-Word
    ...rows("Table 9", undefined, [
      "GPT-3 | 86.03 | 82.43 | 80.67 | 95.00",
      "GLM-130B | 71.49 | 60.81 | 69.67 | 84.00",
      "FLM-101B | 76.42 | 69.59 | 64.00 | 95.67",
    ]),
    // Head & Tail | Full Repeating | Head Slicing
    ...rows("Table 10", undefined, [
      "GPT-3 | 70.00 | 61.00 | 92.00 | 57.00",
      "GLM-130B | 53.00 | 38.00 | 70.00 | 51.00",
      "FLM-101B | 64.67 | 52.00 | 79.00 | 63.00",
    ]),
    // Multiple Key Retrieval | Single Supporting Fact | Two Supporting Facts
    ...rows("Table 11", undefined, [
      "GPT-3 | 70.11 | 92.67 | 78.33 | 39.33",
      "GLM-130B | 53.56 | 77.67 | 56.33 | 26.67",
      "FLM-101B | 60.11 | 89.00 | 59.00 | 32.33",
    ]),
  ],
};
