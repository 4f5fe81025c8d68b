/** Samples of both kinds of evaluation in the one form that comparisons need. */

import type { Sample } from "../evaluate.ts";
import type { KnowledgeSample } from "../knowledge/sample.ts";

/** A line of a sample log. */
export type LoggedSample = Sample | KnowledgeSample;

export interface LoggedAnswer {
  key: string;
  task: string;
  /** Everything that the model was asked. */
  prompt: string;
  /** What the model answered: its greedy text, and its first choice where choices were scored. */
  answer: string;
  /** Log-likelihood of each choice in nats, -Infinity for an impossible one; null for one that lost all its tokens. */
  logprobs: readonly (number | null)[];
  /** Finite numbers alone, by metric; right is 1 and wrong 0, and of a perplexity the log-likelihood in nats. */
  scores: Readonly<Record<string, number>>;
  cluster?: string;
}

const isKnowledge = (sample: LoggedSample): sample is KnowledgeSample => "requests" in sample;

const firstMaximum = (values: readonly (number | null)[]): number =>
  values.reduce<number>((best, value, i) => ((value ?? -Infinity) > (values[best] ?? -Infinity) ? i : best), 0);

export function loggedAnswer(sample: LoggedSample): LoggedAnswer {
  if (!isKnowledge(sample)) {
    const { key, task, prompt, choices, generated, logprobs, correct } = sample;
    const scores: Record<string, number> = { "exact match": Number(correct["exact match"]) };
    if (logprobs.length > 0) scores.likelihood = Number(correct.likelihood);
    return {
      key,
      task,
      prompt: [prompt, ...choices].join("\n"),
      answer: JSON.stringify([generated.trim(), ...(logprobs.length > 0 ? [choices[firstMaximum(logprobs)]] : [])]),
      logprobs,
      scores,
    };
  }
  const { key, task, requests, loglikelihoods, generated, scores, cluster } = sample;
  const logprobs = loglikelihoods.map(({ logprob }) => logprob);
  return {
    key,
    task,
    prompt: requests.map((request) => request.join("")).join("\n"),
    answer: JSON.stringify(
      generated ?? (logprobs.length > 1 ? firstMaximum(logprobs) : loglikelihoods.map(({ isGreedy }) => isGreedy)),
    ),
    logprobs,
    scores: Object.fromEntries(
      Object.entries(scores).flatMap(([name, value]) =>
        typeof value === "number" && Number.isFinite(value) ? [[name.replace(/,none$/, "").replace(/^perplexity\b/, "log-likelihood"), value]] : [],
      ),
    ),
    ...(cluster !== undefined && { cluster }),
  };
}
