import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { DataError } from "@espalier/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { itemSet } from "../itemSet.ts";
import { symbolMappingOf, symbolSetNamed, symbolSetTable } from "./table.ts";

const data = new URL("../../../../../../shared/data/eval/", import.meta.url);

/** Two rows of each class, in the form of each published set. Sentences are made up. */
const rowsOf: Readonly<Record<string, (k: number) => object[]>> = {
  symbolBoolQ: (k) => [false, true].map((answer) => ({ question: `is ${k} ${answer ? "even" : "odd"}`, answer, passage: `${k} is even.` })),
  symbolWic: (k) => [false, true].map((label) => ({ word: "bank", sentence1: `Bank ${k}.`, sentence2: `A ${label} bank.`, start1: 0, end1: 4, start2: 2, end2: 6, label })),
  symbolRte: (k) => ["entailment", "not_entailment"].map((label) => ({ premise: `Premise ${k}.`, hypothesis: `${label}.`, label, idx: k })),
  symbolWsc: (k) => [false, true].map((label) => ({ text: `Tom ${k} met Bob ${label}; he left.`, target: { span1_index: 0, span2_index: 5, span1_text: "Tom", span2_text: "he" }, label })),
  symbolCb: (k) => ["entailment", "contradiction", "neutral"].map((label) => ({ premise: `Premise ${k}.`, hypothesis: `${label}.`, label })),
  symbolAfqmc: (k) => ["0", "1"].map((label) => ({ sentence1: `花呗${k}`, sentence2: `借呗${label}`, label })),
  symbolCsl: (k) => ["0", "1"].map((label) => ({ id: k, abst: `摘要${k}${label}`, keyword: ["甲", "乙"], label })),
  symbolOcnli: (k) => ["entailment", "contradiction", "neutral", "-"].map((label) => ({ level: "easy", sentence1: `一${k}`, sentence2: `二${label}`, label, label0: label })),
  symbolCmnli: (k) => ["entailment", "contradiction", "neutral"].map((label) => ({ sentence1: `一${k}`, sentence2: `二${label}`, label })),
  symbolClueWsc: (k) => ["false", "true"].map((label) => ({ target: { span2_index: 3, span1_index: 0, span1_text: "小明", span2_text: "他" }, idx: k, label, text: `小明${k}${label}说他来。` })),
  symbolTnews: (k) => "story culture entertainment sports finance house car edu tech military travel world stock agriculture game".split(" ").map((topic, n) => ({ label: String(100 + n), label_desc: `news_${topic}`, sentence: `标题${k}${topic}`, keywords: "" })),
  symbolXcopaZh: (k) => [0, 1].map((label) => ({ premise: `前提${k}${label}`, choice1: "一", choice2: "二", question: "cause", label, idx: k, changed: false })),
};

const bytesOf = (rows: readonly object[]) => new TextEncoder().encode(rows.map((row) => JSON.stringify(row)).join("\n"));
const digestOf = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const taskOf = (id: string, bytes: Uint8Array<ArrayBuffer>) => {
  const entry = symbolSetNamed(id);
  return symbolMappingOf(entry, bytes, { [entry.path]: { sha256: digestOf(bytes), licence: "test" } });
};

describe.each(symbolSetTable.map(({ id }) => id))("%s", (id) => {
  const rows = Array.from({ length: 3 }, (_, k) => rowsOf[id](k)).flat();

  it("asks every item with the symbol of its class, and shows all classes in the shots", async () => {
    const entry = symbolSetNamed(id);
    const task = await taskOf(id, bytesOf(rows));
    const items = entry.read(rows.map((row) => JSON.stringify(row)).join("\n"));
    expect(new Set(items.map(({ label }) => label))).toEqual(new Set(entry.labels.keys()));
    const asked = itemSet(task, { difficulty: { level: "paper", shotsPerClass: 2 }, seed: 1, items: items.length });
    for (const { identity, meta, choices, prompt, target } of asked) {
      expect(items.find(({ text }) => text === identity)!.label).toBe(meta.label);
      expect(choices).toHaveLength(entry.labels.length);
      expect(prompt.endsWith(`${identity} ->`)).toBe(true);
      expect(prompt.split(target).length - 1).toBe(3); // once in the instruction, twice in shots
    }
  });

  it("names the item whose label or field is not as published", async () => {
    const [first] = rowsOf[id](0);
    const wrong = Object.fromEntries(Object.entries(first).map(([name, value]) => [name, ["label", "label_desc", "answer"].includes(name) ? [value] : value]));
    await expect(taskOf(id, bytesOf([first, wrong]))).rejects.toThrow(/item 2 has (label|label_desc|answer) /);
    for (const name of Object.keys(first)) {
      const { [name]: _, ...rest } = first as Record<string, unknown>;
      // Fields that no prompt needs may be missing; nothing else but DataError may come of it.
      await taskOf(id, bytesOf([rest])).catch((error: unknown) => expect(error).toBeInstanceOf(DataError));
    }
  });

  it("survives any rows: items, or a DataError", () => {
    const entry = symbolSetNamed(id);
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.json(), fc.constantFrom(...rows).map((row) => JSON.stringify(row)), fc.string())), (lines) => {
        try {
          for (const { label, text } of entry.read(lines.join("\n"))) {
            expect(entry.labels[label]).toBeDefined();
            expect(typeof text).toBe("string");
          }
        } catch (error) {
          expect(error).toBeInstanceOf(DataError);
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe("SuperGLUE as the hub has it", () => {
  it("reads numbers as the same classes", () => {
    const read = (id: string, row: object) => symbolSetNamed(id).read(JSON.stringify(row))[0];
    for (const [published, hub] of [["entailment", 0], ["contradiction", 1], ["neutral", 2]] as const) {
      expect(read("symbolCb", { premise: "p", hypothesis: "h", label: hub })).toEqual(read("symbolCb", { premise: "p", hypothesis: "h", label: published }));
    }
    for (const [published, hub] of [["entailment", 0], ["not_entailment", 1]] as const) {
      expect(read("symbolRte", { premise: "p", hypothesis: "h", label: hub })).toEqual(read("symbolRte", { premise: "p", hypothesis: "h", label: published }));
    }
    const spans = { span1_text: "Tom", span2_text: "he" };
    expect(read("symbolWsc", { text: "t", label: 1, ...spans })).toEqual(read("symbolWsc", { text: "t", label: true, target: spans }));
  });
});

describe("symbolMappingOf", () => {
  const entry = symbolSetNamed("symbolAfqmc");
  const bytes = bytesOf(rowsOf.symbolAfqmc(0));

  it("refuses a file without a stated digest and says which digest it has", async () => {
    await expect(symbolMappingOf(entry, bytes)).rejects.toThrow(new RegExp(`no manifest states a digest of afqmc/dev.json.*${digestOf(bytes)}`));
  });

  it("refuses a file with another digest, and one that is not UTF-8", async () => {
    await expect(symbolMappingOf(entry, bytes, { [entry.path]: { sha256: "00" } })).rejects.toThrow(/has SHA-256 [0-9a-f]{64}, expected 00/);
    await expect(taskOf("symbolAfqmc", new Uint8Array([0xff, 0xfe]))).rejects.toThrow(/is not UTF-8/);
  });

  it("refuses an unknown set", () => {
    expect(() => symbolSetNamed("snli")).toThrow(/"snli" is no set, expected one of symbolBoolQ, symbolWic/);
  });

  it.skipIf(!existsSync(data)).each(["symbolBoolQ", "symbolXcopaZh"])("takes %s by the table's own digest (needs ../shared/data/eval)", async (id) => {
    const known = symbolSetNamed(id);
    const task = await symbolMappingOf(known, new Uint8Array(readFileSync(new URL(known.path, data))));
    expect(itemSet(task, { difficulty: "paper", seed: 1, items: known.paperItems })).toHaveLength(known.paperItems);
  });
});
