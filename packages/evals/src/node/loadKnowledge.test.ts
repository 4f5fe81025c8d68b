import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { knowledgeNamed, knowledgeTable } from "../knowledge/table.ts";
import { loadExam, loadKnowledge } from "./loadKnowledge.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "espalier-evals-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

const put = (path: string, text: string) => {
  mkdirSync(join(directory, path, ".."), { recursive: true });
  writeFileSync(join(directory, path), text);
};
const [arcEasy] = knowledgeNamed(["arc_easy"]);
const row = `${JSON.stringify({ question: "?", choices: { text: ["a", "b"], label: ["A", "B"] }, answerKey: "A" })}\n`;

describe("loadKnowledge", () => {
  it("refuses a file with another digest, unless the manifest of the directory states it", async () => {
    put("arc/arc_easy_test.jsonl", row);
    await expect(loadKnowledge(directory, arcEasy)).rejects.toThrow(/SHA-256 [0-9a-f]{64}, expected 0ef0e6d3/);
    put("manifest.json", JSON.stringify({ files: { "arc/arc_easy_test.jsonl": { sha256: createHash("sha256").update(row).digest("hex") } } }));
    expect((await loadKnowledge(directory, arcEasy))[0].docs).toHaveLength(1);
    put("manifest.json", JSON.stringify({ files: { "arc/arc_easy_test.jsonl": { sha256: "0".repeat(64) } } }));
    await expect(loadKnowledge(directory, arcEasy)).rejects.toThrow(/expected 0{64}/);
    put("manifest.json", "[]");
    await expect(loadKnowledge(directory, arcEasy)).rejects.toThrow(/is no manifest/);
  });

  it("names the missing file", async () => {
    await expect(loadKnowledge(directory, arcEasy)).rejects.toThrow(/arc_easy_test\.jsonl/);
  });

  it("reads exams", async () => {
    put("cmmlu/anatomy_test.csv", "Question,A,B,C,D,Answer\n问,一,二,三,四,C\n");
    put("cmmlu/anatomy_dev.csv", "Question,A,B,C,D,Answer\n例,一,二,三,四,A\n");
    const { task, docs, fewshotDocs } = await loadExam(directory, "cmmlu", "anatomy", "解剖学");
    expect([task.name, task.target(docs[0]), fewshotDocs!.length]).toEqual(["cmmlu_anatomy", 2, 1]);
  });
});

describe("knowledgeTable", () => {
  it("has SuperGLUE's eight sets with their metrics", () => {
    const metrics = knowledgeNamed(["superglue"]).map(({ name, sets }) => [name, sets("", undefined, "v0.4")[0]!.task.metrics.map((metric) => metric.name).join(" ")]);
    expect(metrics).toEqual([["boolq", "acc"], ["cb", "acc f1"], ["sglue_copa", "acc"], ["multirc", "acc f1a em"], ["record", "f1 em"], ["rte", "acc"], ["wic", "acc"], ["wsc", "acc"]]);
  });

  it("has XCOPA in eleven languages, each asked in its own", async () => {
    const entries = knowledgeNamed(["xcopa"]);
    expect(entries.map(({ name }) => name.slice(-2))).toEqual(["et", "ht", "id", "it", "qu", "sw", "ta", "th", "tr", "vi", "zh"]);
    const text = (question: string) => `${JSON.stringify({ premise: "A b.", choice1: "C d.", choice2: "E f.", question, label: 1, idx: 0, changed: false })}\n`;
    const prompts = new Set<string>();
    for (const entry of entries) {
      put(entry.docs.path, text("cause") + text("effect"));
      put(entry.fewshot!.path, text("effect"));
      const digest = (path: string) => createHash("sha256").update(readFileSync(join(directory, path))).digest("hex");
      put("manifest.json", JSON.stringify({ files: Object.fromEntries([entry.docs.path, entry.fewshot!.path].map((path) => [path, { sha256: digest(path), licence: "CC BY 4.0" }])) }));
      const [{ task, docs, fewshotDocs }] = await loadKnowledge(directory, entry);
      expect([task.name, task.target(docs[0]!), fewshotDocs!.length]).toEqual([entry.name, 1, 1]);
      for (const doc of docs) prompts.add(task.text(doc) as string);
    }
    expect(prompts.size).toBe(22);
    expect([...prompts].every((prompt) => /^A b \S/u.test(prompt))).toBe(true);
  });

  it("has distinct names and knows its bundles", () => {
    expect(new Set(knowledgeTable.map(({ name }) => name)).size).toBe(knowledgeTable.length);
    expect(knowledgeNamed(["leaderboard"]).map(({ name }) => name)).toEqual(["arc_challenge", "hellaswag", "mmlu", "truthfulqa"]);
    expect(knowledgeNamed(["bbh"])).toHaveLength(27);
    expect(() => knowledgeNamed(["nothing"])).toThrow(/"nothing" is no task, expected one of leaderboard, bbh, clue, superglue, xcopa, arc_challenge/);
  });
});
