import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FileError, random } from "@espalier/core";
import { disk, intercept } from "@espalier/core/node";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { evaluate } from "../evaluate.ts";
import { arc } from "../knowledge/arc/task.ts";
import { evaluateKnowledge } from "../knowledge/evaluateKnowledge.ts";
import type { KnowledgeSample } from "../knowledge/sample.ts";
import { randomModel } from "../models/mock.ts";
import { harnessSamples } from "../results/harness.ts";
import { inspectLogs } from "../results/inspect.ts";
import { tasksNamed } from "../tasks/table.ts";
import type { LanguageModel } from "@espalier/spec/languageModel";
import { fromLog, toLog } from "./logForm.ts";
import { openKnowledgeLog, openSampleLog, readSampleLog } from "./sampleLog.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "espalier-samples-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const options = { tasks: tasksNamed(["counting", "copying", "symbolMappingChinese"]), items: 10, batchItems: 4 };

async function logged(path: string): Promise<string> {
  const log = await openSampleLog(path);
  await evaluate(randomModel(1), { ...options, done: log.done, onSample: log.append });
  await log.close();
  return readFileSync(path, "utf8");
}

describe("openSampleLog", () => {
  it("leaves the same bytes wherever a run was cut off", async () => {
    const whole = await logged(join(folder, "whole.jsonl"));
    expect(whole.trimEnd().split("\n")).toHaveLength(30);
    const bytes = Buffer.from(whole);
    for (let k = 0; k <= 12; k++) {
      const path = join(folder, `cut-${k}.jsonl`);
      writeFileSync(path, bytes.subarray(0, Math.floor((bytes.length * k) / 12))); // mostly in the middle of a line
      expect(await logged(path), `cut ${k}`).toBe(whole);
    }
  });

  it("goes on to the same bytes after the disk was full at any write", async () => {
    const whole = await logged(join(folder, "whole.jsonl"));
    for (const full of [1, 7, 30]) {
      const path = join(folder, `full-${full}.jsonl`);
      let writes = 0;
      const fileSystem = intercept(disk, (operation) => {
        if (operation === "write" && ++writes === full) throw Object.assign(new Error("no space"), { code: "ENOSPC", errno: -28 });
      });
      const log = await openSampleLog(path, fileSystem);
      await expect(evaluate(randomModel(1), { ...options, onSample: log.append })).rejects.toThrow(/the disk is full/);
      await log.close();
      expect(readFileSync(path, "utf8").split("\n").length - 1).toBe(full - 1);
      expect(await logged(path)).toBe(whole);
    }
  });

  it("refuses a file that is something else, naming the line, and leaves it alone", async () => {
    const path = join(folder, "other.jsonl");
    writeFileSync(path, '{"loss": 3.1}\n{');
    await expect(openSampleLog(path)).rejects.toThrow(/line 1 of .* is not a sample/);
    expect(readFileSync(path, "utf8")).toBe('{"loss": 3.1}\n{');
  });

  it("says which path cannot be opened", async () => {
    await expect(openSampleLog(join(folder, "absent", "log.jsonl"))).rejects.toThrow(FileError);
  });

  it("refuses a line whose parts have other forms", async () => {
    const path = join(folder, "parts.jsonl");
    for (const line of ['{"key": "a", "correct": {}}', '{"key": "a", "correct": null, "logprobs": [], "choices": []}', '{"key": "a", "correct": {}, "logprobs": 3, "choices": []}', '{"key": "a", "scores": {}, "requests": [], "loglikelihoods": {}}', "[]", "null"]) {
      writeFileSync(path, `${line}\n`);
      await expect(readSampleLog(path), line).rejects.toThrow(/line 1 of .* is not a sample/);
    }
    expect(await readSampleLog(join(folder, "absent.jsonl"))).toEqual([]);
  });
});

describe("numbers that JSON lacks", () => {
  const inner = randomModel(4);
  /** One continuation in three is impossible, and one in twenty lost. */
  const odd: LanguageModel = {
    ...inner,
    loglikelihood: async (requests) =>
      (await inner.loglikelihood(requests)).map((answer, i) => {
        const draw = random("odd", requests[i].context, requests[i].continuation).uniform(0);
        if (draw < 0.05) return { logprob: Number.NaN, numTokens: 0, isGreedy: false };
        return draw < 0.4 ? { ...answer, logprob: -Infinity } : answer;
      }),
  };
  const question = (i: number) => ({ question: `What is ${"very ".repeat(i % 4)}${i}?`, choices: { text: ["this", "that", "the other", "it"], label: ["A", "B", "C", "D"] }, answerKey: "ABCD"[i % 4] });
  const sets = [{ task: arc("easy"), docs: Array.from({ length: 20 }, (_, i) => question(i)) }];
  const about = { date: new Date(0), seconds: 1 };
  const filesOf = async (evaluation: Parameters<typeof harnessSamples>[0]) => ({
    harness: [...(await harnessSamples(evaluation, {}))].map(([task, lines]) => [task, [...lines]]),
    inspect: await inspectLogs(evaluation, about),
  });

  it("come back from a log that was cut anywhere as they were: equal results, bytes and files", async () => {
    const run = async (path: string) => {
      const log = await openSampleLog(path);
      const result = await evaluate(odd, { ...options, done: log.done, onSample: log.append });
      await log.close();
      return result;
    };
    const path = join(folder, "iq.jsonl");
    const whole = await run(path);
    const logprobs = whole.tasks.flatMap(({ samples }) => samples.flatMap((sample) => sample.logprobs));
    expect(logprobs.filter((logprob) => logprob === -Infinity).length).toBeGreaterThan(10);
    expect(logprobs.filter((logprob) => logprob === null).length).toBeGreaterThan(2);
    const bytes = readFileSync(path);
    for (let k = 0; k <= 4; k++) {
      writeFileSync(path, bytes.subarray(0, Math.floor((bytes.length * k) / 4)));
      const resumed = await run(path);
      expect(resumed).toEqual(whole);
      expect(readFileSync(path).equals(bytes)).toBe(true);
      expect(await filesOf(resumed)).toEqual(await filesOf(whole));
    }
    expect(await readSampleLog(path)).toEqual(whole.tasks.flatMap(({ samples }) => samples));
    const impossible = whole.tasks[0].samples.findIndex((sample) => sample.logprobs.includes(-Infinity) && !sample.logprobs.includes(null));
    const { harness, inspect } = await filesOf(whole);
    expect(JSON.parse((harness[0][1] as string[])[impossible])).toMatchObject({ boundary_error: false, filtered_resps: expect.arrayContaining([["-inf", "None"]]) as unknown });
    expect((inspect[0].log.samples as { metadata: unknown }[])[impossible].metadata).toMatchObject({ boundary_error: false, logprobs: expect.arrayContaining(["-inf"]) as unknown });
  });

  it("come back from a log of knowledge tests too", async () => {
    const run = async (path: string) => {
      const log = await openKnowledgeLog(path);
      const result = await evaluateKnowledge(odd, sets, { batchDocuments: 3, bootstrapIterations: 10, done: log.done, onSample: log.append });
      await log.close();
      return result;
    };
    const path = join(folder, "knowledge.jsonl");
    const whole = await run(path);
    const answers = whole.tasks[0].samples.flatMap(({ loglikelihoods }) => loglikelihoods.map(({ logprob }) => logprob));
    expect(answers.filter((logprob) => logprob === -Infinity).length).toBeGreaterThan(10);
    expect(answers.filter((logprob) => logprob === null).length).toBeGreaterThan(2);
    const bytes = readFileSync(path);
    for (let k = 0; k <= 4; k++) {
      writeFileSync(path, bytes.subarray(0, Math.floor((bytes.length * k) / 4)));
      expect(await run(path)).toEqual(whole);
      expect(readFileSync(path).equals(bytes)).toBe(true);
    }
    const byDocument = (samples: readonly { docId?: number }[]) => [...samples].sort((a, b) => a.docId! - b.docId!);
    expect(byDocument((await readSampleLog(path)) as KnowledgeSample[])).toEqual(whole.tasks[0].samples);
  });

  it("are read from older logs of knowledge tests, which have null for -Infinity", async () => {
    const { tasks: [{ samples }] } = await evaluateKnowledge(odd, sets, { bootstrapIterations: 10 });
    const older = samples.map((sample) => fromLog(JSON.parse(JSON.stringify(sample)) as KnowledgeSample));
    const clean = samples.map(({ boundaryError }) => !boundaryError);
    expect(new Set(clean).size).toBe(2);
    older.forEach((sample, i) => {
      const expected = samples[i].loglikelihoods.map(({ logprob }) => (logprob === -Infinity && !clean[i] ? null : logprob));
      expect(sample.loglikelihoods.map(({ logprob }) => logprob)).toEqual(expected);
    });
  });

  it("pass through a line in every place, and leave the order of its parts", () => {
    const [boundless] = [{ key: "a", task: "t", docId: 0, doc: {}, target: "", requests: [], loglikelihoods: [{ logprob: -Infinity, numTokens: 1, isGreedy: false }, { logprob: null, numTokens: 0, isGreedy: false }], unconditional: [{ logprob: -Infinity, numTokens: 1, isGreedy: false }], scores: { "perplexity,none": -Infinity, "mc2,none": Number.NaN, "word_perplexity,none": [-Infinity, 3], "acc,none": 1 }, boundaryError: true, numTruncated: 0, docHash: "", promptHash: "", targetHash: "" } satisfies KnowledgeSample];
    const line = JSON.stringify(toLog(boundless));
    expect(fromLog(JSON.parse(line) as KnowledgeSample)).toEqual(boundless);
    expect(Object.keys(JSON.parse(line) as object)).toEqual(Object.keys(boundless));
    expect(line).toContain('"perplexity,none":"-inf","mc2,none":"nan","word_perplexity,none":["-inf",3]');
  });
});
