/** One form of the results of both kinds of evaluation, from which every file format is written. */

import type { Evaluation, Sample, Scoring, TaskResult } from "../evaluate.ts";
import type { KnowledgeEvaluation } from "../knowledge/evaluateKnowledge.ts";
import type { DocScore } from "../knowledge/metrics.ts";
import { type GenerationSettings, type KnowledgeSample, sampleHashes } from "../knowledge/sample.ts";
import type { KnowledgeResult } from "../knowledge/summary.ts";
import type { ReadFile } from "../knowledge/task.ts";

export interface ReportedMetric {
  metric: string;
  filter: string;
  value: number;
  standardError: number | null;
  higherIsBetter: boolean;
}

export interface ReportedSample {
  /** Names the sample in a log. */
  key: string;
  docId: number;
  doc: Readonly<Record<string, unknown>>;
  target: string;
  /** Contexts and continuations; a generation has one, with an empty continuation. */
  requests: readonly (readonly [context: string, continuation: string])[];
  /** One a request; null for a generation. A lost continuation has a null `logprob`. `isGreedy` is null where the sample log does not keep it. */
  loglikelihoods: readonly { logprob: number | null; isGreedy: boolean | null }[] | null;
  generated: string | null;
  /** How it was drawn, where the sample keeps it. */
  generation?: GenerationSettings;
  /** All answers of a task that asks more than once, the first included. */
  generations?: readonly string[];
  /** Generated text by filter. */
  filtered: Readonly<Record<string, string>>;
  /** By `metric,filter`. */
  scores: Readonly<Record<string, DocScore>>;
  /** A continuation lost all its tokens at the boundary to the context, or did not fit into the model. */
  boundaryError: boolean;
  /** Most tokens that a context lost at its beginning. */
  numTruncated: number;
  hashes: { docHash: string; promptHash: string; targetHash: string };
}

export interface ReportedTask {
  task: string;
  title: string;
  version: number;
  shots: number;
  outputType: "multiple_choice" | "generate_until" | "loglikelihood";
  filters: readonly string[];
  metrics: readonly ReportedMetric[];
  documents: number;
  /** Samples with a boundary error. */
  boundaryErrors: number;
  /** Samples with a cut context. */
  truncated: number;
  /** Data files with their digests, where documents come from files. */
  files?: readonly ReadFile[];
  samples: readonly ReportedSample[];
}

export type AnyEvaluation = Evaluation | KnowledgeEvaluation;

/** The tasks of an evaluation in one form. Digests of documents and prompts of IQ tests are worked out here. */
export async function reportedTasks(evaluation: AnyEvaluation): Promise<ReportedTask[]> {
  if ("groups" in evaluation) return evaluation.tasks.map(knowledgeTask);
  return Promise.all(evaluation.tasks.map(iqTask));
}

function knowledgeTask({ task, alias = task, version, shots, documents, scores, boundaryErrors, truncated, files, samples }: KnowledgeResult): ReportedTask {
  const generates = samples.some(({ generated }) => generated !== undefined);
  return {
    task,
    title: alias,
    version,
    shots,
    outputType: generates ? "generate_until" : samples.some(({ requests }) => requests.length > 1) ? "multiple_choice" : "loglikelihood",
    filters: [...new Set(scores.map(({ filter }) => filter))],
    metrics: scores,
    documents,
    boundaryErrors,
    truncated,
    ...(files && { files }),
    samples: samples.map(knowledgeSample),
  };
}

function knowledgeSample({ key, docId, doc, target, requests, loglikelihoods, generation, generated, generations, filtered, scores, boundaryError, numTruncated, docHash, promptHash, targetHash }: KnowledgeSample): ReportedSample {
  return {
    key,
    docId,
    doc,
    target,
    requests,
    loglikelihoods: generated === undefined ? loglikelihoods : null,
    generated: generated ?? null,
    ...(generation && { generation }),
    ...(generations && { generations }),
    filtered: filtered ?? {},
    scores,
    boundaryError,
    numTruncated,
    hashes: { docHash, promptHash, targetHash },
  };
}

/** Names of lm-evaluation-harness for our ways of scoring. */
const METRICS = { "exact match": "exact_match", likelihood: "acc", "likelihood per character": "acc_norm" } as const satisfies Record<Scoring, string>;

async function iqTask({ task, title, version, scores, items, unscored, truncated, samples }: TaskResult): Promise<ReportedTask> {
  return {
    task,
    title,
    version,
    shots: 0, // examples are part of an item's prompt
    outputType: scores.length > 1 ? "multiple_choice" : "generate_until",
    filters: ["none"],
    metrics: scores.map(({ scoring, accuracy }) => ({
      metric: METRICS[scoring],
      filter: "none",
      value: accuracy,
      standardError: items > 1 ? Math.sqrt((accuracy * (1 - accuracy)) / (items - 1)) : null,
      higherIsBetter: true,
    })),
    documents: items,
    boundaryErrors: unscored,
    truncated,
    samples: await Promise.all(samples.map((sample, i) => iqSample(sample, i, scores.map(({ scoring }) => scoring)))),
  };
}

async function iqSample({ key, prompt, target, choices, generated, logprobs, numTruncated = 0, correct }: Sample, docId: number, scorings: readonly Scoring[]): Promise<ReportedSample> {
  const doc = { prompt, target, choices };
  const scored = logprobs.length > 0;
  return {
    key,
    docId,
    doc,
    target,
    requests: scored ? choices.map((choice) => [prompt, ` ${choice}`] as const) : [[prompt, ""]],
    loglikelihoods: scored ? logprobs.map((logprob) => ({ logprob, isGreedy: null })) : null,
    generated,
    filtered: { none: generated },
    scores: Object.fromEntries(scorings.map((scoring) => [`${METRICS[scoring]},none`, correct[scoring] ? 1 : 0])),
    boundaryError: logprobs.includes(null),
    numTruncated,
    hashes: await sampleHashes(doc, prompt, target),
  };
}
