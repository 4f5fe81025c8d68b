/** No request is put to the same model twice, in one run or over many. */

import type { GenerateRequest, Generation, LanguageModel, Loglikelihood, LoglikelihoodRequest } from "@espalier/spec/languageModel";
import { sha256Text } from "../digest.ts";
import { EndpointError } from "./endpoint.ts";

/** What a model answered to one request. */
export type CachedAnswer = Loglikelihood | Generation;

/** Answers by the digest of model and request. `openRequestCache` (`/node`) keeps them in a file. */
export interface RequestCache {
  /**
   * Stands for everything that decides an answer: weights, tokeniser, how a context and its continuation become tokens,
   * precision. Equal digests must mean equal answers.
   */
  readonly modelDigest: string;
  get(key: string): CachedAnswer | undefined;
  /** Adds answers; they are durable when the promise is resolved. */
  put(entries: readonly (readonly [key: string, answer: CachedAnswer])[]): Promise<void>;
}

/** A cache that lasts as long as the process. */
export function memoryCache(modelDigest: string): RequestCache {
  const answers = new Map<string, CachedAnswer>();
  return {
    modelDigest,
    get: (key) => answers.get(key),
    put: async (entries) => void entries.forEach(([key, answer]) => answers.set(key, answer)),
  };
}

/** How often a cached model answered by itself, and how often the model behind it had to. */
export interface CacheCounts {
  hits: number;
  misses: number;
}

/**
 * The model with a cache before it: only requests that it has not answered reach it, each once, in their order. An
 * answer with temperature is kept only where a seed decides it. What an endpoint answered before it failed is kept too.
 */
export function cachedModel(model: LanguageModel, cache: RequestCache): LanguageModel & { readonly counts: Readonly<CacheCounts> } {
  const counts: CacheCounts = { hits: 0, misses: 0 };

  async function answer<R, A extends CachedAnswer>(requests: readonly R[], nameOf: (request: R) => unknown, ask: (missing: readonly R[]) => Promise<A[]>): Promise<A[]> {
    const names = requests.map(nameOf);
    const keys = await Promise.all(names.map((name) => (name === undefined ? undefined : sha256Text(JSON.stringify([cache.modelDigest, name])))));
    const missing = new Map<string | number, R>(); // a request without a name of its own is always asked
    requests.forEach((request, i) => {
      const key = keys[i];
      if (key === undefined) missing.set(i, request);
      else if (cache.get(key) === undefined && !missing.has(key)) missing.set(key, request);
    });
    counts.misses += missing.size;
    counts.hits += requests.length - missing.size;
    const put = (given: readonly (A | undefined)[]) => cache.put([...missing.keys()].flatMap((key, i) => (typeof key === "string" && given[i] !== undefined ? [[key, given[i]] as const] : [])));
    const given = missing.size === 0 ? [] : await ask([...missing.values()]).catch(async (error: unknown) => {
      if (error instanceof EndpointError) await put(error.answered as readonly (A | undefined)[]);
      throw error;
    });
    const fresh = new Map([...missing.keys()].map((key, i) => [key, given[i]]));
    await put(given);
    return requests.map((_, i) => fresh.get(keys[i] ?? i) ?? (cache.get(keys[i]!) as A));
  }

  return {
    name: model.name,
    maxLen: model.maxLen,
    counts,
    loglikelihood: (requests) => answer(requests, ({ context, continuation }: LoglikelihoodRequest) => ["loglikelihood", context, continuation], (missing) => model.loglikelihood(missing)),
    rollingLoglikelihood: (texts) => answer(texts, (text) => ["rolling", text], (missing) => model.rollingLoglikelihood(missing)),
    generate: (requests) =>
      answer(
        requests,
        ({ prompt, until, maxTokens, temperature = 0, seed }: GenerateRequest) => (temperature > 0 && seed === undefined ? undefined : ["generate", prompt, until, maxTokens, temperature, temperature > 0 ? seed : null]),
        (missing) => model.generate(missing),
      ),
  };
}
