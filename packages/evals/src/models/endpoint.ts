/** One JSON request to an OpenAI-style endpoint, with retries and errors that name the server. */

import { EspalierError } from "@espalier/core";

/** What a server lacks for the work it was asked to do. */
export type Lack = "connection" | "echo" | "logprobs" | "well-formed answers" | "acceptance of the request";

/** An HTTP endpoint that cannot be reached or lacks something that evaluation needs. */
export class EndpointError extends EspalierError {
  override readonly code = "ENDPOINT";
  readonly lacks: Lack;

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
  /** Context length in tokens. Default 2048. */
  maxLen?: number;
  /** Requests in flight. Default 4. */
  concurrency?: number;
  /** Attempts per request; connection failures and statuses 408, 429 and 5xx are tried again. Default 4. */
  attempts?: number;
  /** First wait between attempts in milliseconds, doubled each time up to 10 s; `Retry-After` counts. Default 1000. */
  retryMs?: number;
  /** Default 120,000. */
  timeoutMs?: number;
}

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** POSTs `body` and returns the parsed answer. */
export async function post(options: EndpointOptions, path: string, body: object): Promise<Record<string, unknown>> {
  const url = `${options.baseUrl.replace(/\/+$/, "")}/${path}`;
  const attempts = options.attempts ?? 4;
  for (let attempt = 1; ; attempt++) {
    let response: Response;
    let text: string;
    try {
      response = await fetch(url, {
        method: "POST",
        headers: { "content-type": "application/json", ...(options.apiKey === undefined ? {} : { authorization: `Bearer ${options.apiKey}` }) },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(options.timeoutMs ?? 120_000),
      });
      text = await response.text();
    } catch (cause) {
      if (attempt < attempts) {
        await sleep(waitMs(options, attempt));
        continue;
      }
      throw new EndpointError("connection", `openAi: ${url} did not answer in ${attempts} attempts: ${(cause as Error).message}. Check the address and that the server runs.`, { cause });
    }
    if (response.ok) {
      try {
        return JSON.parse(text) as Record<string, unknown>;
      } catch (cause) {
        throw new EndpointError("well-formed answers", `openAi: ${url} answered "${text.slice(0, 80)}", expected JSON. Check that baseUrl ends with the version, such as /v1.`, { cause });
      }
    }
    const transient = response.status === 408 || response.status === 429 || response.status >= 500;
    if (transient && attempt < attempts) {
      await sleep(waitMs(options, attempt, response.headers.get("retry-after")));
      continue;
    }
    throw new EndpointError(
      transient ? "connection" : "acceptance of the request",
      `openAi: ${url} answered status ${response.status}, expected 200: ${text.slice(0, 200)}. Check the model name, the key and the limits of the server.`,
    );
  }
}

function waitMs({ retryMs = 1000 }: EndpointOptions, attempt: number, retryAfter: string | null = null): number {
  const asked = Number(retryAfter ?? Number.NaN) * 1000;
  return Math.min(10_000, Number.isFinite(asked) ? asked : retryMs * 2 ** (attempt - 1));
}

/** Maps in order with at most `limit` calls under way; the first failure stops further calls. */
export async function mapConcurrently<T, R>(items: readonly T[], limit: number, action: (item: T) => Promise<R>): Promise<R[]> {
  const results = Array<R>(items.length);
  let next = 0;
  let failed = false;
  const worker = async () => {
    while (next < items.length && !failed) {
      const i = next++;
      try {
        results[i] = await action(items[i]);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  return results;
}
