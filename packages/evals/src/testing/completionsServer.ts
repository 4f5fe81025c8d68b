import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** How a test server deviates from a complete one. */
export interface ServerFault {
  /** Refuses `echo` with status 400, as OpenAI's own models do. */
  refusesEcho?: boolean;
  /** Accepts `echo` but answers with generated text only. */
  ignoresEcho?: boolean;
  noLogprobs?: boolean;
  /** Refuses `logprobs` with status 400. */
  refusesLogprobs?: boolean;
  noOffsets?: boolean;
  /** Shows a begin-of-text token before the prompt. */
  showsBos?: boolean;
  /** Answers that many requests with status 429 before it serves. */
  rateLimited?: number;
  /** Header of those answers. Default `0`; null: none. */
  retryAfter?: string | null;
  /** Drops that many connections without a byte. */
  drops?: number;
  /** Drops that many connections in the middle of the answer. */
  cutsShort?: number;
  /** Ends that many answers early, as if they were whole. */
  tears?: number;
  /** Leaves that many requests without an answer. */
  hangs?: number;
  notJson?: boolean;
  /** Context length of the model `test` in the list of models; without it there is no such list. */
  maxModelLen?: unknown;
  /** Answers that many requests with status 500. */
  failures?: number;
  /** Milliseconds that each answer takes. */
  delayMs?: number;
  /** What becomes of each answer after the first, which is the probe's. */
  spoils?: (choice: SpoiltChoice) => unknown;
}

/** A choice as the server would have given it. */
export interface SpoiltChoice {
  text: string;
  logprobs: { tokens: string[]; token_logprobs: (number | null)[]; text_offset: number[] };
}

/** Tokens are runs of letters with the space before them, or single characters. */
const tokenise = (text: string): string[] => text.match(/ ?[a-z]+|[^]/gu) ?? [];

/** Made-up but reproducible log-probability of a token after a text: what the adapter must add up. */
export function tokenLogprob(before: string, token: string): number {
  let hash = 7;
  for (const character of `${before.slice(-3)}|${token}`) hash = (hash * 31 + character.codePointAt(0)!) % 1009;
  return -0.01 - hash / 100;
}

/** Log-likelihood that a direct computation gives to the tokens of `text` from character `start`. */
export function directLoglikelihood(text: string, start: number): { logprob: number; numTokens: number } {
  let at = 0;
  let logprob = 0;
  let numTokens = 0;
  for (const token of tokenise(text)) {
    if (at + token.length > start && at > 0) {
      logprob += tokenLogprob(text.slice(0, at), token);
      numTokens++;
    }
    at += token.length;
  }
  return { logprob, numTokens };
}

function completion(body: { prompt: string | number[]; echo?: boolean; logprobs?: number; max_tokens: number }, fault: ServerFault): object {
  const prompt = typeof body.prompt === "string" ? body.prompt : String.fromCodePoint(...body.prompt);
  const promptTokens = typeof body.prompt === "string" ? tokenise(prompt) : [...prompt];
  const generated = body.echo ? "!" : " 1, 2\nand more".slice(0, body.max_tokens);
  if (!body.echo || fault.ignoresEcho) {
    return { text: generated, finish_reason: generated.length === body.max_tokens ? "length" : "stop", logprobs: body.logprobs ? { tokens: ["!"], token_logprobs: [-1], text_offset: [0] } : null };
  }
  const tokens = [...(fault.showsBos ? ["<s>"] : []), ...promptTokens, generated];
  let before = "";
  let offset = 0;
  const offsets: number[] = [];
  const values = tokens.map((token, k) => {
    offsets.push(offset);
    offset += [...token].length;
    const value = k === 0 ? null : tokenLogprob(before, token);
    if (token !== "<s>") before += token;
    return value;
  });
  return {
    text: tokens.join(""),
    finish_reason: "length",
    logprobs: fault.noLogprobs
      ? null
      : {
          tokens,
          token_logprobs: values,
          top_logprobs: values.map((value, k) => (value === null ? null : { [tokens[k]]: value, other: tokens[k] === " b" ? value + 1 : value - 1 })),
          ...(fault.noOffsets ? {} : { text_offset: offsets }),
        },
  };
}

/** Serves `/v1/completions` and `/v1/chat/completions` on loopback. */
export async function startServer(fault: ServerFault = {}): Promise<{ baseUrl: string; requests: Record<string, unknown>[]; times: number[]; close(): Promise<void> }> {
  const requests: Record<string, unknown>[] = [];
  let limited = fault.rateLimited ?? 0;
  let { drops = 0, cutsShort = 0, tears = 0, hangs = 0, failures = 0 } = fault;
  const times: number[] = [];
  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    if (request.method === "GET") {
      if (fault.maxModelLen === undefined) response.writeHead(404).end();
      else response.end(JSON.stringify({ data: [{ id: "other", max_model_len: 5 }, { id: "test", max_model_len: fault.maxModelLen }] }));
      return;
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = JSON.parse(Buffer.concat(chunks).toString()) as Parameters<typeof completion>[0];
    requests.push({ ...body, path: request.url });
    times.push(Date.now());
    if (fault.delayMs !== undefined) await new Promise((resolve) => setTimeout(resolve, fault.delayMs));
    const answer = (status: number, payload: object, headers: Record<string, string> = {}) => response.writeHead(status, headers).end(JSON.stringify(payload));
    if (limited > 0) {
      limited--;
      answer(429, { error: "slow down" }, fault.retryAfter === null ? {} : { "retry-after": fault.retryAfter ?? "0" });
    } else if (drops > 0) {
      drops--;
      request.socket.destroy();
    } else if (failures > 0) {
      failures--;
      response.writeHead(500).end("<html>out of memory</html>");
    } else if (hangs > 0) hangs--;
    else if (cutsShort > 0) {
      cutsShort--;
      response.writeHead(200, { "content-length": "500" }).write('{"choices": [');
      setTimeout(() => request.socket.destroy(), 5);
    } else if (tears > 0) {
      tears--;
      response.end('{"choices": [{"text": "o');
    } else if (fault.notJson) response.end("<html>hello</html>");
    else if (request.url === "/v1/chat/completions") answer(200, { choices: [{ message: { content: "1, 2\nand more" }, finish_reason: "stop" }], usage: { completion_tokens: 5 } });
    else if (body.echo && fault.refusesEcho) answer(400, { error: { message: "Setting 'echo' and 'logprobs' at the same time is not supported for this model." } });
    else if (body.logprobs && fault.refusesLogprobs) answer(400, { error: { message: "logprobs: per-token log-probabilities are not served yet." } });
    else if (fault.spoils && requests.length > 1) answer(200, fault.spoils(completion(body, fault) as SpoiltChoice) as object);
    else answer(200, { choices: [completion(body, fault)] });
  };
  const server = createServer((request, response) => void handle(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    requests,
    times,
    close: () => new Promise((resolve) => { server.close(() => resolve()); server.closeAllConnections(); }),
  };
}
