/**
 * A process that evaluates made-up sets with sample logs and a request cache, and kills itself before its n-th change of
 * the disk. Arguments: directory, n (0: never). Each request that reaches the model is added to `asked.jsonl`, outside the
 * count; at the end the digest of logs, cache and result files is printed, and the number of disk operations.
 */

import { appendFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { disk, intercept, sha256 } from "@espalier/core/node";
import type { LanguageModel, Loglikelihood, LoglikelihoodRequest } from "@espalier/spec/languageModel";
import { evaluate } from "../evaluate.ts";
import { arc } from "../knowledge/arc/task.ts";
import { evaluateKnowledge } from "../knowledge/evaluateKnowledge.ts";
import { gsm8k } from "../knowledge/gsm8k/task.ts";
import type { Doc } from "../knowledge/task.ts";
import { randomModel } from "../models/mock.ts";
import { openRequestCache } from "../node/requestCache.ts";
import { openKnowledgeLog, openSampleLog } from "../node/sampleLog.ts";
import { writeResults } from "../node/writeResults.ts";
import { tasksNamed } from "../tasks/table.ts";

const [directory, kill] = process.argv.slice(2) as [string, string];
let operations = 0;
const fileSystem = intercept(disk, () => {
  if (++operations === Number(kill)) process.kill(process.pid, "SIGKILL");
});

const inner = randomModel(9);
const seen = <R, A>(ask: (requests: readonly R[]) => Promise<A>) => (requests: readonly R[]) => {
  for (const request of requests) appendFileSync(join(directory, "asked.jsonl"), `${JSON.stringify(request)}\n`);
  return ask(requests);
};
/** Some continuations are impossible, and a few are lost: JSON has neither number. */
const odd = async (requests: readonly LoglikelihoodRequest[]): Promise<Loglikelihood[]> =>
  (await inner.loglikelihood(requests)).map((answer, i) => {
    const length = requests[i].context.length + requests[i].continuation.length;
    if (length % 11 === 0) return { logprob: Number.NaN, numTokens: 0, isGreedy: false };
    return length % 3 === 0 ? { ...answer, logprob: -Infinity } : answer;
  });
const model: LanguageModel = { ...inner, loglikelihood: seen(odd), generate: seen(inner.generate) };

const question = (i: number): Doc => ({ question: `What is ${"very ".repeat(i % 3)}${i % 11}?`, choices: { text: ["this", "that", "the other"], label: ["A", "B", "C"] }, answerKey: "ABC"[i % 3] });
const sets = [
  { task: arc("easy"), docs: Array.from({ length: 20 }, (_, i) => question(i)), fewshotDocs: [question(100), question(101)] },
  { task: gsm8k(), docs: Array.from({ length: 6 }, (_, i) => ({ question: `${i} + ${i}?`, answer: `#### ${2 * i}` })), fewshotDocs: Array.from({ length: 5 }, (_, i) => ({ question: `${i}?`, answer: `#### ${i}` })) },
];

const cache = await openRequestCache(join(directory, "cache.jsonl"), "random-9", fileSystem);
const knowledgeLog = await openKnowledgeLog(join(directory, "knowledge.jsonl"), fileSystem);
const knowledge = await evaluateKnowledge(model, sets, { numFewshot: 1, batchDocuments: 4, cache, done: knowledgeLog.done, onSample: knowledgeLog.append, bootstrapIterations: 10 });
await knowledgeLog.close();
const iqLog = await openSampleLog(join(directory, "iq.jsonl"), fileSystem);
const iq = await evaluate(model, { tasks: tasksNamed(["counting", "copying"]), items: 6, batchItems: 4, cache, done: iqLog.done, onSample: iqLog.append });
await iqLog.close();
await cache.close();
const about = { date: new Date(0), seconds: 1 };
const written = [await writeResults(join(directory, "results"), knowledge, about), await writeResults(join(directory, "results"), iq, about)];
const files = ["cache.jsonl", "knowledge.jsonl", "iq.jsonl"].map((name) => join(directory, name));
const texts = [...files, ...written.flatMap(({ results, samples, inspect }) => [results, ...samples, ...inspect])].map((path) => readFileSync(path, "utf8"));
console.log(`${sha256(texts.join("\n"))} ${operations}`);
