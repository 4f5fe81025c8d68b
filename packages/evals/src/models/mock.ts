/** Models without weights, for tests of everything around a model and as baselines. */

import { random } from "@espalier/core";
import type { GenerateRequest, Generation, LanguageModel, Loglikelihood, LoglikelihoodRequest } from "@espalier/spec/languageModel";

interface TextModel {
  name: string;
  maxLen?: number;
  generate(request: GenerateRequest): string;
  /** Nats of the continuation, whole. */
  logprob(request: LoglikelihoodRequest): number;
}

/** A `LanguageModel` from two functions of text; each character counts as a token. */
function textModel({ name, maxLen = 1 << 20, generate, logprob }: TextModel): LanguageModel {
  const score = (request: LoglikelihoodRequest): Loglikelihood => ({
    logprob: logprob(request),
    numTokens: [...request.continuation].length,
    isGreedy: generate({ prompt: request.context, until: [], maxTokens: maxLen }).startsWith(request.continuation),
  });
  return {
    name,
    maxLen,
    loglikelihood: async (requests) => requests.map(score),
    rollingLoglikelihood: async (texts) => texts.map((text) => score({ context: "", continuation: text })),
    generate: async (requests) => requests.map((request) => cut(generate(request), request)),
  };
}

/** Ends a text before the first stop string and after `maxTokens` characters. */
function cut(text: string, { until, maxTokens }: GenerateRequest): Generation {
  const stops = until.map((stop) => text.indexOf(stop)).filter((at) => at >= 0);
  const stopped = stops.length > 0 ? text.slice(0, Math.min(...stops)) : text;
  const characters = [...stopped];
  return characters.length > maxTokens
    ? { text: characters.slice(0, maxTokens).join(""), numTokens: maxTokens, finish: "length" }
    : { text: stopped, numTokens: characters.length, finish: "stop" };
}

/** Answers at random, but the same request always gets the same answer: the floor of every task. */
export function randomModel(seed: number | string): LanguageModel {
  return textModel({
    name: `random-${seed}`,
    generate({ prompt, maxTokens }) {
      const draws = random(seed, "generate", prompt).sequence();
      return Array.from({ length: Math.min(maxTokens + 1, 64) }, () => draws.pick([..."abcdefghijklmnopqrstuvwxyz \n"])).join("");
    },
    logprob: ({ context, continuation }) => Math.log(1 - random(seed, "loglikelihood", context, continuation).uniform(0)),
  });
}

/** Knows the answer to each prompt: the ceiling. Prompts it does not know get a wrong answer. */
export function oracleModel(answers: Iterable<{ prompt: string; target: string }>): LanguageModel {
  const known = new Map([...answers].map(({ prompt, target }) => [prompt, target]));
  return textModel({
    name: "oracle",
    generate: ({ prompt }) => ` ${known.get(prompt) ?? "?"}\n`,
    logprob: ({ context, continuation }) => (continuation === ` ${known.get(context)}` ? -0.01 : -10 - continuation.length),
  });
}

/** Character frequencies of a text, add-one smoothed; generates its most frequent character. Ignores the context. */
export function unigramModel(text: string): LanguageModel {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const best = [...counts].reduce((a, b) => (b[1] > a[1] ? b : a), [" ", 0] as [string, number])[0];
  const nats = (character: string) => Math.log(((counts.get(character) ?? 0) + 1) / (total + counts.size + 1));
  return textModel({
    name: "unigram",
    generate: ({ maxTokens }) => best.repeat(Math.min(maxTokens, 64)),
    logprob: ({ continuation }) => [...continuation].reduce((sum, character) => sum + nats(character), 0),
  });
}
