import { existsSync, readFileSync } from "node:fs";
import { DataError } from "@espalier/core";
import { describe, expect, it } from "vitest";
import { babiTask, readBabi } from "./babi.ts";
import { itemSet } from "./itemSet.ts";

const file = [
  "1 Mary moved to the bathroom.",
  "2 John went to the hallway.",
  "3 Where is Mary? \tbathroom\t1",
  "4 Daniel went back to the hallway.",
  "5 Where is Daniel? \thallway\t4",
  "1 Sandra moved to the garden.",
  "2 Where is Sandra? \tgarden\t1",
  "",
].join("\n");
const data = new URL("../../../../../shared/data/eval/babi/", import.meta.url);

describe("readBabi", () => {
  it("keeps the statements of a story and leaves its earlier questions out", () => {
    expect(readBabi(file)).toEqual([
      { statements: ["Mary moved to the bathroom.", "John went to the hallway."], question: "Where is Mary?", answer: "bathroom" },
      {
        statements: ["Mary moved to the bathroom.", "John went to the hallway.", "Daniel went back to the hallway."],
        question: "Where is Daniel?",
        answer: "hallway",
      },
      { statements: ["Sandra moved to the garden."], question: "Where is Sandra?", answer: "garden" },
    ]);
  });

  it("names the line that it cannot read, and refuses a file without questions", () => {
    expect(() => readBabi(`${file}oops`)).toThrow(/line 8 is "oops"/);
    expect(() => readBabi("1 Mary moved to the bathroom.")).toThrow(DataError);
  });
});

describe("babiTask", () => {
  it("asks every question once, with other questions as shots", () => {
    const task = babiTask(readBabi(file), { id: "qa1", title: "bAbI 1" });
    const items = itemSet(task, { difficulty: { level: "small", shots: 2 }, seed: 1, items: 3 });
    expect(new Set(items.map(({ target }) => target))).toEqual(new Set(["bathroom", "hallway", "garden"]));
    for (const { prompt, identity, choices } of items) {
      expect(prompt.endsWith(identity)).toBe(true);
      expect(prompt.split("\n\n")).toHaveLength(3);
      expect([...choices].sort()).toEqual(["bathroom", "garden", "hallway"]);
    }
    expect(() => task.generate("tiny", "train/1", 0)).toThrow(/is a test set/);
  });

  it.skipIf(!existsSync(data))("reads the published files, whose first task the last move of the actor answers", () => {
    const read = (name: string) => readBabi(readFileSync(new URL(name, data), "utf8"));
    const questions = read("qa1_single-supporting-fact_test.txt");
    expect(questions).toHaveLength(1000);
    expect(read("qa2_two-supporting-facts_test.txt")).toHaveLength(1000);
    const task = babiTask(questions, { id: "qa1", title: "bAbI 1", shotsFrom: read("qa1_single-supporting-fact_train.txt") });
    expect(task.chance("paper").likelihood).toBeCloseTo(1 / 6, 12);
    for (const { identity, target } of itemSet(task, { difficulty: "paper", seed: 1, items: 300 })) {
      const actor = /Where is (\w+)\?$/.exec(identity)![1];
      const move = identity.split("\n").findLast((line) => line.startsWith(`${actor} `) && line.endsWith("."))!;
      expect(move.endsWith(` the ${target}.`)).toBe(true);
    }
  });
});
