/** Every kind of task, with answers of every kind, against the fields of the tools that read the files. */

import type { LanguageModel } from "@espalier/spec/languageModel";
import { describe, expect, it } from "vitest";
import { evaluate } from "../evaluate.ts";
import { arc } from "../knowledge/arc/task.ts";
import { evaluateKnowledge } from "../knowledge/evaluateKnowledge.ts";
import { gsm8k } from "../knowledge/gsm8k/task.ts";
import { lambada } from "../knowledge/lambada/task.ts";
import { cb } from "../knowledge/superGlue/task.ts";
import type { KnowledgeTask } from "../knowledge/task.ts";
import { truthfulQaMc2 } from "../knowledge/truthfulQa/task.ts";
import { randomModel } from "../models/mock.ts";
import { tasksNamed } from "../tasks/table.ts";
import { harnessResultsSchema, harnessSampleSchema, inspectLogSchema } from "../testing/logSchemas.ts";
import { harnessResults, harnessSamples } from "./harness.ts";
import { inspectLogs } from "./inspect.ts";

const about = { date: new Date("2026-11-25T04:17:22.000Z"), seconds: 12 };
const question = (i: number) => ({ question: `What is ${i}?`, choices: { text: ["this", 'that"', "另一个"], label: ["A", "B", "C"] }, answerKey: "ABC"[i % 3] });
const rolling: KnowledgeTask = { name: "text", version: 2.1, harness: "v0.4", outputType: "loglikelihood_rolling", text: () => "", target: ({ text }) => String(text), metrics: [{ name: "word_perplexity" }, { name: "bits_per_byte" }] };
const voted: KnowledgeTask = { ...gsm8k(), numFewshot: 0, repeats: 3, generation: { until: ["\n"], temperature: 0.7 }, name: "voted" };
const sets = [
  { task: arc("easy"), docs: Array.from({ length: 9 }, (_, i) => question(i)) },
  { task: { ...gsm8k(), numFewshot: 0 }, docs: [{ question: "2 + 2?", answer: "#### 4" }, { question: "1 + 1?", answer: "#### 2" }] },
  { task: voted, docs: [{ question: "2 + 2?", answer: "#### 4" }] },
  { task: lambada(), docs: [{ text: "a b" }, { text: "c d e" }] },
  { task: cb(), docs: [0, 1, 2, 0].map((label, i) => ({ premise: `p${i}`, hypothesis: "h", label })) },
  { task: truthfulQaMc2, docs: [{ question: "q", mc2_targets: { choices: ["a", "b", "c"], labels: [1, 0, 0] } }] },
  { task: rolling, docs: [{ text: "one two" }, { text: "three" }] },
];
const sound = { ...randomModel(3), name: "some/model:1" };
/** Loses continuations, cuts contexts and gives certainties of 0 and of nothing. */
const troubled: LanguageModel = {
  ...sound,
  loglikelihood: async (requests) =>
    requests.map(({ continuation }, i) => [{ logprob: Number.NaN, numTokens: 0, isGreedy: false }, { logprob: -Infinity, numTokens: 2, isGreedy: false, numTruncated: 3 }, { logprob: 0, numTokens: 1, isGreedy: true }, { logprob: -1e-9 * continuation.length, numTokens: 1, isGreedy: true }][i % 4]!),
  rollingLoglikelihood: async (texts) => texts.map(() => ({ logprob: -Infinity, numTokens: 1, isGreedy: false })),
  generate: async (requests) => requests.map(() => ({ text: "", numTokens: 0, finish: "length", numTruncated: 5 })),
};

const asWritten = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
const evaluations = await Promise.all(
  [sound, troubled].flatMap((model) => [
    evaluateKnowledge(model, sets, { numFewshot: 0, groups: [{ name: "both", tasks: ["arc_easy", "cb"] }], bootstrapIterations: 10 }),
    evaluate(model, { tasks: tasksNamed(["counting", "induction"]), items: 6 }),
    evaluate(model, { tasks: tasksNamed(["counting"]), items: 3, likelihood: false }),
  ]),
);

describe("files of lm-evaluation-harness", () => {
  it.each(evaluations.map((evaluation, i) => [i, evaluation] as const))("hold nothing that its readers do not expect (evaluation %i)", async (_, evaluation) => {
    const results = asWritten(await harnessResults(evaluation, about));
    expect(harnessResultsSchema.parse(results)).toEqual(results);
    const samples = await harnessSamples(evaluation, {});
    expect([...samples.keys()]).toEqual(evaluation.tasks.map(({ task }) => task));
    for (const lines of samples.values()) for (const line of lines) expect(harnessSampleSchema.parse(JSON.parse(line))).toBeDefined();
  });

  it("report lost continuations and cut contexts, per document and counted", async () => {
    const [, , , knowledge, iq] = evaluations;
    const { espalier } = harnessResultsSchema.parse(asWritten(await harnessResults(knowledge!, about)));
    const lines = [...(await harnessSamples(knowledge!, {})).get("arc_easy")!].map((line) => harnessSampleSchema.parse(JSON.parse(line)));
    expect(lines.filter(({ boundary_error }) => boundary_error)).toHaveLength(espalier.boundary_errors.arc_easy!);
    expect(espalier.boundary_errors.arc_easy).toBeGreaterThan(0);
    expect(espalier.truncated.gsm8k).toBe(2);
    for (const { boundary_error, acc } of lines) if (boundary_error) expect(acc).toBe(0);
    const ofIq = harnessResultsSchema.parse(asWritten(await harnessResults(iq!, about)));
    expect(ofIq.espalier).toEqual({ boundary_errors: { counting: 6, induction: 6 }, truncated: { counting: 6, induction: 6 } });
    const [log] = await inspectLogs(knowledge!, about);
    const { results, samples } = inspectLogSchema.parse(asWritten(log!.log));
    expect(results.metadata).toEqual({ boundary_errors: espalier.boundary_errors.arc_easy, truncated: espalier.truncated.arc_easy });
    expect(samples.filter(({ scores }) => scores.acc!.explanation !== undefined)).toHaveLength(espalier.boundary_errors.arc_easy!);
  });

  it.each([
    ["a metric without its filter", (results: Record<string, never>) => ({ ...results, results: { t: { name: "t", alias: "t", sample_len: 1, acc: 1 } } })],
    ["a standard error that does not print", (results: Record<string, never>) => ({ ...results, results: { t: { name: "t", alias: "t", sample_len: 1, "acc,none": 1, "acc_stderr,none": null } } })],
    ["a field of nobody", (results: Record<string, never>) => ({ ...results, mine: 1 })],
    ["a missing field", ({ versions: _, ...results }: Record<string, never>) => results],
  ])("would not pass with %s", async (_, change) => {
    const results = asWritten(await harnessResults(evaluations[0]!, about)) as Record<string, never>;
    expect(harnessResultsSchema.safeParse(change(results)).success).toBe(false);
  });
});

describe("logs of Inspect", () => {
  it.each(evaluations.map((evaluation, i) => [i, evaluation] as const))("hold nothing that its reader does not expect (evaluation %i)", async (_, evaluation) => {
    for (const { log } of await inspectLogs(evaluation, about)) {
      const written = asWritten(log);
      expect(inspectLogSchema.parse(written)).toEqual(written);
      const { results, samples } = inspectLogSchema.parse(written);
      for (const { name, scored_samples: scored, unscored_samples: unscored } of results.scores) {
        expect(scored + unscored).toBe(samples.length);
        if (samples.some(({ scores }) => name in scores)) expect(samples.filter(({ scores }) => name in scores).length).toBeLessThanOrEqual(scored);
      }
    }
  });

  it("would not pass with a null for a number, or with a score of nobody", async () => {
    const [{ log } = { log: {} }] = await inspectLogs(evaluations[0]!, about);
    const broken = (change: (log: { results: { scores: { metrics: Record<string, { value: unknown }> }[] }; samples: Record<string, unknown>[] }) => void) => {
      const copy = asWritten(log) as Parameters<typeof change>[0];
      change(copy);
      return inspectLogSchema.safeParse(copy).success;
    };
    expect(broken(() => {})).toBe(true);
    expect(broken(({ results }) => void (results.scores[0]!.metrics.acc!.value = null))).toBe(false);
    expect(broken(({ samples }) => void (samples[0]!.mark = 1))).toBe(false);
    expect(broken(({ samples }) => void delete samples[0]!.epoch)).toBe(false);
  });
});
