/** Tables of knowledge tests: values, harness standard errors, and the intervals that this project reports. */

import { boundedEstimate } from "../statistics/bounded.ts";
import { minimumDetectableDifference } from "../statistics/comparison.ts";
import type { Interval } from "../statistics/intervals.ts";
import { aboveChance, clusteredEstimate, type Estimate, meanEstimate } from "../statistics/means.ts";
import { aggregate, aggregationOf, allRightByGroup, isHigherBetter, isShareMetric, pooledStandardError, standardError } from "./aggregate.ts";
import type { DocScore, MetricName, MetricSpec } from "./metrics.ts";
import type { KnowledgeSample } from "./sample.ts";
import type { Harness, KnowledgeSet, ReadFile } from "./task.ts";

export interface KnowledgeScore {
  metric: MetricName;
  /** Pipeline that prepared the generated text; `none` otherwise. */
  filter: string;
  value: number;
  /** As lm-evaluation-harness prints it; null where it prints N/A. */
  standardError: number | null;
  /**
   * 95 %: of `boundedEstimate` for metrics that are shares (Wilson for right or wrong answers that stand alone), of Student's t for
   * others, over clusters where documents share a passage; null for statistics that are no mean.
   */
  interval: Interval | null;
  /** Of the documents in clusters; null where each stands alone. */
  clusteredStandardError: number | null;
  /** `(value - chance) / (1 - chance)` of accuracies, where chance is known. */
  aboveChance: number | null;
  /** Difference to another model on the same documents that is shown with power 0.8, at a disagreement of one half. */
  minimumDetectableDifference: number | null;
  higherIsBetter: boolean;
}

export interface KnowledgeResult {
  task: string;
  /** What tables call the task, where that is not its name. */
  alias?: string;
  version: number;
  harness: Harness;
  shots: number;
  documents: number;
  scores: readonly KnowledgeScore[];
  chance: number | null;
  /** Documents with a continuation that lost all its tokens; wrong in accuracies, absent from other scores. */
  boundaryErrors: number;
  /** Documents whose context was longer than the model's and lost its beginning. */
  truncated: number;
  bootstrapIterations: number;
  /** What the documents were read from, where they come from files. */
  files?: readonly ReadFile[];
  samples: readonly KnowledgeSample[];
}

/** A row over several tasks. */
export interface KnowledgeGroup {
  readonly name: string;
  /** What tables call it. Default: the name. */
  readonly alias?: string;
  /** Names of tasks or groups. */
  readonly tasks: readonly string[];
  /** What is summed up; where absent, all that the first task has. One without a filter stands for every filter it is scored under. */
  readonly metrics?: readonly { metric: MetricName; filter?: string; weightBySize?: boolean }[];
}

export interface GroupResult {
  group: string;
  alias?: string;
  tasks: readonly string[];
  documents: number;
  scores: readonly {
    metric: MetricName;
    filter: string;
    value: number;
    /** Pooled as in lm-evaluation-harness: knows nothing of the spread between tasks. */
    standardError: number | null;
    /** Over documents clustered by task. */
    clusteredStandardError: number | null;
    interval: Interval | null;
  }[];
}

/** Scores of all samples of a task. */
export function summariseKnowledge({ task, files }: KnowledgeSet, samples: readonly KnowledgeSample[], { shots, bootstrapIterations }: { shots: number; bootstrapIterations: number }): KnowledgeResult {
  const filters = task.outputType === "generate_until" ? (task.filters ?? [{ name: "none" }]).map(({ name }) => name) : ["none"];
  return {
    task: task.name,
    ...(task.alias !== undefined && { alias: task.alias }),
    version: task.version,
    harness: task.harness,
    shots,
    documents: samples.length,
    scores: filters.flatMap((filter) => task.metrics.map((metric) => scoreOf(metric, filter, samples, task.chance, bootstrapIterations))),
    chance: task.chance ?? null,
    boundaryErrors: samples.filter(({ boundaryError }) => boundaryError).length,
    truncated: samples.filter(({ numTruncated }) => numTruncated > 0).length,
    bootstrapIterations,
    ...(files && { files }),
    samples,
  };
}

function scoreOf(metric: MetricSpec, filter: string, samples: readonly KnowledgeSample[], chance: number | undefined, bootstrapIterations: number): KnowledgeScore {
  const scored = samples.filter(({ scores }) => `${metric.name},${filter}` in scores);
  const values: DocScore[] = scored.map(({ scores }) => scores[`${metric.name},${filter}`]);
  const aggregation = metric.aggregation ?? aggregationOf(metric.name);
  if (aggregation === "all_right" && values.length > 0) return scoreOf({ ...metric, aggregation: "mean" }, filter, questionsOf(scored, `${metric.name},${filter}`), chance, bootstrapIterations);
  const isMean = aggregation === "mean" && values.length > 0;
  const value = values.length === 0 ? Number.NaN : aggregate(aggregation, values);
  const clusters = isMean && scored.every(({ cluster }) => cluster !== undefined) ? scored.map(({ cluster }) => cluster!) : undefined;
  const isClustered = clusters !== undefined && new Set(clusters).size < clusters.length;
  const estimate = isMean ? estimateOf(metric.name, values as number[], isClustered ? clusters : undefined) : undefined;
  return {
    metric: metric.name,
    filter,
    value,
    standardError: standardError(aggregation, values, bootstrapIterations),
    interval: estimate?.interval ?? null,
    clusteredStandardError: isClustered ? estimate!.standardError : null,
    aboveChance: isMean && chance !== undefined && /^(acc|exact)/.test(metric.name) ? aboveChance(value, chance) : null,
    minimumDetectableDifference: isMean ? minimumDetectableDifference({ standardDeviation: Math.SQRT1_2, items: values.length }) : null,
    higherIsBetter: metric.higherIsBetter ?? isHigherBetter(metric.name),
  };
}

/** One sample for each group of documents that are right only together: the first one's, with the score of the group. */
function questionsOf(samples: readonly KnowledgeSample[], key: string): KnowledgeSample[] {
  const pairs = samples.map(({ scores }) => scores[key] as readonly number[]);
  const rights = allRightByGroup(pairs);
  const firsts = samples.filter((_, i) => pairs.findIndex(([group]) => group === pairs[i]![0]) === i);
  return firsts.map((sample, i) => ({ ...sample, scores: { [key]: rights[i]! } }));
}

/**
 * Mean over documents, clustered where clusters are given. Metrics that are shares have an interval within [0, 1], others one
 * of Student's t.
 */
export function estimateOf(metric: MetricName, values: readonly number[], clusters?: readonly (string | number)[]): Estimate {
  if (isShareMetric(metric) && values.every((x) => x >= 0 && x <= 1)) return boundedEstimate(values, { clusters });
  return clusters === undefined ? meanEstimate(values) : clusteredEstimate(values, clusters);
}

/** Groups in the order given; a group may name groups, and counts the tasks below them that were run. */
export function groupResults(groups: readonly KnowledgeGroup[], results: readonly KnowledgeResult[]): GroupResult[] {
  const below = (name: string, seen: readonly string[] = []): string[] => {
    const group = groups.find((known) => known.name === name);
    if (group === undefined || seen.includes(name)) return [name];
    return group.tasks.flatMap((task) => below(task, [...seen, name]));
  };
  return groups.flatMap((group) => {
    const names = new Set(below(group.name));
    const members = results.filter(({ task }) => names.has(task));
    if (members.length === 0) return [];
    const wanted: NonNullable<KnowledgeGroup["metrics"]> = group.metrics ?? members[0].scores.map(({ metric, filter }) => ({ metric, filter }));
    const filtersOf = (metric: MetricName) => [...new Set(members.flatMap(({ scores }) => scores.filter((score) => score.metric === metric).map(({ filter }) => filter)))].sort();
    return [
      {
        group: group.name,
        ...(group.alias !== undefined && { alias: group.alias }),
        tasks: members.map(({ task }) => task),
        documents: members.reduce((sum, { documents }) => sum + documents, 0),
        scores: wanted.flatMap(({ metric, filter, weightBySize = true }) => (filter === undefined ? filtersOf(metric) : [filter]).flatMap((name) => groupScore(members, metric, name, weightBySize))),
      },
    ];
  });
}

function groupScore(members: readonly KnowledgeResult[], metric: MetricName, filter: string, weightBySize: boolean): GroupResult["scores"][number][] {
  const parts = members.flatMap(({ scores, documents, samples }) => scores.filter((score) => score.metric === metric && score.filter === filter).map((score) => ({ ...score, documents, samples })));
  if (parts.length === 0) return [];
  const sizes = parts.map(({ documents }) => documents);
  const weights = weightBySize ? sizes : sizes.map(() => 1);
  const value = parts.reduce((sum, part, i) => sum + part.value * weights[i], 0) / weights.reduce((a, b) => a + b, 0);
  const errors = parts.map((part) => part.standardError);
  const key = `${metric},${filter}`;
  const documents = parts.flatMap(({ samples }, t) => samples.filter(({ scores }) => typeof scores[key] === "number").map(({ scores }) => ({ score: scores[key] as number, cluster: t })));
  const clustered = weightBySize && parts.length > 1 && parts.every(({ interval }) => interval !== null) ? estimateOf(metric, documents.map(({ score }) => score), documents.map(({ cluster }) => cluster)) : undefined;
  return [
    {
      metric,
      filter,
      value,
      standardError: errors.includes(null) ? null : pooledStandardError(errors as number[], sizes),
      clusteredStandardError: clustered?.standardError ?? null,
      interval: clustered?.interval ?? null,
    },
  ];
}
