/** Runs knowledge tests: documents to requests, requests to answers, answers to scores, scores to tables. */

import { CancelledError, type Progress, silent } from "@espalier/core";
import type { LanguageModel, Loglikelihood, LoglikelihoodRequest } from "@espalier/spec/languageModel";
import { cachedModel, type RequestCache } from "../models/cache.ts";
import { pythonSlice } from "../python/text.ts";
import type { FewshotOptions } from "./fewshot.ts";
import type { Filter } from "./filters.ts";
import { goldOf, scoreDocument, type DocScore } from "./metrics.ts";
import { answerOf } from "./prompt.ts";
import { type DocumentRequests, generationOf, requestsOf } from "./requests.ts";
import { type AnsweredLikelihood, type KnowledgeSample, sampleHashes } from "./sample.ts";
import { type GroupResult, groupResults, type KnowledgeGroup, type KnowledgeResult, summariseKnowledge } from "./summary.ts";
import type { Doc, KnowledgeSet, KnowledgeTask } from "./task.ts";

export interface KnowledgeEvaluation {
  model: string;
  tasks: readonly KnowledgeResult[];
  groups: readonly GroupResult[];
}

export interface KnowledgeOptions extends FewshotOptions {
  /** First documents of each set; a number below 1 is a share, rounded up. Default: all. */
  limit?: number;
  /** Tables over several tasks. */
  groups?: readonly KnowledgeGroup[];
  /** Replicates of the standard error of statistics that are no mean. Default 100,000, as in lm-evaluation-harness. */
  bootstrapIterations?: number;
  /** Documents whose requests go to the model at once. Results do not depend on it. Default 128. */
  batchDocuments?: number;
  /**
   * Samples of an earlier, interrupted run by key. What they answered is scored as the task now says, and asked again only
   * where document, requests or settings of the generation have changed.
   */
  done?: ReadonlyMap<string, KnowledgeSample>;
  /** Answers of earlier runs of the same model: a request that is among them is not put to it again. */
  cache?: RequestCache;
  /** Called for each new sample, always in the same order; awaited, so that a log may be durable before the next. */
  onSample?: (sample: KnowledgeSample) => void | Promise<void>;
  progress?: Progress;
  signal?: AbortSignal;
}

/**
 * Evaluates a model on knowledge tests. Documents are asked longest prompt first, those that begin alike together, so
 * that an engine with a prefix cache reads shared shots once. A resumed run asks what is missing, in the same order.
 *
 * @throws {ConfigError} when there are fewer documents than shots
 * @throws {DataError} for a document that lacks a column of its task
 * @throws {CancelledError} when `signal` is aborted; samples handed to `onSample` so far stay valid
 */
export async function evaluateKnowledge(given: LanguageModel, sets: readonly KnowledgeSet[], options: KnowledgeOptions = {}): Promise<KnowledgeEvaluation> {
  const { progress = silent, batchDocuments = 128 } = options;
  const model = options.cache ? cachedModel(given, options.cache) : given;
  const asked = sets.map((set) => requestsOf(set, options, limitOf(options.limit, set.docs.length)));
  const total = asked.reduce((sum, documents) => sum + documents.length, 0);
  const results: KnowledgeResult[] = [];
  let finished = 0;
  for (const [s, { task }] of sets.entries()) {
    const order = [...asked[s]].sort(longestFirst);
    const samples = new Map<number, KnowledgeSample>();
    for (let start = 0; start < order.length; start += batchDocuments) {
      if (options.signal?.aborted) {
        throw new CancelledError(`evaluateKnowledge: stopped at document ${finished} of ${total}. Pass the logged samples as done to go on.`);
      }
      const batch = order.slice(start, start + batchDocuments);
      const drafts = await Promise.all(batch.map(async (document) => ({ document, ...(await identify(task, document, options)) })));
      const known = new Map(drafts.flatMap((draft) => {
        const logged = options.done?.get(draft.key);
        return logged !== undefined && answersTo(task, draft, logged) ? [[draft.key, sampleOf(task, draft, answerIn(logged))]] : [];
      }));
      const fresh = drafts.filter(({ key }) => !known.has(key));
      const answers = await ask(model, task, fresh.map(({ document }) => document));
      const answered = new Map(fresh.map((draft, i) => [draft.key, sampleOf(task, draft, answers[i])]));
      for (const draft of drafts) {
        const sample = answered.get(draft.key);
        if (sample !== undefined) await options.onSample?.(sample);
        samples.set(draft.document.docId, sample ?? known.get(draft.key)!);
      }
      finished += batch.length;
      progress({ task: "knowledge", done: finished, total, unit: "documents", detail: task.name });
    }
    const ordered = asked[s].map(({ docId }) => samples.get(docId)!);
    results.push(summariseKnowledge(sets[s], ordered, { shots: asked[s][0]?.shots.length ?? 0, bootstrapIterations: options.bootstrapIterations ?? 100_000 }));
  }
  return { model: model.name, tasks: results, groups: groupResults(options.groups ?? [], results) };
}

function limitOf(limit: number | undefined, numDocs: number): number {
  if (limit === undefined) return numDocs;
  return limit < 1 ? Math.ceil(limit * numDocs) : limit;
}

const lengthOf = ({ requests: [first], prompt, rolling }: DocumentRequests): string => first?.context ?? prompt ?? rolling ?? "";

/** Longest context first, equal lengths in the order of their text: prompts that begin alike stand together. */
function longestFirst(a: DocumentRequests, b: DocumentRequests): number {
  const [x, y] = [lengthOf(a), lengthOf(b)];
  return y.length - x.length || (x < y ? -1 : Number(x > y)) || a.docId - b.docId;
}

async function identify(task: KnowledgeTask, document: DocumentRequests, options: FewshotOptions) {
  const { doc, docId, shots } = document;
  const draws = options.draws === "document" ? "document" : "harness";
  const key = `${task.name}@${task.version}/${task.harness}/${shots.length}/${draws}-${options.seed ?? 1234}/${docId}`;
  return { key, ...(await sampleHashes(doc, lengthOf(document), task.target(doc))) };
}

interface Answer {
  loglikelihoods: Loglikelihood[];
  unconditional: Loglikelihood[];
  generated?: { texts: readonly string[]; numTruncated: number };
}

/** Asks each distinct request once. */
async function ask(model: LanguageModel, task: KnowledgeTask, documents: readonly DocumentRequests[]): Promise<Answer[]> {
  if (documents.length === 0) return [];
  if (task.outputType === "generate_until") {
    const { until, maxTokens, temperature } = generationOf(task);
    const { repeats = 1 } = task;
    const seeds = Array.from({ length: repeats }, (_, seed) => seed);
    const generations = await model.generate(documents.flatMap(({ prompt }) => seeds.map((seed) => ({ prompt: prompt!, until, maxTokens, temperature, ...(temperature > 0 && { seed }) }))));
    return documents.map((_, i) => {
      const own = generations.slice(i * repeats, (i + 1) * repeats);
      return { loglikelihoods: [], unconditional: [], generated: { texts: own.map(({ text }) => cutAtStops(text, until)), numTruncated: Math.max(...own.map(({ numTruncated = 0 }) => numTruncated)) } };
    });
  }
  if (task.outputType === "loglikelihood_rolling") {
    return (await model.rollingLoglikelihood(documents.map(({ rolling }) => rolling!))).map((answer) => ({ loglikelihoods: [answer], unconditional: [] }));
  }
  const nameOf = ({ context, continuation }: LoglikelihoodRequest) => JSON.stringify([context, continuation]);
  const distinct = new Map(documents.flatMap(({ requests, unconditional }) => [...requests, ...unconditional]).map((request) => [nameOf(request), request]));
  const answers = await model.loglikelihood([...distinct.values()]);
  const byName = new Map([...distinct.keys()].map((name, i) => [name, answers[i]]));
  const lookUp = (requests: readonly LoglikelihoodRequest[]) => requests.map((request) => byName.get(nameOf(request))!);
  return documents.map(({ requests, unconditional }) => ({ loglikelihoods: lookUp(requests), unconditional: lookUp(unconditional) }));
}

/** Cuts at the first occurrence of each stop string in turn, as the harness does whatever the model did. */
const cutAtStops = (text: string, until: readonly string[]): string => until.reduce((left, stop) => (stop === "" ? left : left.split(stop, 1)[0]), text);

type Draft = { document: DocumentRequests } & Awaited<ReturnType<typeof identify>>;

function sampleOf(task: KnowledgeTask, { document, key, docHash, promptHash, targetHash }: Draft, { loglikelihoods, unconditional, generated }: Answer): KnowledgeSample {
  const { docId, doc } = document;
  const lost = [...loglikelihoods, ...unconditional].some(isLost);
  const filtered = generated && filteredBy(task.filters ?? [{ name: "none", apply: (text) => text }], generated.texts, doc);
  return {
    key,
    task: task.name,
    docId,
    doc,
    target: targetText(task, document),
    requests: askedIn(document),
    loglikelihoods: loglikelihoods.map(answered),
    ...(unconditional.length > 0 && { unconditional: unconditional.map(answered) }),
    ...(generated && { generation: generationOf(task), generated: generated.texts[0], ...(generated.texts.length > 1 && { generations: generated.texts }), filtered }),
    scores: lost ? wrong(task, doc) : scoresOf(task, document, { loglikelihoods, unconditional }, filtered),
    boundaryError: lost,
    numTruncated: Math.max(0, generated?.numTruncated ?? 0, ...loglikelihoods.map(({ numTruncated = 0 }) => numTruncated)),
    ...(task.cluster && { cluster: task.cluster(doc) }),
    docHash,
    promptHash,
    targetHash,
  };
}

function askedIn({ requests, prompt, rolling }: DocumentRequests): KnowledgeSample["requests"] {
  if (prompt !== undefined) return [[prompt, ""]];
  return rolling !== undefined ? [["", rolling]] : requests.map(({ context, continuation }) => [context, continuation]);
}

/** Whether a logged sample answers what would be asked now. */
function answersTo(task: KnowledgeTask, { document, docHash, promptHash }: Draft, logged: KnowledgeSample): boolean {
  if (logged.promptHash !== promptHash || logged.docHash !== docHash) return false;
  const wanted = [askedIn(document), document.unconditional.length, task.outputType === "generate_until" ? [generationOf(task), task.repeats ?? 1] : null];
  const given = [logged.requests, logged.unconditional?.length ?? 0, logged.generated === undefined ? null : [logged.generation, logged.generations?.length ?? 1]];
  return JSON.stringify(wanted) === JSON.stringify(given);
}

/** The answer of an earlier sample, in which null is a lost continuation. */
function answerIn({ loglikelihoods, unconditional = [], generated, generations, numTruncated }: KnowledgeSample): Answer {
  const restored = ({ logprob, ...rest }: AnsweredLikelihood): Loglikelihood => ({ logprob: logprob ?? Number.NaN, ...rest });
  return { loglikelihoods: loglikelihoods.map(restored), unconditional: unconditional.map(restored), ...(generated !== undefined && { generated: { texts: generations ?? [generated], numTruncated } }) };
}

const filteredBy = (filters: readonly Filter[], texts: readonly string[], doc: Doc): Record<string, string> =>
  Object.fromEntries(filters.map(({ name, apply, applyToAll }) => [name, applyToAll?.(texts, doc) ?? apply(texts[0], doc)]));

const isLost = ({ logprob, numTokens }: Loglikelihood): boolean => numTokens === 0 || Number.isNaN(logprob);

const answered = (answer: Loglikelihood): AnsweredLikelihood => ({ ...answer, logprob: isLost(answer) ? null : answer.logprob });

/** A lost continuation counts as a wrong answer; log-likelihoods have nothing to say of it. */
const wrong = (task: KnowledgeTask, doc: Doc): Record<string, DocScore> => ({
  ...Object.fromEntries(task.metrics.filter(({ name }) => /^(acc|exact_match|em$|mc)/.test(name)).map(({ name }) => [`${name},none`, 0])),
  ...Object.fromEntries(Object.entries(task.lost?.(doc) ?? {}).map(([name, pair]) => [`${name},none`, pair])),
});

function scoresOf(task: KnowledgeTask, { doc }: DocumentRequests, { loglikelihoods, unconditional }: Answer, filtered?: Readonly<Record<string, string>>): Record<string, DocScore> {
  const under = (filter: string, generatedText?: string) =>
    Object.entries(scoreDocument(task, doc, { loglikelihoods, ...(unconditional.length > 0 && { unconditional }), generated: generatedText })).map(([metric, value]) => [`${metric},${filter}`, value] as const);
  return Object.fromEntries(filtered === undefined ? under("none") : Object.entries(filtered).flatMap(([filter, text]) => under(filter, text)));
}

/** The right answer as a person reads it. */
function targetText(task: KnowledgeTask, { doc }: DocumentRequests): string {
  if (task.outputType !== "multiple_choice" || task.score !== undefined) return pythonSlice(answerOf(task, doc), 0, 2000);
  const choices = task.choices!(doc);
  return choices[goldOf(task, doc, choices)[0]] ?? "";
}
