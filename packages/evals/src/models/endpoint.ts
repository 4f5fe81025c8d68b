/** One JSON request to an OpenAI-style endpoint, with retries and errors that name the server. */

import { EspalierError } from "@espalier/core";

/** What a server lacks for the work it was asked to do. */
export type Lack = "connection" | "echo" | "logprobs" | "well-formed answers" | "acceptance of the request";

/** An HTTP endpoint that cannot be reached or lacks something that evaluation needs. */
export class EndpointError extends EspalierError {
  override readonly code = "ENDPOINT";
  readonly lacks: Lack;
  /** Answers that other requests of the same call got before it failed, by their place in the call; holes where there is none. */
  answered: readonly unknown[] = [];

  constructor(lacks: Lack, message: string, options?: ErrorOptions) {
    super(message, options);
    this.lacks = lacks;
  }
}

export interface EndpointOptions {
  /** Up to and including the version, e.g. `http://127.0.0.1:8000/v1`. */
  baseUrl: string;
  /** Model name that the server knows. */
  model: string;
  /** Sent as a bearer token. */
  apiKey?: string;
  /** Context length in tokens. Default: with `encode`, what the server's list of models states; else 2048. */
  maxLen?: number;
  /** Requests in flight. Default 4. */
  concurrency?: number;
  /** Attempts per request; dropped connections, torn answers and statuses 408, 429 and 5xx are tried again. Default 8. */
  attempts?: number;
  /** First wait between attempts in milliseconds, doubled each time up to 10 s. Default 1000. */
  retryMs?: number;
  /**
   * Longest that a request waits in all for a server that names a time to come back (`Retry-After`), in milliseconds.
   * Such waits are no attempts, and all requests of this endpoint wait together. Default 600,000.
   */
  patienceMs?: number;
  /** Default 120,000. */
  timeoutMs?: number;
  /** Called once for each time that the server asks to be left alone for `ANNOUNCED_MS` or more: the seconds. */
  onWait?: (seconds: number) => void;
  /** Ends all calls: what waits or is under way is given up, what was answered is kept. */
  signal?: AbortSignal;
}

/** Shorter waits are not worth a word. */
const ANNOUNCED_MS = 5000;

/** An endpoint as one call of a model uses it. */
export interface EndpointCall extends EndpointOptions {
  /** Shared by all calls of a model: until when the server asked to be left alone, in milliseconds since 1970. */
  quiet: { until: number };
}

/** @throws the signal's reason when it is aborted first */
const sleep = (ms: number, signal?: AbortSignal) =>
  new Promise<void>((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal!.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, ms);
    if (signal?.aborted) stop();
    else signal?.addEventListener("abort", stop, { once: true });
  });

const limitedTo = (ms: number, signal: AbortSignal | undefined) => AbortSignal.any([AbortSignal.timeout(ms), ...(signal ? [signal] : [])]);

/** The context length that the server's list of models states for this one (vLLM's and `espalier serve`'s `max_model_len`), where it does. */
export async function statedMaxLen({ baseUrl, model, apiKey, signal }: EndpointOptions): Promise<number | undefined> {
  try {
    const response = await fetch(`${baseUrl.replace(/\/+$/, "")}/models`, { headers: authorization(apiKey), signal: limitedTo(5000, signal) });
    const { data } = (await response.json()) as { data: { id: string; max_model_len?: unknown }[] };
    const stated = data.find(({ id }) => id === model)?.max_model_len;
    return Number.isSafeInteger(stated) && (stated as number) > 1 ? (stated as number) : undefined;
  } catch {
    return undefined; // many servers have no such list; what asks for answers says what is wrong with the address
  }
}

const authorization = (apiKey: string | undefined): Record<string, string> => (apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` });

/** What became of one attempt. */
type Outcome =
  | { kind: "answer"; value: Record<string, unknown> }
  | { kind: "refused"; error: EndpointError }
  | { kind: "later"; error: EndpointError; retryAfterMs?: number };

/**
 * POSTs `body` and returns the parsed answer. A rate limit with `Retry-After` is waited out as the server says; other
 * failures that may pass are tried again, ever later.
 *
 * @throws {EndpointError} the last failure, when attempts or patience are used up, or at once where trying again is no use
 */
export async function post(options: EndpointCall, path: string, body: object): Promise<Record<string, unknown>> {
  const { attempts = 8, patienceMs = 600_000, retryMs = 1000, quiet, signal } = options;
  let waited = 0;
  for (let attempt = 1; ; ) {
    const pause = quiet.until - Date.now();
    if (pause > 0) await sleep(pause, signal);
    const outcome = await attemptOnce(options, path, body, attempts);
    if (outcome.kind === "answer") return outcome.value;
    if (outcome.kind === "refused" || signal?.aborted) throw outcome.error;
    if (outcome.retryAfterMs !== undefined) {
      waited += outcome.retryAfterMs;
      if (waited > patienceMs) throw outcome.error;
      // A server that says 0 seconds and refuses for ever must not be asked in a tight loop for ever.
      const wait = Math.max(outcome.retryAfterMs, Math.min(retryMs, 1000));
      waited += wait - outcome.retryAfterMs;
      const until = Date.now() + wait;
      if (wait >= ANNOUNCED_MS && quiet.until < until - wait) options.onWait?.(wait / 1000);
      quiet.until = Math.max(quiet.until, until);
      continue;
    }
    if (attempt >= attempts) throw outcome.error;
    await sleep(Math.min(10_000, retryMs * 2 ** (attempt - 1)), signal);
    attempt++;
  }
}

async function attemptOnce(options: EndpointCall, path: string, body: object, attempts: number): Promise<Outcome> {
  const url = `${options.baseUrl.replace(/\/+$/, "")}/${path}`;
  let response: Response;
  let text: string;
  try {
    response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", ...authorization(options.apiKey) },
      body: JSON.stringify(body),
      signal: limitedTo(options.timeoutMs ?? 120_000, options.signal),
    });
    text = await response.text();
  } catch (cause) {
    const reason = [(cause as Error).message, ((cause as Error).cause as Error | undefined)?.message].filter(Boolean).join(": ");
    return { kind: "later", error: new EndpointError("connection", `openAi: ${url} did not answer in ${attempts} attempts: ${reason}. Check the address and that the server runs.`, { cause }) };
  }
  if (response.ok) {
    try {
      const value: unknown = JSON.parse(text);
      if (typeof value === "object" && value !== null && !Array.isArray(value)) return { kind: "answer", value: value as Record<string, unknown> };
      return { kind: "refused", error: new EndpointError("well-formed answers", `openAi: ${url} answered ${text.slice(0, 80)}, expected a JSON object. Check that the server speaks the OpenAI form.`) };
    } catch (cause) {
      const error = new EndpointError("well-formed answers", `openAi: ${url} answered "${text.slice(0, 80)}", expected JSON. Check that baseUrl ends with the version, such as /v1.`, { cause });
      // The beginning of an object is an answer that was cut off: the next may be whole.
      return { kind: text.trimStart().startsWith("{") ? "later" : "refused", error };
    }
  }
  const { status } = response;
  const transient = status === 408 || status === 429 || status >= 500;
  const limited = status === 429 ? " The server limits the rate: lower concurrency, or wait." : "";
  const error = new EndpointError(
    transient ? "connection" : "acceptance of the request",
    `openAi: ${url} answered status ${status}, expected 200: ${text.slice(0, 200)}. Check the model name, the key and the limits of the server.${limited}`,
  );
  if (!transient) return { kind: "refused", error };
  const retryAfterMs = retryAfter(response.headers.get("retry-after"));
  return { kind: "later", error, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
}

/** `Retry-After` as milliseconds from now: seconds, or a date. */
export function retryAfter(header: string | null, now = Date.now()): number | undefined {
  if (header === null || header.trim() === "") return undefined;
  const seconds = Number(header);
  if (Number.isFinite(seconds)) return Math.max(0, 1000 * seconds);
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/**
 * Maps in order with at most `limit` requests under way. The first failure ends the others and is thrown; an `EndpointError`
 * takes along what was `answered`.
 */
export async function mapConcurrently<T, R, O extends EndpointCall>(call: O, items: readonly T[], action: (call: O, item: T) => Promise<R>): Promise<R[]> {
  const results = Array<R>(items.length);
  const stop = new AbortController();
  // Aborted also when another request of the call has failed for good: nothing is waited for or asked again.
  const each = { ...call, signal: call.signal ? AbortSignal.any([call.signal, stop.signal]) : stop.signal };
  let failure: unknown;
  let next = 0;
  const worker = async () => {
    while (next < items.length && !stop.signal.aborted) {
      const i = next++;
      try {
        results[i] = await action(each, items[i]);
      } catch (error) {
        if (!stop.signal.aborted) failure = error; // what ends because of it says nothing new
        stop.abort();
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(call.concurrency ?? 4, items.length) }, worker));
  if (!stop.signal.aborted) return results;
  if (call.signal?.aborted) failure = new EndpointError("connection", `openAi: ${call.baseUrl} was not waited for any longer, because the evaluation was stopped.`, { cause: failure });
  if (failure instanceof EndpointError) failure.answered = results;
  throw failure;
}
