/** Scores of one document, from what the model answered. Names and definitions are lm-evaluation-harness's. */

import type { Loglikelihood } from "@espalier/spec/languageModel";
import { codePoints, countWords, utf8Bytes } from "../python/text.ts";
import type { AggregationName } from "./aggregate.ts";
import { type ExactMatchOptions, exactMatch } from "./filters.ts";
import type { Doc, KnowledgeTask } from "./task.ts";

export type MetricName =
  | "acc"
  | "acc_norm"
  | "acc_bytes"
  | "acc_mutual_info"
  | "exact_match"
  | "f1"
  | "f1a"
  | "em"
  | "mcc"
  | "brier_score"
  | "likelihood"
  | "perplexity"
  | "word_perplexity"
  | "byte_perplexity"
  | "bits_per_byte"
  | "mc1"
  | "mc2"
  | "mc2_stable";

export interface MetricSpec extends ExactMatchOptions {
  readonly name: MetricName;
  /** Default: what the metric means by itself. */
  readonly aggregation?: AggregationName;
  /** Default true, but for perplexities, bits and the Brier score. */
  readonly higherIsBetter?: boolean;
}

/** What a model answered to one document. */
export interface ResponseScores {
  /** One per choice, in order; the only one of loglikelihood and rolling tasks. */
  readonly loglikelihoods: readonly Loglikelihood[];
  /** The choices without their context, where a metric asks for mutual information. */
  readonly unconditional?: readonly Loglikelihood[];
  readonly generated?: string;
}

/** A score of one document: a number, or the pair that an aggregation needs (gold and prediction, sum and weight). */
export type DocScore = number | readonly number[];

/** Index of the first maximum; NaN counts as one, as in numpy. */
export function argmax(values: readonly number[]): number {
  const nan = values.findIndex(Number.isNaN);
  return nan >= 0 ? nan : values.reduce((best, value, i) => (value > values[best] ? i : best), 0);
}

const softmax = (values: readonly number[]): number[] => {
  const top = Math.max(...values);
  const exps = values.map((value) => Math.exp(value - top));
  const sum = exps.reduce((a, b) => a + b, 0);
  return exps.map((value) => value / sum);
};

/** Scores of one document under the metrics of its task. */
export function scoreDocument(task: KnowledgeTask, doc: Doc, answers: ResponseScores): Record<string, DocScore> {
  if (task.score !== undefined) return { ...task.score(doc, answers) };
  const all = { multiple_choice: choiceScores, loglikelihood: likelihoodScores, loglikelihood_rolling: rollingScores, generate_until: generationScores }[task.outputType](task, doc, answers);
  return Object.fromEntries(task.metrics.map(({ name }) => [name, all[name] ?? missing(task, name)]));
}

function missing(task: KnowledgeTask, name: string): never {
  throw new TypeError(`${task.name}: metric ${name} does not exist for output type ${task.outputType}`);
}

type Scores = Partial<Record<MetricName, DocScore>>;

function choiceScores(task: KnowledgeTask, doc: Doc, { loglikelihoods, unconditional }: ResponseScores): Scores {
  const choices = task.choices!(doc);
  const gold = goldOf(task, doc, choices);
  const lls = loglikelihoods.map(({ logprob }) => logprob);
  const right = (values: readonly number[]): number => Number(gold.includes(argmax(values)));
  const pick = argmax(lls);
  const truth = gold[0];
  return {
    acc: right(lls),
    acc_norm: right(lls.map((ll, i) => ll / codePoints(choices[i]))),
    acc_bytes: right(lls.map((ll, i) => ll / utf8Bytes(choices[i]))),
    ...(unconditional && { acc_mutual_info: right(lls.map((ll, i) => ll - unconditional[i].logprob)) }),
    exact_match: Number(gold.some((g) => loglikelihoods[g]?.isGreedy)),
    f1: [truth, pick],
    mcc: [truth, pick],
    brier_score: softmax(lls).reduce((sum, p, i) => sum + (p - Number(i === truth)) ** 2, 0),
    likelihood: lls[truth],
  };
}

/** Indices of the right choices. */
export function goldOf(task: KnowledgeTask, doc: Doc, choices: readonly string[]): number[] {
  const text = task.text(doc);
  if (typeof text === "number") return [text]; // multiple input: the right context
  const targets = [task.target(doc)].flat() as (number | string)[];
  return targets.map((target) => (typeof target === "number" ? target : choices.indexOf(target)));
}

function likelihoodScores(_task: KnowledgeTask, _doc: Doc, { loglikelihoods: [{ logprob, isGreedy }] }: ResponseScores): Scores {
  return { acc: Number(isGreedy), perplexity: logprob };
}

function rollingScores(task: KnowledgeTask, doc: Doc, { loglikelihoods: [{ logprob }] }: ResponseScores): Scores {
  const text = String(task.target(doc));
  const bytes = utf8Bytes(text);
  return { word_perplexity: [logprob, countWords(text)], byte_perplexity: [logprob, bytes], bits_per_byte: [logprob, bytes] };
}

const matchers = new WeakMap<MetricSpec, ReturnType<typeof exactMatch>>();

function generationScores(task: KnowledgeTask, doc: Doc, { generated = "" }: ResponseScores): Scores {
  const targets = [task.target(doc)].flat().map(String);
  const spec = task.metrics.find(({ name }) => name === "exact_match");
  if (spec === undefined) return {};
  const equal = matchers.get(spec) ?? exactMatch(spec);
  matchers.set(spec, equal);
  return { exact_match: Number(targets.some((target) => equal(generated, target))) };
}
