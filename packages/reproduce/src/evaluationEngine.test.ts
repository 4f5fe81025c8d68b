/** Evaluation over the trainer's engine: what the parts promise, of both together. */

import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { arc, copa, evaluate, evaluateKnowledge, gsm8k, type KnowledgeSet, knowledgeNamed, tasksNamed } from "@espalier/evals";
import { loadKnowledge, openKnowledgeLog, openRequestCache } from "@espalier/evals/node";
import { cpuExecutor } from "@espalier/kernels";
import type { LanguageModel } from "@espalier/spec/languageModel";
import { modelConfig } from "@espalier/spec/model";
import { trainTokenizer } from "@espalier/tokenizer";
import { initialParameters, loadHuggingFaceModel, loadLanguageModel } from "@espalier/trainer";
import { afterAll, describe, expect, it } from "vitest";

const directory = mkdtempSync(join(tmpdir(), "espalier-evaluation-"));
afterAll(() => rmSync(directory, { recursive: true }));

const text = "Question: what is the answer? The cat sat on the mat, and 1 + 2 = 3. It is this or that, never the other. ".repeat(30);
const tokenizer = trainTokenizer([new TextEncoder().encode(text)], { vocabSize: 320 });
const config = modelConfig({ family: "llama", vocabSize: 320, seqLen: 96, numLayers: 2, residualDim: 32, headDim: 16, numKvHeads: 2, initStd: 0.4 });
const model = await loadLanguageModel({ model: { config, parameters: initialParameters(config, 3) }, tokenizer, executor: cpuExecutor({ numThreads: 1 }) });
afterAll(() => model.free());

const question = (i: number) => ({ question: `What is ${"the answer and ".repeat(i % 4)}${i}?`, choices: { text: ["this", "that, and the cat", "it"], label: ["A", "B", "C"] }, answerKey: "ABC"[i % 3] });
const sets: KnowledgeSet[] = [
  { task: arc("easy"), docs: Array.from({ length: 14 }, (_, i) => question(i)), fewshotDocs: Array.from({ length: 4 }, (_, i) => question(50 + i)) },
  { task: gsm8k(), docs: Array.from({ length: 5 }, (_, i) => ({ question: `${i} + 1?`, answer: `#### ${i + 1}` })), fewshotDocs: Array.from({ length: 5 }, (_, i) => ({ question: `${i}?`, answer: `#### ${i}` })) },
];

/** Sample lines and tables of both kinds of evaluation. */
async function linesOf(under: LanguageModel, batch: number): Promise<string[]> {
  const lines: string[] = [];
  const log = (sample: unknown) => void lines.push(JSON.stringify(sample));
  const knowledge = await evaluateKnowledge(under, sets, { numFewshot: 4, batchDocuments: batch, onSample: log, bootstrapIterations: 10 });
  const iq = await evaluate(under, { tasks: tasksNamed(["counting", "singleSupportingFact"]), items: 7, batchItems: batch, onSample: log });
  return [...lines, JSON.stringify([knowledge, iq])];
}

describe("an evaluation over the engine", () => {
  it("gives the same bytes whatever is asked at once", async () => {
    const whole = await linesOf(model, 1000);
    for (const batch of [1, 2, 3, 7]) expect(await linesOf(model, batch)).toEqual(whole);
  });

  it("counts contexts that were longer than the model's", async () => {
    const { tasks } = await evaluateKnowledge(model, sets, { numFewshot: 4 });
    expect(tasks[0]!.truncated).toBeGreaterThan(0);
    expect(tasks[0]!.truncated).toBe(tasks[0]!.samples.filter(({ numTruncated }) => numTruncated > 0).length);
    const { tasks: [iq] } = await evaluate(model, { tasks: tasksNamed(["singleSupportingFact"]), items: 5, difficulty: "small" });
    expect(iq).toMatchObject({ truncated: 5, items: 5, unscored: 0 });
  });

  it("asks the engine nothing a second time", async () => {
    let asked = 0;
    const counting = { ...model, loglikelihood: (requests: Parameters<LanguageModel["loglikelihood"]>[0]) => ((asked += requests.length), model.loglikelihood(requests)) };
    const options = { numFewshot: 1, bootstrapIterations: 10 };
    const plain = JSON.stringify(await evaluateKnowledge(model, sets, options));
    for (const expected of [42, 0]) {
      const cache = await openRequestCache(join(directory, "cache.jsonl"), "tiny");
      asked = 0;
      expect(JSON.stringify(await evaluateKnowledge(counting, sets, { ...options, cache }))).toBe(plain);
      expect(asked).toBe(expected);
      await cache.close();
    }
  });
});

const shared = join(import.meta.dirname, "../../../../shared/data");
const tinyStories = join(shared, "models/tinystories-656k");

describe.skipIf(!existsSync(tinyStories) || !existsSync(join(shared, "eval")))("a trained Llama whose merges span spaces (skipped where model and data are not beside the project)", () => {
  it("reports continuations that a merge swallows per document, and goes on", async () => {
    const llama = await loadHuggingFaceModel(tinyStories, { executor: cpuExecutor({ numThreads: 1 }) });
    const logs: string[] = [];
    for (const batchDocuments of [4, 32]) {
      const path = join(directory, `stories-${batchDocuments}.jsonl`);
      const log = await openKnowledgeLog(path);
      const loaded = await Promise.all(knowledgeNamed(["copa", "lambada_openai", "wsc273"]).map((entry) => loadKnowledge(join(shared, "eval"), entry)));
      const { tasks } = await evaluateKnowledge(llama, loaded.flat(), { limit: 40, batchDocuments, onSample: log.append, bootstrapIterations: 10 });
      await log.close();
      logs.push(readFileSync(path, "utf8"));
      for (const { documents, boundaryErrors, samples, scores } of tasks) {
        expect(documents).toBe(40);
        expect(boundaryErrors).toBe(samples.filter(({ boundaryError }) => boundaryError).length);
        expect(samples.filter(({ boundaryError, scores: of }) => boundaryError && of["acc,none"] !== 0)).toEqual([]);
        expect(scores.every(({ value }) => Number.isFinite(value))).toBe(true);
      }
      expect(tasks.reduce((sum, { boundaryErrors }) => sum + boundaryErrors, 0)).toBeGreaterThan(0);
    }
    expect(logs[0]).toBe(logs[1]);
    llama.free();
  });

  it("refuses no document for a continuation longer than the model", async () => {
    const llama = await loadHuggingFaceModel(tinyStories, { executor: cpuExecutor({ numThreads: 1 }) });
    const docs = [{ premise: "It fell.", choice1: "It broke.", choice2: "very ".repeat(700), question: "effect", label: 0 }, { premise: "It rained.", choice1: "It was wet.", choice2: "It was dry.", question: "effect", label: 0 }];
    const { tasks: [result] } = await evaluateKnowledge(llama, [{ task: copa(), docs }]);
    expect(result!.samples.map(({ boundaryError }) => boundaryError)).toEqual([true, expect.any(Boolean)]);
    llama.free();
  });
});
