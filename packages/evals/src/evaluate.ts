import { CancelledError, ConfigError, type Progress, silent } from "@espalier/core";
import type { Generation, LanguageModel, Loglikelihood } from "@espalier/spec/languageModel";
import { cachedModel, type RequestCache } from "./models/cache.ts";
import { type Interval, wilson } from "./statistics/intervals.ts";
import { minimumDetectableDifference } from "./statistics/comparison.ts";
import { type PartScores, partScores } from "./tasks/parts.ts";
import { itemSet, promptLengths } from "./tasks/itemSet.ts";
import { coreTasks, itemCount, type SetSize } from "./tasks/table.ts";
import { type Difficulty, difficultyName, type Item, namespacedSeed, type Task, type TaskGroup } from "./tasks/task.ts";

/**
 * - `exact match`: greedy text equals the target after trimming white space. The paper does not state its rule; this
 *   is our choice.
 * - `likelihood`: the target is the choice of highest log-likelihood.
 * - `likelihood per character`: the same, each divided by the choice's code points (acc_norm).
 */
export type Scoring = "exact match" | "likelihood" | "likelihood per character";

const SCORINGS: readonly Scoring[] = ["exact match", "likelihood", "likelihood per character"];

/** Everything about one answered item; what the sample log stores. */
export interface Sample {
  /** `Item.key`. */
  key: string;
  task: string;
  prompt: string;
  target: string;
  choices: readonly string[];
  generated: string;
  /** Log-likelihood of each choice in nats, -Infinity where the model holds it impossible; null where it scored none of its tokens. Empty without likelihood. */
  logprobs: readonly (number | null)[];
  /** Most tokens that the prompt lost at its beginning because it was longer than the model's context; absent for none. */
  numTruncated?: number;
  correct: Readonly<Record<Scoring, boolean>>;
}

export interface Score {
  scoring: Scoring;
  correct: number;
  items: number;
  accuracy: number;
  /** Wilson, 95 %. */
  interval: Interval;
  chance: number;
  /** The interval contains chance, or lies below it: this cell shows no ability. */
  atFloor: boolean;
}

export interface TaskResult {
  task: string;
  title: string;
  group: TaskGroup;
  version: number;
  difficulty: string;
  seed: string;
  items: number;
  scores: readonly Score[];
  /** Accuracy of naming the choice that the prompt mentions last: what reading nothing but the order would earn. */
  lastMentioned: number;
  /** Difference to another model that this many paired items show with power 0.8, at a disagreement of one half. */
  minimumDetectableDifference: number;
  /** Items with a choice that lost all its tokens at the boundary to the prompt; counted as wrong by likelihood. */
  unscored: number;
  /** Items whose prompt was longer than the model's context and lost its beginning. */
  truncated: number;
  /** Code points of prompt and target. */
  characters: { min: number; median: number; max: number };
  /** Credit for right steps or named values, of tasks whose targets have parts. */
  parts?: PartScores;
  samples: readonly Sample[];
}

export interface Evaluation {
  model: string;
  tasks: readonly TaskResult[];
}

export interface EvaluateOptions {
  /** Default: `coreTasks`. */
  tasks?: readonly Task[];
  /** Items per task, or a preset: `paper` takes the paper's own counts. Default `quick` (50). */
  items?: SetSize;
  /** Default `tiny`. */
  difficulty?: Difficulty;
  /** Test seed; a private one may be any text. Default 1. */
  seed?: string | number;
  /** `false` scores by exact match alone, for models that only generate. Default true. */
  likelihood?: boolean;
  /** Items sent to the model at once. Results do not depend on it. Default 64. */
  batchItems?: number;
  /** Samples of an earlier, interrupted run by key: not asked again, unless likelihood is wanted and they have none. */
  done?: ReadonlyMap<string, Sample>;
  /** Answers of earlier runs of the same model: a request that is among them is not put to it again. */
  cache?: RequestCache;
  /** Called for each new sample, in order; awaited, so that a log may be durable before the next. */
  onSample?: (sample: Sample) => void | Promise<void>;
  progress?: Progress;
  signal?: AbortSignal;
}

/**
 * Evaluates a model on generated tasks. The same model, tasks, difficulty and seed give the same result, whether in
 * one go or resumed from `done`.
 *
 * @throws {ConfigError} for a training seed, an unknown difficulty or more items than a difficulty has
 * @throws {CancelledError} when `signal` is aborted; samples handed to `onSample` so far stay valid
 */
export async function evaluate(given: LanguageModel, options: EvaluateOptions = {}): Promise<Evaluation> {
  const { tasks = coreTasks, items = "quick", difficulty = "tiny", seed = 1, likelihood = true, progress = silent } = options;
  if (namespacedSeed(seed).split === "train") {
    throw new ConfigError(`evaluate: seed is ${seed}, expected a test seed. Leave "train/" to inContextDocuments.`);
  }
  const model = options.cache ? cachedModel(given, options.cache) : given;
  const sets = tasks.map((task) => itemSet(task, { difficulty, seed, items: itemCount(task, items) }));
  const total = sets.reduce((sum, set) => sum + set.length, 0);
  const results: TaskResult[] = [];
  let finished = 0;
  for (const [t, task] of tasks.entries()) {
    const samples: Sample[] = [];
    const batchItems = options.batchItems ?? 64;
    for (let start = 0; start < sets[t].length; start += batchItems) {
      if (options.signal?.aborted) {
        throw new CancelledError(`evaluate: stopped at item ${finished} of ${total}. Pass the logged samples as done to go on.`);
      }
      const batch = sets[t].slice(start, start + batchItems);
      const known = new Map(batch.flatMap((item) => {
        const sample = options.done?.get(item.key);
        return sample !== undefined && answersTo(item, likelihood, sample) ? [[item.key, sample]] : [];
      }));
      const fresh = batch.filter(({ key }) => !known.has(key));
      const answered = new Map((await answer(model, task, fresh, likelihood)).map((sample) => [sample.key, sample]));
      for (const { key } of batch) {
        const sample = answered.get(key);
        if (sample !== undefined) await options.onSample?.(sample);
        samples.push(sample ?? known.get(key)!);
      }
      finished += batch.length;
      progress({ task: "evaluate", done: finished, total, unit: "items", detail: task.id });
    }
    results.push(summarise(task, sets[t], samples, { difficulty, seed, likelihood }));
  }
  return { model: model.name, tasks: results };
}

/** Whether a logged sample answers what is asked now: of a run without likelihood, one with it must ask again. */
function answersTo({ prompt, target, choices }: Item, likelihood: boolean, logged: Sample): boolean {
  const sameItem = JSON.stringify([logged.prompt, logged.target, logged.choices]) === JSON.stringify([prompt, target, choices]);
  return sameItem && (!likelihood || logged.logprobs.length === choices.length);
}

/** Asks the model for the greedy text and, if wanted, for the likelihood of every choice. */
async function answer(model: LanguageModel, task: Task, items: readonly Item[], likelihood: boolean): Promise<Sample[]> {
  if (items.length === 0) return [];
  const utf8 = new TextEncoder();
  const generations = await model.generate(
    items.map(({ prompt, target }) => ({
      prompt,
      until: task.until,
      maxTokens: utf8.encode(` ${target}`).length + 1, // a token has at least one byte, and one more for the line end
      temperature: 0,
    })),
  );
  if (!likelihood) return items.map((item, i) => sampleOf(task, item, generations[i], []));
  const likelihoods = await model.loglikelihood(
    items.flatMap(({ prompt, choices }) => choices.map((choice) => ({ context: prompt, continuation: ` ${choice}` }))),
  );
  let next = 0;
  return items.map((item, i) => sampleOf(task, item, generations[i], item.choices.map(() => likelihoods[next++])));
}

function sampleOf(task: Task, item: Item, { text: generated, ...generation }: Generation, likelihoods: readonly Loglikelihood[]): Sample {
  const { key, prompt, target, choices } = item;
  const logprobs = likelihoods.map(({ logprob, numTokens }) => (numTokens > 0 && !Number.isNaN(logprob) ? logprob : null));
  const scored = logprobs.length > 0 && logprobs.every((logprob) => logprob !== null);
  const numTruncated = Math.max(...[generation, ...likelihoods].map((answer) => answer.numTruncated ?? 0));
  const picks = (values: readonly (number | null)[]) => scored && choices[argmax(values as readonly number[])] === target;
  return {
    key,
    task: task.id,
    prompt,
    target,
    choices,
    generated,
    logprobs,
    ...(numTruncated > 0 && { numTruncated }),
    correct: {
      "exact match": generated.trim() === target,
      likelihood: picks(logprobs),
      "likelihood per character": picks(logprobs.map((logprob, c) => logprob! / [...choices[c]].length)),
    },
  };
}

/** Index of the first maximum. */
function argmax(values: readonly number[]): number {
  return values.reduce((best, value, i) => (value > values[best] ? i : best), 0);
}

function summarise(task: Task, items: readonly Item[], samples: readonly Sample[], { difficulty, seed, likelihood }: { difficulty: Difficulty; seed: string | number; likelihood: boolean }): TaskResult {
  const chance = task.chance(difficulty);
  const parts = partScores(samples.map(({ generated }, n) => ({ generated, parts: items[n].parts })));
  const scoreOf = (scoring: Scoring): Score => {
    const correct = samples.filter((sample) => sample.correct[scoring]).length;
    return score(scoring, correct, samples.length, scoring === "exact match" ? chance.exactMatch : chance.likelihood);
  };
  return {
    task: task.id,
    title: task.title,
    group: task.group,
    version: task.version,
    difficulty: difficultyName(difficulty),
    seed: namespacedSeed(seed).seed,
    items: samples.length,
    scores: (likelihood ? SCORINGS : SCORINGS.slice(0, 1)).map(scoreOf),
    lastMentioned: items.filter((item) => lastMentioned(item) === item.target).length / items.length,
    minimumDetectableDifference: minimumDetectableDifference({ standardDeviation: Math.SQRT1_2, items: items.length }),
    unscored: samples.filter(({ logprobs }) => logprobs.includes(null)).length,
    truncated: samples.filter(({ numTruncated = 0 }) => numTruncated > 0).length,
    characters: promptLengths(items),
    ...(parts !== undefined && { parts }),
    samples,
  };
}

/** A count with its interval and whether it can be told from guessing. */
export function score(scoring: Scoring, correct: number, items: number, chance: number): Score {
  const interval = wilson(correct, items);
  return {
    scoring,
    correct,
    items,
    accuracy: correct / items,
    interval,
    chance,
    atFloor: interval[0] <= chance,
  };
}

/** The choice whose last mention in the prompt comes latest; the first choice when none is mentioned. */
function lastMentioned({ prompt, choices }: Item): string {
  const positions = choices.map((choice) => prompt.lastIndexOf(choice));
  return choices[argmax(positions)];
}
