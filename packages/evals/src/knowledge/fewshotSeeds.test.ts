import { ConfigError } from "@espalier/core";
import type { LanguageModel } from "@espalier/spec/languageModel";
import { describe, expect, it } from "vitest";
import { randomModel } from "../models/mock.ts";
import { arc } from "./arc/task.ts";
import { evaluateFewshotSeeds } from "./fewshotSeeds.ts";
import { lambada } from "./lambada/task.ts";
import { multirc } from "./superGlue/multirc.ts";

const question = (i: number) => ({ question: `What is ${i}?`, choices: { text: ["this", "that", "it"], label: ["A", "B", "C"] }, answerKey: "ABC"[i % 3] });
const set = { task: arc("easy"), docs: Array.from({ length: 30 }, (_, i) => question(i)), fewshotDocs: Array.from({ length: 20 }, (_, i) => question(100 + i)) };

describe("evaluateFewshotSeeds", () => {
  it("tells the spread over shots from the error over documents", async () => {
    const keys = new Set<string>();
    const { seeds, evaluations, scores } = await evaluateFewshotSeeds(randomModel(4), [set], { numFewshot: 2, onSample: ({ key }) => void keys.add(key) });
    expect(seeds).toHaveLength(5);
    expect(keys.size).toBe(150);
    const [acc] = scores;
    expect(acc!.values).toEqual(evaluations.map(({ tasks }) => tasks[0]!.scores[0]!.value));
    const mean = acc!.values.reduce((a, b) => a + b, 0) / 5;
    expect(acc!.mean).toBeCloseTo(mean, 12);
    expect(acc!.spreadOverSeeds).toBeCloseTo(Math.sqrt(acc!.values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / 4), 12);
    // Slowly: each document's mean over seeds, then the error of their mean.
    const documents = set.docs.map((_, i) => evaluations.reduce((sum, { tasks }) => sum + (tasks[0]!.samples[i]!.scores["acc,none"] as number), 0) / 5);
    const variance = documents.reduce((sum, x) => sum + (x - mean) ** 2, 0) / 29;
    expect(acc!.documentError).toBeCloseTo(Math.sqrt(variance / 30), 12);
    expect(acc!.interval![0]).toBeLessThan(mean);
  });

  it("reports progress over all seeds, never backwards, to the end", async () => {
    const seen: { done: number; total?: number; detail?: string }[] = [];
    await evaluateFewshotSeeds(randomModel(4), [set], { numFewshot: 1, seeds: [7, 8, 9], batchDocuments: 10, progress: (event) => void seen.push(event) });
    expect(seen.map(({ done }) => done)).toEqual([10, 20, 30, 40, 50, 60, 70, 80, 90]);
    expect(new Set(seen.map(({ total }) => total))).toEqual(new Set([90]));
    expect(seen[4]!.detail).toBe("arc_easy, seed 8");
  });

  it("finds all of it in the shots where they alone decide, and none where they do nothing", async () => {
    const bySum = (context: string) => [...context].reduce((sum, c) => sum + c.charCodeAt(0), 0) % 3;
    const ruledByShots: LanguageModel = {
      ...randomModel(1),
      loglikelihood: async (requests) => requests.map(({ context, continuation }) => ({ logprob: [" this", " that", " it"].indexOf(continuation) === bySum(context.slice(0, context.lastIndexOf("Question:"))) ? 0 : -1, numTokens: 1, isGreedy: false })),
    };
    const one = { ...set, docs: set.docs.filter((_, i) => i % 3 === 0) };
    const { scores: [shots] } = await evaluateFewshotSeeds(ruledByShots, [one], { numFewshot: 1, draws: "document", seeds: [1, 2, 3, 4] });
    expect(shots!.spreadOverSeeds).toBeGreaterThan(0);
    const { scores: [none] } = await evaluateFewshotSeeds(randomModel(2), [set], { numFewshot: 0, seeds: [1, 2] });
    expect(none!.spreadOverSeeds).toBe(0);
    expect(none!.documentError).toBeGreaterThan(0);
  });

  it("clusters documents that share a passage, and says nothing of statistics that are no mean", async () => {
    const docs = Array.from({ length: 24 }, (_, i) => ({ paragraph: `p${Math.floor(i / 6)}`, question: `q${i}`, answer: "a", label: i % 2 }));
    const { scores } = await evaluateFewshotSeeds(randomModel(3), [{ task: multirc, docs }, { task: lambada(), docs: [{ text: "a b" }, { text: "c d" }] }], { seeds: [1, 2], bootstrapIterations: 10 });
    expect(scores[0]!.documentError).toBeGreaterThan(0);
    expect(scores.find(({ metric }) => metric === "perplexity")).toMatchObject({ documentError: null, interval: null });
  });

  it.each([[[]], [[1]], [[1, 2, 1]]])("refuses the seeds %j", async (seeds) => {
    await expect(evaluateFewshotSeeds(randomModel(1), [set], { seeds })).rejects.toThrow(ConfigError);
  });
});
