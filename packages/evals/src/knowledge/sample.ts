/** One answered document, as the sample log keeps it. */

import type { Loglikelihood } from "@espalier/spec/languageModel";
import { sha256Text } from "../digest.ts";
import { pythonJson, pythonStr } from "../python/json.ts";
import type { DocScore } from "./metrics.ts";
import type { DocumentRequests } from "./requests.ts";
import type { Doc } from "./task.ts";

/** What a model said of one continuation; `logprob` is -Infinity where it holds it impossible, null where it scored none of its tokens. */
export type AnsweredLikelihood = Omit<Loglikelihood, "logprob"> & { logprob: number | null };

export interface GenerationSettings {
  until: readonly string[];
  maxTokens: number;
  /** 0: greedy. */
  temperature: number;
}

export interface KnowledgeSample {
  /** `task@version/harness/shots/seed/document`: what `done` of a resumed run is looked up by. */
  key: string;
  task: string;
  docId: number;
  doc: Doc;
  target: string;
  /** Contexts and continuations; of generation the prompt with an empty continuation. */
  requests: readonly (readonly [context: string, continuation: string])[];
  loglikelihoods: readonly AnsweredLikelihood[];
  /** Choices without their context, where a metric asks for them. */
  unconditional?: readonly AnsweredLikelihood[];
  /** How the answers were drawn, of a generation task. */
  generation?: GenerationSettings;
  /** The first answer. */
  generated?: string;
  /** All answers, of a task that asks more than once. */
  generations?: readonly string[];
  /** What each filter made of the generated text. */
  filtered?: Readonly<Record<string, string>>;
  /** By `metric,filter`; absent where a lost continuation leaves nothing to score. */
  scores: Readonly<Record<string, DocScore>>;
  /** A continuation lost all its tokens at the boundary to the context. */
  boundaryError: boolean;
  /** Most tokens that a context of this document lost at its beginning. */
  numTruncated: number;
  /** Texts that share it stand in one cluster of the standard error. */
  cluster?: string;
  docHash: string;
  promptHash: string;
  targetHash: string;
}

/** SHA-256 of document, prompt and target, over the texts that lm-evaluation-harness hashes. */
export async function sampleHashes(doc: Doc, prompt: string, target: unknown): Promise<Pick<KnowledgeSample, "docHash" | "promptHash" | "targetHash">> {
  const [docHash, promptHash, targetHash] = await Promise.all([pythonJson(doc, { indent: 2, ensureAscii: false }), prompt, pythonStr(target)].map(sha256Text));
  return { docHash, promptHash, targetHash };
}

/** SHA-256 over the requests of a whole set, as lm-evaluation-harness records it in its regression tests. */
export function requestsHash(requests: readonly DocumentRequests[], times = 1): Promise<string> {
  const pairs = requests.flatMap(({ requests: asked }) => asked.flatMap(({ context, continuation }) => Array(times).fill([context, continuation]) as string[][]));
  return sha256Text(pythonJson(pairs, { sortKeys: true }));
}

/** Hash of a task's run: over document, prompt and target hashes of all samples, in order. */
export const taskHash = (samples: readonly KnowledgeSample[]): Promise<string> =>
  sha256Text(samples.map(({ docHash, promptHash, targetHash }) => docHash + promptHash + targetHash).join(""));

