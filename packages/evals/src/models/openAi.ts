/**
 * OpenAI-style endpoints as `LanguageModel`s. `/v1/completions` with `echo` and `logprobs` gives log-likelihoods;
 * `/v1/chat/completions` has no log-probabilities of the prompt and only generates.
 */

import type { GenerateRequest, Generation, LanguageModel, Loglikelihood, LoglikelihoodRequest } from "@espalier/spec/languageModel";
import { rstrip } from "../python/text.ts";
import { type Choice, firstChoice, type Logprobs, logprobsOf, messageOf, textOf } from "./answers.ts";
import { type EndpointCall, EndpointError, type EndpointOptions, mapConcurrently, post, statedMaxLen } from "./endpoint.ts";

export interface CompletionsOptions extends EndpointOptions {
  /**
   * Tokens of a text. With it, prompts are sent as token ids, split by the number of context tokens as
   * lm-evaluation-harness does, and lose their beginning where they exceed `maxLen`; without it they are sent as text and
   * split by character offsets.
   */
  encode?: (text: string) => readonly number[];
  /** Tokens of a text that begins a sequence, where the model has a token for that. Default: `encode`. */
  encodeStart?: (text: string) => readonly number[];
  /**
   * With `encode`: `joint` encodes a context and its continuation as one text, `separate` each on its own, as the engine of this
   * project does with its own tokenizers. Default `joint`.
   */
  encoding?: "joint" | "separate";
  /** Put before an empty context when `encode` is given (BOS or EOS). */
  prefixToken?: number;
  /** Do not probe, and refuse likelihoods: for servers that only generate. */
  generationOnly?: boolean;
}

/** Options of a model, as one of its calls uses them. */
type Call = CompletionsOptions & EndpointCall;

const codePoints = (text: string): number => [...text].length;

/**
 * Connects to `/v1/completions` and checks at once that it can score prompts.
 *
 * @throws {EndpointError} whose `lacks` says what is missing: connection, echo, logprobs, ...
 */
export async function openAiCompletions(options: CompletionsOptions): Promise<LanguageModel> {
  const { encode, generationOnly = false } = options;
  const maxLen = options.maxLen ?? (encode === undefined ? undefined : await statedMaxLen(options)) ?? 2048;
  const call: Call = { ...options, quiet: { until: 0 } };
  if (!generationOnly) await probe(call);
  const refuse = refuseLikelihood(options, "for generation only");
  const score = (each: Call, { context, continuation }: LoglikelihoodRequest) =>
    encode === undefined
      ? scoreText(each, context, continuation)
      : scoreTokens(each, { encode, encodeStart: options.encodeStart ?? encode }, maxLen, context, continuation);
  return {
    name: options.model,
    maxLen,
    loglikelihood: generationOnly ? refuse : (requests) => mapConcurrently(call, requests, score),
    rollingLoglikelihood: generationOnly
      ? refuse
      : (texts) =>
          mapConcurrently(call, texts, (each, text) =>
            encode === undefined ? scoreText(each, "", text) : scoreWindows(each, options.encodeStart ?? encode, maxLen, text),
          ),
    generate: (requests) =>
      mapConcurrently(call, requests, async (each, request) => {
        const { prompt, numTruncated } = promptOf(options, maxLen, request);
        const answer = await post(each, "completions", { ...generationBody(options, request), prompt });
        const choice = firstChoice(options.baseUrl, answer);
        const generation = generationOf(textOf(options.baseUrl, choice), choice, answer, request);
        return numTruncated > 0 ? { ...generation, numTruncated } : generation;
      }),
  };
}

/** A prompt to go on from: as token ids, as many of its end as leave room for the answer, where there is a tokenizer. */
function promptOf({ encode, encodeStart = encode, prefixToken }: CompletionsOptions, maxLen: number, { prompt, maxTokens }: GenerateRequest): { prompt: string | readonly number[]; numTruncated: number } {
  if (encodeStart === undefined) return { prompt, numTruncated: 0 };
  const ids = encodeStart(prompt);
  if (ids.length === 0) return { prompt: prefixToken === undefined ? prompt : [prefixToken], numTruncated: 0 };
  const kept = ids.slice(-Math.max(1, maxLen - maxTokens));
  return { prompt: kept, numTruncated: ids.length - kept.length };
}

/**
 * Connects to `/v1/chat/completions`; each prompt becomes one user message. Generation only.
 */
export function openAiChat(options: EndpointOptions): LanguageModel {
  const call: EndpointCall = { ...options, quiet: { until: 0 } };
  const refuse = refuseLikelihood(options, "through chat completions, which give no log-probabilities of the prompt");
  return {
    name: options.model,
    maxLen: options.maxLen ?? 2048,
    loglikelihood: refuse,
    rollingLoglikelihood: refuse,
    generate: (requests) =>
      mapConcurrently(call, requests, async (each, request) => {
        const messages = [{ role: "user", content: request.prompt }];
        const answer = await post(each, "chat/completions", { ...generationBody(options, request), messages });
        const choice = firstChoice(options.baseUrl, answer);
        return generationOf(messageOf(options.baseUrl, choice), choice, answer, request);
      }),
  };
}

const refuseLikelihood = ({ baseUrl }: EndpointOptions, manner: string) => async (): Promise<never> => {
  throw new EndpointError(
    "logprobs",
    `openAi: ${baseUrl} is used ${manner}, so likelihoods cannot be scored. Evaluate with likelihood: false, or use openAiCompletions with a server that echoes log-probabilities.`,
  );
};

const generationBody = ({ model }: EndpointOptions, { until, maxTokens, temperature = 0, seed }: GenerateRequest) => ({
  model,
  max_tokens: maxTokens,
  temperature,
  ...(until.length > 0 ? { stop: until.slice(0, 4) } : {}), // OpenAI allows four; all are applied below
  ...(seed === undefined ? {} : { seed }),
});

function generationOf(text: string, choice: Choice, answer: Record<string, unknown>, { until }: GenerateRequest): Generation {
  const stops = until.map((stop) => text.indexOf(stop)).filter((at) => at >= 0);
  const usage = answer.usage as { completion_tokens?: number } | undefined;
  return {
    text: stops.length > 0 ? text.slice(0, Math.min(...stops)) : text,
    numTokens: usage?.completion_tokens ?? codePoints(text),
    finish: stops.length === 0 && choice.finish_reason === "length" ? "length" : "stop",
  };
}

/** Sends a prompt to be echoed with log-probabilities, and one more token, which some servers insist on. */
async function echo(options: Call, prompt: string | readonly number[]): Promise<{ text: string; logprobs: Logprobs }> {
  const answer = await post(options, "completions", {
    model: options.model,
    prompt,
    max_tokens: 1,
    temperature: 0,
    logprobs: 1,
    echo: true,
    seed: 1234,
  });
  const choice = firstChoice(options.baseUrl, answer);
  return { text: textOf(options.baseUrl, choice), logprobs: logprobsOf(options.baseUrl, choice) };
}

const PROBE = "one two three four";
const PROBE_ATTEMPTS = 4;

/** One request that tells whether the server can score a prompt. */
async function probe(options: Call): Promise<void> {
  const noEcho = (cause?: unknown) =>
    new EndpointError("echo", `openAi: ${options.baseUrl} does not echo the prompt with its log-probabilities, so likelihoods cannot be scored. Use a server that supports echo with logprobs (vLLM, llama.cpp, espalier serve), or ask for generation only (--generation-only, or --chat where it chats; openAiCompletions with generationOnly, openAiChat).`, { cause });
  const prompt = options.encode === undefined ? PROBE : options.encode(PROBE);
  let answer: Awaited<ReturnType<typeof echo>>;
  try {
    // An address that nobody serves is said soon; a server that was there is waited for longer.
    answer = await echo({ ...options, attempts: Math.min(PROBE_ATTEMPTS, options.attempts ?? PROBE_ATTEMPTS) }, prompt);
  } catch (error) {
    if (!(error instanceof EndpointError) || error.lacks !== "acceptance of the request") throw error;
    if (/echo/i.test(error.message)) throw noEcho(error);
    if (/logprob/i.test(error.message)) throw new EndpointError("logprobs", `${error.message} It refuses log-probabilities, so likelihoods cannot be scored: enable them, or score by generation only (--generation-only; generationOnly).`, { cause: error });
    if (/ answered status 40[45],/.test(error.message)) throw new EndpointError(error.lacks, `${error.message} A server that only chats is used for generation: --chat, or openAiChat.`, { cause: error });
    throw error;
  }
  const echoed = typeof prompt === "string" ? answer.text.includes(prompt) : answer.logprobs.token_logprobs.length >= prompt.length;
  if (!echoed) throw noEcho();
  if (!answer.logprobs.token_logprobs.slice(1).some((logprob) => typeof logprob === "number")) {
    throw new EndpointError("logprobs", `openAi: ${options.baseUrl} returned empty logprobs for the prompt, expected numbers. Enable prompt log-probabilities on the server.`);
  }
}

/** Sum over positions [from, to) of an echoed answer. The first token of all has no number (null) and is not counted. */
function sumPositions(baseUrl: string, { tokens, token_logprobs, top_logprobs }: Logprobs, from: number, to: number): Loglikelihood {
  let logprob = 0;
  let numTokens = 0;
  let isGreedy = true;
  for (let k = from; k < to; k++) {
    const value = token_logprobs[k];
    if (typeof value !== "number") {
      if (k === 0) continue;
      throw new EndpointError("logprobs", `openAi: ${baseUrl} gave no log-probability of token ${k + 1} of ${tokens.length}, expected a number for each but the first. Check that the server scores the whole prompt.`);
    }
    logprob += value;
    numTokens++;
    const best = Object.values(top_logprobs?.[k] ?? {}).filter((other) => typeof other === "number");
    // Without the top tokens it cannot be known whether this one was first.
    if (best.length === 0 || value < Math.max(...best)) isGreedy = false;
  }
  return { logprob, numTokens, isGreedy: isGreedy && numTokens > 0 && tokens.length > 0 };
}

/**
 * Scores by character offsets: tokens that end after the context belong to the continuation, one that straddles the
 * boundary included.
 */
async function scoreText(options: Call, context: string, continuation: string): Promise<Loglikelihood> {
  const prompt = context + continuation;
  const { text, logprobs } = await echo(options, prompt);
  const shift = text.indexOf(prompt); // a server may show its begin-of-text token
  if (shift < 0) {
    throw new EndpointError("echo", `openAi: ${options.baseUrl} echoed "${text.slice(0, 60)}", expected the prompt "${prompt.slice(0, 60)}". The prompt may exceed the context of the server, or its tokenizer changes text: raise the limit, or pass encode, which sends token ids.`);
  }
  const start = codePoints(text.slice(0, shift)) + codePoints(context);
  const end = codePoints(text.slice(0, shift)) + codePoints(prompt);
  const offsets = offsetsOf(options.baseUrl, text, logprobs);
  const endOf = (k: number) => offsets[k + 1] ?? codePoints(text);
  let from = 0;
  while (from < offsets.length && endOf(from) <= start) from++;
  let to = from;
  while (to < offsets.length && offsets[to] < end) to++;
  return sumPositions(options.baseUrl, logprobs, from, to);
}

/** Where each token begins, in code points. Tokens that make up the text say so themselves; else the server must. */
function offsetsOf(baseUrl: string, text: string, { tokens, text_offset: stated }: Logprobs): readonly number[] {
  if (stated == null || tokens.join("") === text) return cumulativeLengths(tokens);
  const end = codePoints(text);
  if (stated.length !== tokens.length || stated.some((at, k) => !(at >= (stated[k - 1] ?? 0) && at <= end))) {
    throw new EndpointError("well-formed answers", `openAi: ${baseUrl} places ${tokens.length} tokens at ${stated.slice(0, 8).join(", ")} ... of a text of ${end} characters, expected rising places within it. Pass a tokenizer, so that token ids are sent.`);
  }
  return stated;
}

function cumulativeLengths(tokens: readonly string[]): number[] {
  let offset = 0;
  return tokens.map((token) => {
    const at = offset;
    offset += codePoints(token);
    return at;
  });
}

type Encoder = Required<Pick<CompletionsOptions, "encode" | "encodeStart">>;

/**
 * Tokens of context and continuation as lm-evaluation-harness splits them: white space at the end of the context moves
 * to the continuation, both are encoded together, and the context keeps as many tokens as it has alone.
 */
function splitByCount({ encode, encodeStart }: Encoder, prefixToken: number | undefined, context: string, continuation: string): { context: readonly number[]; continuation: readonly number[] } {
  if (context === "") {
    const ids = encode(continuation);
    return prefixToken === undefined ? { context: ids.slice(0, 1), continuation: ids.slice(1) } : { context: [prefixToken], continuation: ids };
  }
  const trimmed = rstrip(context);
  const whole = encodeStart(context + continuation);
  const head = encodeStart(trimmed);
  return { context: head.length === 0 && prefixToken !== undefined ? [prefixToken] : head, continuation: whole.slice(head.length) };
}

/** Context and continuation each on its own, so that the tokens of a continuation never depend on the context. */
function splitSeparately({ encode, encodeStart }: Encoder, prefixToken: number | undefined, context: string, continuation: string): { context: readonly number[]; continuation: readonly number[] } {
  const head = encodeStart(context);
  return { context: head.length === 0 && prefixToken !== undefined ? [prefixToken] : head, continuation: encode(continuation) };
}

async function scoreTokens(options: Call, encoder: Encoder, maxLen: number, context: string, continuation: string): Promise<Loglikelihood> {
  const split = (options.encoding === "separate" ? splitSeparately : splitByCount)(encoder, options.prefixToken, context, continuation);
  return scoreIds(options, maxLen, split.context, split.continuation);
}

async function scoreIds(options: Call, maxLen: number, context: readonly number[], continuation: readonly number[]): Promise<Loglikelihood> {
  // Lost at the boundary, or longer than the model's context holds behind one token.
  if (continuation.length === 0 || continuation.length > maxLen - 2 + +(context.length === 0)) return { logprob: Number.NaN, numTokens: 0, isGreedy: false };
  const whole = [...context, ...continuation];
  const ids = whole.slice(-(maxLen - 1)); // one position is the generated token's
  const { logprobs } = await echo(options, ids);
  const scored = logprobs.token_logprobs.length;
  if (scored !== ids.length && scored !== ids.length + 1) {
    throw new EndpointError("echo", `openAi: ${options.baseUrl} scored ${scored} tokens of the ${ids.length} that were sent, expected these and the generated one. The prompt may exceed the context of the server (lower the context length here), or the server adds tokens of its own.`);
  }
  const score = sumPositions(options.baseUrl, logprobs, ids.length - Math.min(continuation.length, ids.length), ids.length);
  return whole.length > ids.length ? { ...score, numTruncated: whole.length - ids.length } : score;
}

/** Rolling windows: disjoint runs of tokens, each after one token of context. */
async function scoreWindows(options: Call, encode: (text: string) => readonly number[], maxLen: number, text: string): Promise<Loglikelihood> {
  const ids = options.prefixToken === undefined ? encode(text) : [options.prefixToken, ...encode(text)];
  const total: Loglikelihood = { logprob: 0, numTokens: 0, isGreedy: true };
  const size = maxLen - 2; // besides the context token and the generated one
  for (let at = 1; at < ids.length; at += size) {
    // The last window is slid left so that it is full; only tokens not scored before count.
    const fresh = ids.slice(at, at + size);
    const context = ids.slice(Math.max(0, at + fresh.length - size - 1), at);
    const part = await scoreIds(options, maxLen, context, fresh);
    total.logprob += part.logprob;
    total.numTokens += part.numTokens;
    total.isGreedy &&= part.isGreedy;
  }
  return total;
}
