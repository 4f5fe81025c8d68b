import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { evaluate } from "../evaluate.ts";
import { arc } from "../knowledge/arc/task.ts";
import { evaluateKnowledge } from "../knowledge/evaluateKnowledge.ts";
import { gsm8k } from "../knowledge/gsm8k/task.ts";
import { randomModel } from "../models/mock.ts";
import { writeResults } from "../node/writeResults.ts";
import { tasksNamed } from "../tasks/table.ts";
import { fileDate, safeName } from "./about.ts";
import { harnessResults, harnessSamples } from "./harness.ts";
import { inspectLogs } from "./inspect.ts";

const directory = mkdtempSync(join(tmpdir(), "espalier-results-"));
afterAll(() => rmSync(directory, { recursive: true }));

const about = { date: new Date("2026-11-25T04:17:22.000Z"), seconds: 12, maxLen: 512, tokenizer: "abc", modelArgs: "runs/a" };
const docs = Array.from({ length: 30 }, (_, i) => ({ question: `What is ${i}?`, choices: { text: ["this", "that\"", "另一个"], label: ["A", "B", "C"] }, answerKey: "ABC"[i % 3] }));
const model = { ...randomModel(3), name: "some/model:1" };
const knowledge = await evaluateKnowledge(
  model,
  [{ task: arc("easy"), docs }, { task: gsm8k(), docs: [{ question: "2 + 2?", answer: "It is 4 #### 4" }, { question: "1 + 1?", answer: "#### 2" }] }],
  { numFewshot: 0, groups: [{ name: "both", tasks: ["arc_easy"] }], bootstrapIterations: 10 },
);
const iq = await evaluate(model, { tasks: tasksNamed(["counting", "induction"]), items: 20 });

/** What lm-evaluation-harness's `make_table` reads of a results file: a row a metric. */
function makeTable(results: Record<string, unknown>): string[] {
  const of = (name: string) => results[name] as Record<string, Record<string, unknown>>;
  return Object.entries(of("results")).flatMap(([task, fields]) => {
    const { alias, name: _, sample_len: __, ...metrics } = fields;
    return Object.keys(metrics).flatMap((key) => {
      const [metric, filter] = [key.slice(0, key.lastIndexOf(",")), key.slice(key.lastIndexOf(",") + 1)];
      if (metric.endsWith("_stderr")) return [];
      const higher = of("higher_is_better")[task]?.[metric];
      const error = metrics[`${metric}_stderr,${filter}`];
      return [`${alias} v${String(of("versions")[task])} ${filter} n${String(of("n-shot")[task])} ${metric} ${higher === true ? "up" : higher === false ? "down" : ""} ${Number(metrics[key]).toFixed(4)} ${error === "N/A" ? "N/A" : Number(error).toFixed(4)}`];
    });
  });
}

describe("harnessResults", () => {
  it("has what its table is printed from, metrics by name and filter", async () => {
    const results = await harnessResults(knowledge, about);
    const [easy] = knowledge.tasks;
    const acc = easy!.scores.find(({ metric }) => metric === "acc")!;
    const table = makeTable(results);
    expect(table[0]).toBe(`arc_easy v1 none n0 acc up ${acc.value.toFixed(4)} ${acc.standardError!.toFixed(4)}`);
    expect(table).toHaveLength(knowledge.tasks.reduce((sum, { scores }) => sum + scores.length, 0) + knowledge.groups[0]!.scores.length);
    expect(table.filter((row) => row.startsWith("gsm8k")).map((row) => row.split(" ")[2])).toEqual(["strict-match", "flexible-extract"]);
    expect(results).toMatchObject({
      group_subtasks: { both: ["arc_easy"] },
      "n-samples": { arc_easy: { original: 30, effective: 30 } },
      model_name: "some/model:1",
      model_name_sanitized: "some__model__1",
      max_length: 512,
      total_evaluation_time_seconds: "12",
      date: about.date.getTime() / 1000 - 12,
      task_hashes: { arc_easy: expect.stringMatching(/^[0-9a-f]{64}$/) as string },
    });
  });

  it("gives groups the shots and directions of their tasks where these agree", async () => {
    const differing = await evaluateKnowledge(model, [{ task: arc("easy"), docs }, { task: { ...arc("challenge"), name: "turned", metrics: [{ name: "acc", higherIsBetter: false }] }, docs }], { numFewshot: 0, groups: [{ name: "both", tasks: ["arc_easy", "turned"] }], bootstrapIterations: 10 });
    const { higher_is_better: higher, "n-shot": shots } = (await harnessResults(differing, about)) as Record<string, Record<string, unknown>>;
    expect([higher.arc_easy, higher.turned, higher.both]).toEqual([{ acc: true, acc_norm: true }, { acc: false }, { acc: null, acc_norm: true }]);
    expect(shots).toEqual({ arc_easy: 0, turned: 0, both: 0 });
  });

  it("has aliases and the digests of what was read", async () => {
    const files = [{ path: "arc/easy.jsonl", sha256: "ab".repeat(32), statedBy: "nothing" as const }];
    const named = await evaluateKnowledge(model, [{ task: { ...arc("easy"), alias: "ARC, easy" }, docs, files }], { groups: [{ name: "both", alias: "Both", tasks: ["arc_easy"] }], bootstrapIterations: 10 });
    expect(await harnessResults(named, about)).toMatchObject({
      results: { arc_easy: { name: "arc_easy", alias: "ARC, easy" }, both: { name: "both", alias: "Both" } },
      espalier: { data: { arc_easy: [{ path: "arc/easy.jsonl", sha256: "ab".repeat(32), stated_by: "nothing" }] } },
    });
    const [{ log }] = await inspectLogs(named, about);
    expect((log.eval as { metadata: object }).metadata).toMatchObject({ data: [{ path: "arc/easy.jsonl", sha256: "ab".repeat(32) }] });
    expect((await harnessResults(knowledge, about)).espalier).not.toHaveProperty("data");
  });

  it("names the scores of IQ tests as the harness would", async () => {
    const { results } = (await harnessResults(iq, about)) as { results: Record<string, Record<string, number>> };
    const [counting] = iq.tasks;
    expect(results.counting).toMatchObject({ "exact_match,none": counting!.scores[0]!.accuracy, "acc,none": counting!.scores[1]!.accuracy, "acc_norm,none": counting!.scores[2]!.accuracy });
    const p = counting!.scores[1]!.accuracy;
    expect(results.counting!["acc_stderr,none"]).toBeCloseTo(Math.sqrt((p * (1 - p)) / 19), 12);
  });
});

describe("harnessSamples", () => {
  it("has a line a document and filter, responses as Python prints them, hashes of the run", async () => {
    const samples = await harnessSamples(knowledge, {});
    const lines = [...samples.get("arc_easy")!].map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.map(({ doc_id }) => doc_id)).toEqual(docs.map((_, i) => i));
    const { samples: ours } = knowledge.tasks[0]!;
    expect(lines[1]).toMatchObject({
      doc: docs[1],
      target: "that\"",
      arguments: { gen_args_0: { arg_0: "Question: What is 1?\nAnswer:", arg_1: " this" }, gen_args_2: { arg_1: " 另一个" } },
      filter: "none",
      metrics: ["acc", "acc_norm"],
      acc: ours[1]!.scores["acc,none"],
      doc_hash: ours[1]!.docHash,
      prompt_hash: ours[1]!.promptHash,
      target_hash: ours[1]!.targetHash,
    });
    const { resps, filtered_resps } = lines[1] as { resps: string[][][]; filtered_resps: string[][] };
    expect(resps.map(([answer]) => answer)).toEqual(filtered_resps);
    expect(filtered_resps.map(([ll, greedy]) => [Number(ll), greedy])).toEqual(ours[1]!.loglikelihoods.map(({ logprob, isGreedy }) => [logprob, isGreedy ? "True" : "False"]));
    const generated = [...samples.get("gsm8k")!].map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(generated.map(({ doc_id, filter }) => [doc_id, filter])).toEqual([[0, "strict-match"], [0, "flexible-extract"], [1, "strict-match"], [1, "flexible-extract"]]);
    expect(generated[0]).toMatchObject({ arguments: { gen_args_0: { arg_1: { until: ["Question:", "</s>", "<|im_end|>"], max_gen_toks: 256, do_sample: false, temperature: 0 } } }, resps: [[expect.any(String)]] });
  });

  it("says nan and None where a choice was lost and where greedy is not kept", async () => {
    const [task] = iq.tasks;
    const lost = { ...iq, tasks: [{ ...task!, samples: [{ ...task!.samples[0]!, logprobs: task!.samples[0]!.logprobs.map((logprob, i) => (i === 0 ? null : logprob)) }] }] };
    const [line] = [...(await harnessSamples(lost, {})).get("counting")!];
    expect((JSON.parse(line!) as { filtered_resps: unknown[] }).filtered_resps[0]).toEqual(["nan", "None"]);
  });
});

describe("inspectLogs", () => {
  it("has the required parts of version 2, and samples whose marks add up to the scores", async () => {
    for (const evaluation of [knowledge, iq]) {
      for (const { task, log } of await inspectLogs(evaluation, about)) {
        expect(Object.keys(log)).toEqual(["version", "status", "eval", "plan", "results", "stats", "invalidated", "tags", "metadata", "samples", "reductions"]);
        expect(log).toMatchObject({ version: 2, status: "success", eval: { task, model: "some/model:1", dataset: { shuffled: false } }, plan: { name: "plan" } });
        const samples = log.samples as { id: number; epoch: number; scores: Record<string, { value: unknown }>; output: { choices: { message: { content: string } }[] } }[];
        expect(new Set(samples.map(({ id, epoch }) => `${id} ${epoch}`)).size).toBe(samples.length);
        const { scores } = log.results as { scores: { name: string; metrics: Record<string, { value: number }> }[] };
        for (const { name, metrics } of scores) {
          const share = samples.filter(({ scores: of }) => of[name]!.value === "C").length / samples.length;
          expect(share).toBeCloseTo(Object.values(metrics)[0]!.value, 12);
        }
        const reductions = log.reductions as { scorer: string; samples: { sample_id: number; value: number }[] }[];
        expect(reductions.map(({ scorer }) => scorer)).toEqual(scores.map(({ name }) => name));
        for (const { scorer, samples: reduced } of reductions) {
          expect(reduced.map(({ sample_id, value }) => [sample_id, value])).toEqual(samples.map(({ id, scores: of }) => [id, of[scorer]!.value === "C" ? 1 : 0]));
        }
        expect(samples.every(({ output }) => typeof output.choices[0]!.message.content === "string")).toBe(true);
      }
    }
  });
});

describe("writeResults", () => {
  it("writes the files under the names that both tools look for, the same bytes each time", async () => {
    const written = await writeResults(directory, knowledge, about);
    expect(written.results).toBe(join(directory, "some__model__1", "results_2026-11-25T04-17-22.000000.json"));
    expect(written.samples.map((path) => path.slice(directory.length + 1))).toEqual(["arc_easy", "gsm8k"].map((task) => `some__model__1/samples_${task}_2026-11-25T04-17-22.000000.jsonl`));
    expect(written.inspect[0]).toMatch(/inspect.2026-11-25T04-17-22\+00-00_arc-easy_[0-9a-f]{22}\.json$/);
    const all = () => [written.results, ...written.samples, ...written.inspect].map((path) => readFileSync(path, "utf8"));
    const first = all();
    await writeResults(directory, knowledge, about);
    expect(all()).toEqual(first);
    expect(first[1]!.trimEnd().split("\n")).toHaveLength(30);
  });

  it("makes names that every file system takes", () => {
    expect(safeName('a<b>:"c"/d|e\\f?*[g]')).toBe("a__b__c__d__e__f__g__");
    expect([".", "..", "...", "a.b"].map(safeName)).toEqual(["__", "__", "...", "a.b"]);
    expect(fileDate(new Date("2026-01-02T03:04:05.678Z"))).toBe("2026-01-02T03-04-05.678000");
  });
});
