/**
 * What lm-evaluation-harness recorded of itself (its `tests/testdata`): for each of 76 tasks the digest of all requests and
 * the scores of a model that answers by `-random()`. Both are rebuilt from documents, so that a user's files can be checked.
 */

import { DataError } from "@espalier/core";
import type { Loglikelihood } from "@espalier/spec/languageModel";
import { pythonRandom } from "../python/random.ts";
import { aggregate, aggregationOf, standardError } from "./aggregate.ts";
import { hellaswag } from "./hellaswag/task.ts";
import { scoreDocument } from "./metrics.ts";
import { mmlu } from "./mmlu/task.ts";
import { readJsonLines } from "./readers.ts";
import { copa, readCopa } from "./copa/task.ts";
import { requestsOf } from "./requests.ts";
import { requestsHash } from "./sample.ts";
import { knowledgeNamed } from "./table.ts";
import type { KnowledgeSet } from "./task.ts";

/** One recorded task. */
export interface GoldenEntry {
  requests_sha256: string;
  results: Readonly<Record<string, number>>;
}

/** Where the documents of an entry are looked for, below the data directory, first place first, and how they are read. */
interface GoldenSource {
  paths: readonly string[];
  /** What of the file is asked; undefined where it has nothing for this entry. */
  set(text: string): KnowledgeSet | undefined;
  lack?: string;
}

/** The harness's name of an entry, without the version, to the name in `knowledgeTable`. */
const known: Readonly<Record<string, string>> = {
  arc_challenge: "arc_challenge",
  arc_easy: "arc_easy",
  boolq: "boolq",
  lambada_openai: "lambada_openai",
  truthfulqa_mc: "truthfulqa",
  winogrande: "winogrande",
  wsc273: "wsc273",
  piqa: "piqa",
  openbookqa: "openbookqa",
  sciq: "sciq",
  cb: "cb",
  multirc: "multirc",
  rte: "rte",
  wic: "wic",
  wsc: "wsc",
};

function sourceOf(name: string): GoldenSource | undefined {
  const task = name.replace(/-v\d+$/, "");
  const subject = /^hendrycksTest-(.+)$/.exec(task)?.[1];
  if (subject !== undefined) {
    return {
      paths: ["mmlu/mmlu_test.jsonl", "mmlu/mmlu_test_17subjects.jsonl"],
      set(text) {
        const docs = readJsonLines(text).filter((doc) => doc.subject === subject);
        return docs.length === 0 ? undefined : { task: mmlu(subject, "v0.3"), docs };
      },
      lack: "mmlu/mmlu_test.jsonl with all 57 subjects",
    };
  }
  if (task === "hellaswag") return { paths: ["hellaswag/hellaswag_val.jsonl"], set: (text) => ({ task: hellaswag("v0.3"), docs: readJsonLines(text) }), lack: "hellaswag/hellaswag_val.jsonl with all 10,042 documents" };
  if (task === "copa") return { paths: ["copa/validation.jsonl"], set: (text) => ({ task: copa("v0.3"), docs: readCopa(text) }), lack: "copa/validation.jsonl, the 100 documents of SuperGLUE" };
  const entry = Object.hasOwn(known, task) ? knowledgeNamed([known[task]!])[0] : undefined;
  return entry && { paths: [entry.docs.path], set: (text) => entry.sets(text, undefined, "v0.3")[0] };
}

export interface GoldenCheck {
  name: string;
  status: "reproduced" | "different" | "no data" | "no task";
  /** What differs, or which file is needed. */
  detail: string;
  documents: number;
  /** Numbers of the record that were compared, digest included. */
  compared: number;
}

/** How the record names what this project calls otherwise. */
const recordedName: Readonly<Record<string, string>> = { perplexity: "ppl" };

/** The two requests that LAMBADA was asked a document, likelihood and greediness one by one. */
const timesAsked = (name: string): number => (name.startsWith("lambada") ? 2 : 1);

/**
 * Rebuilds every recorded entry whose documents are there: the digest of the requests, and each score to 1e-12.
 *
 * @param recording  text of the record, `{"tasks": {name: {requests_sha256, results}}}`
 * @param read       text of a file below the data directory; undefined where it is missing
 * @throws {DataError} when the record is something else
 */
export async function checkGolden(recording: string, read: (path: string) => Promise<string | undefined>): Promise<GoldenCheck[]> {
  const checks: GoldenCheck[] = [];
  for (const [name, entry] of Object.entries(readGolden(recording))) {
    const source = sourceOf(name);
    if (source === undefined) {
      checks.push({ name, status: "no task", detail: "the suite has no task of this name", documents: 0, compared: 0 });
      continue;
    }
    const set = await firstSet(source, read);
    if (set === undefined) checks.push({ name, status: "no data", detail: `needs ${source.lack ?? source.paths[0]!}`, documents: 0, compared: 0 });
    else checks.push(await checkEntry(name, entry, set));
  }
  return checks;
}

async function firstSet({ paths, set }: GoldenSource, read: (path: string) => Promise<string | undefined>): Promise<KnowledgeSet | undefined> {
  for (const path of paths) {
    const text = await read(path);
    const found = text === undefined ? undefined : set(text);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The answers of the record's random model, seed 42, which drew `times` numbers a request and used the first. */
export function recordedAnswers(requests: readonly { requests: readonly unknown[] }[], times: number): Loglikelihood[][] {
  const { random } = pythonRandom(42);
  return requests.map(({ requests: asked }) =>
    asked.map(() => {
      const logprob = -random();
      for (let k = 1; k < times; k++) random();
      return { logprob, numTokens: 1, isGreedy: false };
    }),
  );
}

async function checkEntry(name: string, { requests_sha256: digest, results }: GoldenEntry, set: KnowledgeSet): Promise<GoldenCheck> {
  const requests = requestsOf(set);
  const times = timesAsked(name);
  const found = await requestsHash(requests, times);
  const about = { name, documents: set.docs.length };
  if (found !== digest) return { ...about, status: "different", detail: `requests have SHA-256 ${found}, recorded is ${digest}: other documents, or another order`, compared: 1 };
  const answers = recordedAnswers(requests, times);
  const scores = requests.map(({ doc }, i) => scoreDocument(set.task, doc, { loglikelihoods: answers[i]! }));
  const computed = new Map<string, number>();
  for (const { name: metric, aggregation = aggregationOf(metric) } of set.task.metrics) {
    const as = recordedName[metric] ?? metric;
    const values = scores.map((score) => score[metric]!);
    computed.set(as, aggregate(aggregation, values));
    const error = standardError(aggregation, values, 10); // the record resampled ten times
    if (error !== null) computed.set(`${as}_stderr`, error);
  }
  const wrong = Object.entries(results).filter(([key, value]) => !(Math.abs((computed.get(key) ?? Number.NaN) - value) <= 1e-12 * Math.max(1, Math.abs(value))));
  const compared = 1 + Object.keys(results).length;
  if (wrong.length > 0) return { ...about, status: "different", detail: wrong.map(([key, value]) => `${key} is ${computed.get(key) ?? "missing"}, recorded is ${value}`).join("; "), compared };
  return { ...about, status: "reproduced", detail: "", compared };
}

/** Entries of a record. @throws {DataError} when it has another form */
export function readGolden(text: string): Record<string, GoldenEntry> {
  let tasks: unknown;
  try {
    ({ tasks } = JSON.parse(text) as { tasks?: unknown });
  } catch (cause) {
    throw new DataError("readGolden: no JSON, expected the record of lm-evaluation-harness. Check the file.", { cause });
  }
  const isEntry = (entry: unknown): boolean => typeof (entry as GoldenEntry | null)?.requests_sha256 === "string" && typeof (entry as GoldenEntry).results === "object" && (entry as GoldenEntry).results !== null;
  if (typeof tasks !== "object" || tasks === null || Object.values(tasks).length === 0 || !Object.values(tasks).every(isEntry)) {
    throw new DataError('readGolden: expected {"tasks": {name: {"requests_sha256", "results"}}}. Check the file.');
  }
  return tasks as Record<string, GoldenEntry>;
}
