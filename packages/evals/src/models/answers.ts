/** Parts of an OpenAI-style answer, checked: a server that answers in another form is named, with what it sent. */

import { EndpointError } from "./endpoint.ts";

/** Log-probabilities of the tokens of an echoed prompt and of what was generated after it. */
export interface Logprobs {
  tokens: string[];
  /** Natural logarithms; null where a token has nothing before it. */
  token_logprobs: (number | null)[];
  top_logprobs?: (Record<string, number> | null)[] | null;
  /** In code points of the text. */
  text_offset?: number[] | null;
}

export interface Choice {
  text?: unknown;
  message?: { content?: unknown } | null;
  finish_reason?: string | null;
  logprobs?: Partial<Logprobs> | null;
}

/** Rounding of a server's softmax may give a certain token a little more than 0. */
const MOST = 1e-3;

const shown = (value: unknown): string => JSON.stringify(value)?.slice(0, 200) ?? "nothing";

/** @throws {EndpointError} when there is none */
export function firstChoice(baseUrl: string, answer: Record<string, unknown>): Choice {
  const choice = (answer.choices as (Choice | null)[] | undefined)?.[0];
  if (typeof choice !== "object" || choice === null) {
    throw new EndpointError("well-formed answers", `openAi: ${baseUrl} gave an answer that has no choices, expected one: ${shown(answer)}. Check that the server speaks the OpenAI form.`);
  }
  return choice;
}

/** The text of a completion. @throws {EndpointError} when it is no text */
export function textOf(baseUrl: string, { text }: Choice): string {
  if (typeof text !== "string") throw new EndpointError("well-formed answers", `openAi: ${baseUrl} gave a choice whose text is ${shown(text)}, expected text. Check that the server speaks the OpenAI form of completions.`);
  return text;
}

/** The text of a chat's message; a null content is an empty one. @throws {EndpointError} when there is no message */
export function messageOf(baseUrl: string, { message }: Choice): string {
  const content = message?.content;
  if (content === null) return "";
  if (typeof content !== "string") throw new EndpointError("well-formed answers", `openAi: ${baseUrl} gave a choice whose message is ${shown(message)}, expected one with a text as content. Check that the server speaks the OpenAI form of chats.`);
  return content;
}

/** @throws {EndpointError} when there are none, or not one for each token, or numbers that are no log-probabilities */
export function logprobsOf(baseUrl: string, { logprobs }: Choice): Logprobs {
  if (logprobs == null || !Array.isArray(logprobs.token_logprobs)) {
    throw new EndpointError("logprobs", `openAi: ${baseUrl} returned no logprobs, expected one per token. Start the server with log-probabilities enabled, or score by generation only.`);
  }
  const { tokens, token_logprobs: values, text_offset: offsets } = logprobs;
  const wrong = (found: string, expected: string) => new EndpointError("well-formed answers", `openAi: ${baseUrl} returned ${found}, expected ${expected}. Check that the server speaks the OpenAI form of logprobs.`);
  if (!Array.isArray(tokens) || tokens.some((token) => typeof token !== "string")) throw wrong(`tokens that are ${shown(tokens)}`, "a list of texts");
  if (values.length !== tokens.length) throw wrong(`${values.length} log-probabilities of ${tokens.length} tokens`, "one each");
  const strange = values.find((value) => value !== null && !(typeof value === "number" && value <= MOST));
  if (strange !== undefined) throw wrong(`the log-probability ${shown(strange)}`, "numbers of at most 0");
  if (offsets != null && !(Array.isArray(offsets) && offsets.every(Number.isInteger))) throw wrong(`text offsets that are ${shown(offsets)}`, "whole numbers");
  return { ...logprobs, tokens, token_logprobs: values };
}
