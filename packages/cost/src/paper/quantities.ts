/** What follows from the paper's tables: each derived quantity once, used by the claims and by the audit. */

import { propagateRounding, valueOf, type Interval } from "../printed.ts";
import type { PaperCarbon, PaperScores, PaperStage, PaperTables } from "./tables.ts";

/** GPUs of a stage: tp * pp * dp. */
export function stageGpus(stage: PaperStage): number {
  return stage.tensorParallel * stage.pipelineParallel * stage.dataParallel;
}

/** Tokens of one optimiser step. */
export function batchTokens(stage: PaperStage, seqLen: number): number {
  return stage.batchSequences * seqLen;
}

/** Days summed over stages, and the range that rounding of each leaves. */
export function totalDays(tables: PaperTables): { value: number; interval: Interval } {
  const days = tables.stages.map((stage) => stage.days);
  const sum = (...values: number[]) => values.reduce((a, b) => a + b, 0);
  return { value: sum(...days.map(valueOf)), interval: propagateRounding(days, sum) };
}

/** Billions of tokens summed over stages. */
export function totalTokensB(tables: PaperTables): { value: number; interval: Interval } {
  const tokens = tables.stages.map((stage) => stage.tokensB);
  const sum = (...values: number[]) => values.reduce((a, b) => a + b, 0);
  return { value: sum(...tokens.map(valueOf)), interval: propagateRounding(tokens, sum) };
}

/** GPU-hours of the whole run: GPUs * days * 24. */
export function gpuHours(tables: PaperTables): { value: number; interval: Interval } {
  const days = totalDays(tables);
  const factor = tables.cluster.numGpus * 24;
  return { value: days.value * factor, interval: [days.interval[0] * factor, days.interval[1] * factor] };
}

/** Throughput times time over all stages: GPUs * TFLOP/s * seconds, in FLOPs. */
export function throughputFlops(tables: PaperTables): number {
  return tables.stages.reduce(
    (sum, stage) => sum + stageGpus(stage) * valueOf(stage.tflops) * 1e12 * valueOf(stage.days) * 86400,
    0,
  );
}

/** Energy at the chips, without PUE: GPU-hours * watts, in MWh. */
export function chipMwh(column: PaperCarbon): number {
  return (valueOf(column.gpuHours) * valueOf(column.watts)) / 1e6;
}

/** (Weighted) mean of a row of scores, and the range that rounding of each leaves. */
export function averageScore({ scores, weights }: PaperScores): { value: number; interval: Interval } {
  const share = weights ?? scores.map(() => 1);
  const total = share.reduce((a, b) => a + b, 0);
  const mean = (...values: number[]) => values.reduce((sum, v, i) => sum + v * share[i]!, 0) / total;
  return { value: mean(...scores.map(valueOf)), interval: propagateRounding(scores, mean) };
}

/** Billions of English tokens: all tokens times the English share. */
export function englishTokensB(tables: PaperTables): { value: number; interval: Interval } {
  const inputs = [...tables.stages.map((stage) => stage.tokensB), tables.flmCost.englishPercent];
  const english = (...values: number[]) =>
    (values.slice(0, -1).reduce((a, b) => a + b, 0) * values.at(-1)!) / 100;
  return { value: english(...inputs.map(valueOf)), interval: propagateRounding(inputs, english) };
}

/** The paper's growth schedule for the growth laws: nominal parameters and tokens of each stage. */
export function growthStages(tables: PaperTables): { parameters: number; tokens: number }[] {
  return tables.stages.map((stage) => ({ parameters: stage.parametersB * 1e9, tokens: valueOf(stage.tokensB) * 1e9 }));
}
