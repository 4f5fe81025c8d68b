/** The same tests under several draws of their shots, so that the choice of shots is not taken for the model. */

import { ConfigError, type Progress } from "@espalier/core";
import type { LanguageModel } from "@espalier/spec/languageModel";
import type { Interval } from "../statistics/intervals.ts";
import { meanEstimate } from "../statistics/means.ts";
import { evaluateKnowledge, type KnowledgeEvaluation, type KnowledgeOptions } from "./evaluateKnowledge.ts";
import type { MetricName } from "./metrics.ts";
import { estimateOf, type KnowledgeResult } from "./summary.ts";
import type { KnowledgeSet } from "./task.ts";

/** One metric of one task over all seeds. */
export interface SeedScore {
  task: string;
  metric: MetricName;
  filter: string;
  /** Value under each seed. */
  values: readonly number[];
  /** Mean of the values. */
  mean: number;
  /** Standard deviation of the values, over seeds - 1: what another choice of shots changes. */
  spreadOverSeeds: number;
  /**
   * Standard error of the mean from the documents alone, each counted once by its mean over seeds (clustered where
   * documents share a passage); null for metrics that are no mean over documents.
   */
  documentError: number | null;
  /** 95 % of the mean, over documents: for these seeds, and not for others. Null where the error is. */
  interval: Interval | null;
}

export interface SeedsEvaluation {
  seeds: readonly number[];
  /** One a seed, in order. */
  evaluations: readonly KnowledgeEvaluation[];
  scores: readonly SeedScore[];
}

export interface SeedsOptions extends Omit<KnowledgeOptions, "seed"> {
  /** Default 1234, which is lm-evaluation-harness's, to 1238. */
  seeds?: readonly number[];
}

/**
 * Evaluates once per seed of the shots. Samples of all seeds may go to one log: their keys have the seed.
 *
 * @throws {ConfigError} for fewer than two seeds, or one given twice
 * @see evaluateKnowledge for what else it throws
 */
export async function evaluateFewshotSeeds(model: LanguageModel, sets: readonly KnowledgeSet[], { seeds = [1234, 1235, 1236, 1237, 1238], ...options }: SeedsOptions = {}): Promise<SeedsEvaluation> {
  if (seeds.length < 2 || new Set(seeds).size < seeds.length) throw new ConfigError(`evaluateFewshotSeeds: seeds are ${seeds.join(", ") || "none"}, expected two or more, each once. Give five, so that their spread means something.`);
  const evaluations: KnowledgeEvaluation[] = [];
  for (const [i, seed] of seeds.entries()) {
    const progress: Progress | undefined = options.progress && (({ done, total = 0, detail, ...event }) =>
      options.progress!({ ...event, done: i * total + done, total: seeds.length * total, detail: `${detail}, seed ${seed}` }));
    evaluations.push(await evaluateKnowledge(model, sets, { ...options, ...(progress && { progress }), seed }));
  }
  return { seeds, evaluations, scores: evaluations[0].tasks.flatMap((_, t) => scoresOver(evaluations.map(({ tasks }) => tasks[t]))) };
}

/** Rows of one task from its results under each seed. */
function scoresOver(results: readonly KnowledgeResult[]): SeedScore[] {
  const [first] = results;
  return first.scores.map(({ metric, filter, interval }, m) => {
    const values = results.map(({ scores }) => scores[m].value);
    const { mean, standardError } = meanEstimate(values);
    const documents = interval === null ? undefined : documentMeans(results, metric, filter);
    return {
      task: first.task,
      metric,
      filter,
      values,
      mean,
      spreadOverSeeds: standardError * Math.sqrt(values.length),
      documentError: documents?.standardError ?? null,
      interval: documents?.interval ?? null,
    };
  });
}

/** Estimate over documents that have a score under every seed. */
function documentMeans(results: readonly KnowledgeResult[], metric: MetricName, filter: string): { standardError: number; interval: Interval } | undefined {
  const means: number[] = [];
  const clusters: (string | undefined)[] = [];
  for (const [i, { cluster }] of results[0].samples.entries()) {
    const scores = results.map(({ samples }) => samples[i].scores[`${metric},${filter}`]);
    if (!scores.every((score) => typeof score === "number")) continue;
    means.push(scores.reduce((sum, score) => sum + score, 0) / scores.length);
    clusters.push(cluster);
  }
  if (means.length < 2) return undefined;
  const distinct = new Set(clusters);
  const isClustered = !distinct.has(undefined) && distinct.size > 1 && distinct.size < clusters.length;
  return estimateOf(metric, means, isClustered ? (clusters as string[]) : undefined);
}
