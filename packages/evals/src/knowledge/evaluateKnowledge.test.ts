import { CancelledError } from "@espalier/core";
import type { LanguageModel } from "@espalier/spec/languageModel";
import { describe, expect, it } from "vitest";
import { randomModel } from "../models/mock.ts";
import { fromLog, toLog } from "../node/logForm.ts";
import { arc } from "./arc/task.ts";
import { evaluateKnowledge } from "./evaluateKnowledge.ts";
import { gsm8k } from "./gsm8k/task.ts";
import { lambada, readLambada } from "./lambada/task.ts";
import { mmluSets } from "./mmlu/task.ts";
import type { KnowledgeSample } from "./sample.ts";
import type { Doc, KnowledgeSet } from "./task.ts";

const question = (i: number): Doc => ({ question: `What is ${"very ".repeat(i % 3)}${i}?`, choices: { text: ["this", "that", "the other"], label: ["A", "B", "C"] }, answerKey: "ABC"[i % 3] });
const docs = Array.from({ length: 40 }, (_, i) => question(i));
const arcSet: KnowledgeSet = { task: arc("easy"), docs, fewshotDocs: docs.map((_, i) => question(100 + i)) };
const model = randomModel(3);

const collected = async (options: Parameters<typeof evaluateKnowledge>[2] = {}) => {
  const lines: string[] = [];
  const evaluation = await evaluateKnowledge(model, [arcSet], { numFewshot: 2, ...options, onSample: (sample) => void lines.push(JSON.stringify(sample)) });
  return { lines, evaluation };
};

describe("evaluateKnowledge", () => {
  it("gives the same samples in the same order whatever the batch", async () => {
    const [whole, single] = [await collected(), await collected({ batchDocuments: 1 })];
    expect(single.lines).toEqual(whole.lines);
    expect(whole.lines).toHaveLength(40);
    const lengths = whole.lines.map((line) => (JSON.parse(line) as KnowledgeSample).requests[0][0].length);
    expect(lengths).toEqual([...lengths].sort((a, b) => b - a));
    expect(whole.evaluation.tasks[0].samples.map(({ docId }) => docId)).toEqual(docs.map((_, i) => i));
  });

  it("stopped anywhere and resumed, leaves the same lines and table", async () => {
    const whole = await collected();
    for (const stopAfter of [0, 1, 17, 39]) {
      const lines: string[] = [];
      const controller = new AbortController();
      const stopped = evaluateKnowledge(model, [arcSet], {
        numFewshot: 2,
        batchDocuments: 8,
        signal: controller.signal,
        onSample(sample) {
          lines.push(JSON.stringify(sample));
          if (lines.length > stopAfter) controller.abort();
        },
      });
      if (stopAfter < 32) await expect(stopped).rejects.toThrow(CancelledError);
      else await stopped;
      lines.length = Math.min(lines.length, stopAfter); // a kill may fall within a batch
      const done = new Map(lines.map((line) => JSON.parse(line) as KnowledgeSample).map((sample) => [sample.key, sample]));
      const resumed = await collected({ batchDocuments: 8, done });
      expect([...lines, ...resumed.lines]).toEqual(whole.lines);
      expect(JSON.stringify(resumed.evaluation)).toBe(JSON.stringify(whole.evaluation));
    }
  });

  it("asks again what was logged under another prompt", async () => {
    const whole = await collected();
    const done = new Map(whole.evaluation.tasks[0].samples.map((sample) => [sample.key, { ...sample, promptHash: "other" }]));
    expect((await collected({ done })).lines).toEqual(whole.lines);
  });

  it("scores logged answers as the task now says, and asks what it now asks otherwise", async () => {
    const byKey = ({ tasks: [{ samples }] }: Awaited<ReturnType<typeof evaluateKnowledge>>) => new Map(samples.map((sample) => [sample.key, JSON.parse(JSON.stringify(sample)) as KnowledgeSample]));
    const asked: number[] = [];
    const counting: LanguageModel = {
      ...model,
      loglikelihood: (requests) => (asked.push(requests.length), model.loglikelihood(requests)),
      generate: (requests) => (asked.push(requests.length), model.generate(requests)),
    };
    const again = async (set: KnowledgeSet, done: Map<string, KnowledgeSample>) => {
      asked.length = 0;
      const { tasks: [result] } = await evaluateKnowledge(counting, [set], { numFewshot: 0, done });
      return { asked: asked.reduce((a, b) => a + b, 0), result: result! };
    };
    const few = { ...arcSet, docs: docs.slice(0, 5) };
    const logged = byKey(await evaluateKnowledge(model, [few], { numFewshot: 0 }));
    const bytes = { ...few, task: { ...few.task, metrics: [{ name: "acc_bytes" as const }] } };
    expect(await again(bytes, logged)).toEqual({ asked: 0, result: (await evaluateKnowledge(model, [bytes], { numFewshot: 0 })).tasks[0] });
    expect((await again({ ...few, task: { ...few.task, targetDelimiter: "  " } }, logged)).asked).toBe(15); // prompts stay, continuations do not
    const sums = { task: { ...gsm8k(), numFewshot: 0 }, docs: [{ question: "?", answer: "#### 7" }] };
    const drawn = byKey(await evaluateKnowledge(model, [sums]));
    const renamed = { ...sums, task: { ...sums.task, filters: [{ name: "loud", apply: (text: string) => text.toUpperCase() }] } };
    const { asked: none, result } = await again(renamed, drawn);
    expect(none).toBe(0);
    expect(result.samples[0]!.filtered).toEqual({ loud: result.samples[0]!.generated!.toUpperCase() });
    for (const generation of [{ until: ["q"] }, { ...sums.task.generation, maxTokens: 3 }, { ...sums.task.generation, temperature: 1 }]) {
      expect((await again({ ...sums, task: { ...sums.task, generation: generation as { until: string[] } } }, drawn)).asked).toBe(1);
    }
    expect((await again({ ...sums, task: { ...sums.task, repeats: 2 } }, drawn)).asked).toBe(2);
  });

  it("takes lost and impossible continuations from a log as they were", async () => {
    const odd: LanguageModel = { ...model, loglikelihood: async (requests) => requests.map(({ context }, i) => ({ logprob: context.includes("What is 0?") && i === 0 ? Number.NaN : -Infinity, numTokens: 1, isGreedy: false })) };
    const few = { ...arcSet, docs: [docs[0]!, docs[3]!] };
    const whole = await evaluateKnowledge(odd, [few]);
    expect(whole.tasks[0]!.samples.flatMap(({ loglikelihoods }) => loglikelihoods.map(({ logprob }) => logprob))).toEqual([null, -Infinity, -Infinity, -Infinity, -Infinity, -Infinity]);
    const done = new Map(whole.tasks[0]!.samples.map((sample) => [sample.key, fromLog(JSON.parse(JSON.stringify(toLog(sample))) as KnowledgeSample)]));
    const deaf: LanguageModel = { ...model, loglikelihood: () => Promise.reject(new Error("asked")) };
    expect(await evaluateKnowledge({ ...deaf, name: odd.name }, [few], { done })).toEqual(whole);
  });

  it("asks each distinct request once", async () => {
    const asked: number[] = [];
    const counting: LanguageModel = { ...model, loglikelihood: (requests) => (asked.push(requests.length), model.loglikelihood(requests)) };
    await evaluateKnowledge(counting, [{ ...arcSet, docs: [docs[0], docs[0], docs[1]] }]);
    expect(asked).toEqual([6]);
  });

  it("reports lost continuations and cut contexts, and lets neither win", async () => {
    const lossy: LanguageModel = {
      ...model,
      loglikelihood: async (requests) =>
        requests.map(({ context, continuation }) =>
          context.includes("What is 0?") && continuation === " this" ? { logprob: 0, numTokens: 0, isGreedy: true } : { logprob: continuation === " this" ? -1 : -2, numTokens: 1, isGreedy: false, numTruncated: context.includes("What is 3?") ? 7 : 0 },
        ),
    };
    const { tasks } = await evaluateKnowledge(lossy, [{ ...arcSet, docs: [docs[0], docs[3], docs[6]] }]);
    expect(tasks[0]).toMatchObject({ boundaryErrors: 1, truncated: 1, documents: 3 });
    expect(tasks[0].scores[0]).toMatchObject({ metric: "acc", value: 2 / 3 });
    const words = readLambada('{"text": "a b"}\n{"text": "a c"}');
    const deaf: LanguageModel = { ...model, loglikelihood: async (requests) => requests.map(({ continuation }) => ({ logprob: continuation === " b" ? Number.NaN : -1, numTokens: 1, isGreedy: true })) };
    const { tasks: [result] } = await evaluateKnowledge(deaf, [{ task: lambada(), docs: words }], { bootstrapIterations: 10 });
    expect(result.scores.map(({ metric, value }) => [metric, value])).toEqual([["perplexity", Math.E], ["acc", 0.5]]);
    expect(result.samples[0].loglikelihoods[0].logprob).toBeNull();
  });

  it("scores generations under each filter, cut at stops whatever the model sends", async () => {
    const speaker: LanguageModel = { ...model, generate: async (requests) => requests.map(() => ({ text: " So it is 5.\n#### 7\n\nQuestion: 9", numTokens: 3, finish: "stop" })) };
    const { tasks: [result] } = await evaluateKnowledge(speaker, [{ task: { ...gsm8k(), numFewshot: 0 }, docs: [{ question: "?", answer: "#### 7" }, { question: "!", answer: "#### 5" }] }]);
    expect(result.scores.map(({ metric, filter, value }) => [metric, filter, value])).toEqual([["exact_match", "strict-match", 0.5], ["exact_match", "flexible-extract", 0.5]]);
    expect(result.samples[0]).toMatchObject({ generated: " So it is 5.\n#### 7\n\n", filtered: { "strict-match": "7", "flexible-extract": "7" } });
  });

  it("weighs groups by size and reports both errors", async () => {
    const subject = (name: string, n: number, answer: number) => Array.from({ length: n }, (_, i) => ({ subject: name, question: `${name} ${i}`, choices: ["a", "b", "c", "d"], answer }));
    const first: LanguageModel = { ...model, loglikelihood: async (requests) => requests.map(({ continuation, context }) => ({ logprob: continuation === " A" ? -1 : continuation === " B" && context.includes("anatomy 0\n") ? 0 : -2, numTokens: 1, isGreedy: false })) };
    const sets = mmluSets([...subject("anatomy", 4, 0), ...subject("virology", 12, 0)], [...subject("anatomy", 5, 0), ...subject("virology", 5, 0)]);
    const { groups } = await evaluateKnowledge(first, sets, { groups: [{ name: "all", tasks: ["stem", "mmlu_virology"] }, { name: "stem", tasks: ["mmlu_anatomy"] }] });
    expect(groups.map(({ group, documents, tasks }) => [group, documents, tasks.length])).toEqual([["all", 16, 2], ["stem", 4, 1]]);
    expect(groups[0].scores[0].value).toBeCloseTo(15 / 16, 12);
    // pooled: sqrt(((4-1)*4*se^2 + 0) / (16-2) / 16), se^2 = 0.25*0.75/3
    expect(groups[0].scores[0].standardError).toBeCloseTo(Math.sqrt((12 * ((0.25 * 0.75) / 3)) / 14 / 16), 12);
    expect(groups[0].scores[0].clusteredStandardError).toBeGreaterThan(0);
  });

  it("takes a share of the documents, rounded up", async () => {
    expect((await evaluateKnowledge(model, [arcSet], { limit: 0.06 })).tasks[0].documents).toBe(3);
  });

  it("needs enough documents for the shots", async () => {
    await expect(evaluateKnowledge(model, [{ task: arc("easy"), docs: docs.slice(0, 2) }], { numFewshot: 2 })).rejects.toThrow(/2 shots from 2 documents, expected no more than there are besides the evaluated one/);
  });
});
