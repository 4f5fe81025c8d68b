import { existsSync, readFileSync } from "node:fs";
import { DataError } from "@espalier/core";
import { describe, expect, it } from "vitest";
import { readBoolQ, readXcopaZh } from "./classificationSets.ts";
import { itemSet } from "./itemSet.ts";
import { symbolMapping, symbolMappingChinese, symbolMappingFacts, symbolMappingPairs } from "./symbolMapping.ts";

const boolQ = [
  { question: "is water wet", answer: true, passage: "Water is wet." },
  { question: "is fire cold", answer: false, passage: "Fire is hot." },
  { question: "is snow white", answer: true, passage: "Snow is white." },
  { question: "is coal white", answer: false, passage: "Coal is black." },
];
const toLines = (rows: readonly object[]) => rows.map((row) => JSON.stringify(row)).join("\n");
const data = new URL("../../../../../shared/data/eval/", import.meta.url);

describe.each([symbolMappingPairs, symbolMappingFacts, symbolMappingChinese].map((task) => [task.id, task] as const))("%s", (_, task) => {
  it.each(["tiny", "small"] as const)("keeps both classes near one half of the paper's set at %s", (difficulty) => {
    const items = itemSet(task, { difficulty, seed: 1, items: 300 });
    const share = items.filter(({ meta }) => meta.label === 1).length / items.length;
    expect(Math.abs(share - 0.5)).toBeLessThan(0.1); // 3.5 standard errors
  });

  it("draws fresh symbols for each item and names both in the instruction", () => {
    const [first, second] = [0, 1].map((i) => task.generate("paper", 1, i));
    expect(first.choices).not.toEqual(second.choices);
    const instruction = first.prompt.split("\n")[0];
    for (const symbol of first.choices) {
      expect(symbol).toMatch(/^<.{8}>$/);
      expect(instruction).toContain(symbol);
    }
  });

  it("shows each class equally often", () => {
    const { prompt, choices } = task.generate("large", 1, 3);
    for (const symbol of choices) expect(prompt.split(`-> ${symbol}\n`).length - 1).toBe(8);
  });
});

describe("symbolMapping", () => {
  it("asks the same items with real and with swapped labels as controls", () => {
    const real = symbolMappingFacts.generate({ level: "tiny", labels: "real" }, 1, 0);
    expect([...real.choices].sort()).toEqual(["no", "yes"]);
    const text = real.prompt.split("\n").at(-1)!;
    const truth = /The (\w+) is (\w+)\. Is the \1 (\w+)\?/.exec(text)!;
    expect(real.target).toBe(truth[2] === truth[3] ? "yes" : "no");
    const swapped = symbolMappingFacts.generate({ level: "tiny", labels: "swapped" }, 1, 0);
    const other = /The (\w+) is (\w+)\. Is the \1 (\w+)\?/.exec(swapped.prompt.split("\n").at(-1)!)!;
    expect(swapped.target).toBe(other[2] === other[3] ? "no" : "yes");
  });

  it("asks every item of a set from a file once before any returns", () => {
    const task = symbolMapping(readBoolQ(toLines(boolQ)), { id: "boolQ", title: "BoolQ" });
    const difficulty = { level: "tiny", shotsPerClass: 1 } as const;
    const items = itemSet(task, { difficulty, seed: 1, items: 4 });
    expect(items.map(({ identity }) => identity).sort()).toEqual(readBoolQ(toLines(boolQ)).items.map(({ text }) => text).sort());
    for (const { prompt, identity } of items) expect(prompt.split(identity).length - 1).toBe(1); // the query is no shot
    expect(() => itemSet(task, { difficulty, seed: 1, items: 5 })).toThrow(/about 4 distinct items/);
  });

  it("refuses to train on a set from a file, too few shots, and labels outside the classes", () => {
    const set = readBoolQ(toLines(boolQ));
    const task = symbolMapping(set, { id: "boolQ", title: "BoolQ" });
    expect(() => task.generate({ level: "tiny", shotsPerClass: 1 }, "train/1", 0)).toThrow(/BoolQ is a test set/);
    expect(() => task.generate("tiny", 1, 0)).toThrow(/1 items of class .* beside the query, 3 shots expected/);
    expect(() => symbolMapping({ ...set, items: [{ text: "x", label: 2 }] }, { id: "x", title: "x" })).toThrow(/item 1 has label 2, expected 0 to 1/);
    expect(() => symbolMapping({ ...set, items: [] }, { id: "x", title: "x" })).toThrow(DataError);
  });

  it.skipIf(!existsSync(data))("covers BoolQ and Chinese XCOPA when the data is present", () => {
    const read = (name: string) => readFileSync(new URL(name, data), "utf8");
    const sets = [readBoolQ(read("boolq/boolq_dev.jsonl")), readXcopaZh(read("xcopa_zh/test.zh.jsonl"))];
    expect(sets.map(({ items }) => items.length)).toEqual([3270, 500]);
    for (const set of sets) {
      const task = symbolMapping(set, { id: set.name, title: set.name });
      const items = itemSet(task, { difficulty: "paper", seed: 1, items: 300 });
      for (const { target, prompt, meta, identity } of items.slice(0, 20)) {
        expect(set.items.find(({ text }) => text === identity)!.label).toBe(meta.label);
        expect(prompt.split(target).length - 1).toBe(4); // once in the instruction, three times in shots
      }
    }
  });
});

describe("readBoolQ", () => {
  it("names the line or the item that is not as expected", () => {
    expect(() => readBoolQ('{"question":1}')).toThrow(/item 1 has passage undefined, expected a string/);
    expect(() => readBoolQ(`${toLines(boolQ)}\n{oops`)).toThrow(/line 5 is not JSON/);
  });
});

describe("readXcopaZh", () => {
  it("asks for the cause or the result", () => {
    const row = { premise: "那人打开水龙头。", choice1: "厕所里满是水。", choice2: "水流出。", question: "effect", label: 1 };
    expect(readXcopaZh(toLines([row])).items).toEqual([
      { text: "那人打开水龙头。\n问题：结果是哪一个？\n甲：厕所里满是水。\n乙：水流出。", label: 1 },
    ]);
  });
});
