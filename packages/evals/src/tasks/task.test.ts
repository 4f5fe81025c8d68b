import { ConfigError } from "@espalier/core";
import { describe, expect, it } from "vitest";
import { solvers } from "../testing/solvers.ts";
import { inContextDocuments } from "./inContextDocuments.ts";
import { exportItems, itemSet, promptLengths } from "./itemSet.ts";
import { counting } from "./counting.ts";
import { fullRepeating, headTail } from "./patterns.ts";
import { itemCount, recallTasks, tasks, tasksNamed } from "./table.ts";
import { canary, isPrivateContent, isPrivateSeed, type Level, levels, splitOfContent, type Task } from "./task.ts";

/** Groups whose query is the last line of the prompt. */
const lineGroups = new Set(["symbolic mapping", "rule understanding", "pattern mining", "in-context recall"]);

const small = (level: string) => (level === "large" ? 15 : 60);

describe.each(tasks.map((task) => [task.id, task] as const))("%s", (id, task) => {
  it.each(levels)("has targets at level %s that an independent solver finds from the prompt alone", (level) => {
    for (const seed of [1, "test/private/kestrel", "train/1"]) {
      for (let i = 0; i < small(level); i++) {
        const { prompt, target, key } = task.generate(level, seed, i);
        expect(solvers[id](prompt), key).toBe(target);
      }
    }
  });

  it.each(levels)("offers distinct choices at level %s, as many as chance says, with the target anywhere among them", (level) => {
    const positions = new Set<number>();
    for (let i = 0; i < small(level); i++) {
      const { choices, target, prompt } = task.generate(level, 2, i);
      expect(new Set(choices).size).toBe(choices.length);
      expect(1 / choices.length).toBeCloseTo(task.chance(level).likelihood, 12);
      positions.add(choices.indexOf(target));
      expect(prompt).toBe(prompt.trimEnd());
      expect(target).toBe(target.trim());
      expect(target).not.toContain("\n");
    }
    expect(positions).not.toContain(-1);
    expect(positions.size).toBeGreaterThan(1);
  });

  it("makes item 7 the same whatever was made before, and another for another seed or difficulty", () => {
    const item = task.generate("small", 3, 7);
    for (let i = 0; i < 7; i++) task.generate("small", 3, i);
    expect(task.generate("small", 3, 7)).toEqual(item);
    expect(task.generate("small", 4, 7).prompt).not.toBe(item.prompt);
    expect(task.generate("paper", 3, 7).prompt).not.toBe(item.prompt);
  });

  it("keeps tiny prompts within 200 characters", () => {
    expect(promptLengths(itemSet(task, { difficulty: "tiny", seed: 5, items: 50 })).max).toBeLessThanOrEqual(200);
  });

  it("has the paper's number of distinct items at the paper's level and at tiny", () => {
    for (const difficulty of ["paper", "tiny"] as const) {
      const items = itemSet(task, { difficulty, seed: 1, items: itemCount(task, "paper") });
      expect(new Set(items.map(({ prompt }) => prompt)).size).toBe(items.length);
      expect(new Set(items.map(({ identity }) => identity)).size).toBe(items.length);
    }
  });

  it("shares no query between training and test seeds at any level", () => {
    const identities = (seed: string) =>
      new Set(levels.flatMap((level) => Array.from({ length: level === "tiny" ? 150 : 10 }, (_, i) => task.generate(level, seed, i).identity)));
    const train = identities("train/9");
    for (const identity of identities("test/9")) expect(train).not.toContain(identity);
  });
});

/** Identities of the items that a public and a private seed give. */
const sharedQueries = (task: Task, level: Level, items: number): number => {
  const [open, kept] = [1, "private/heron"].map((seed) => itemSet(task, { difficulty: level, seed, items }).map(({ identity }) => identity));
  const known = new Set(open);
  return kept!.filter((identity) => known.has(identity)).length;
};

describe("public and private seeds", () => {
  it.each(tasks.map((task) => [task.id, task] as const))("share no query of %s at tiny and in a set of the paper's size", (_, task) => {
    expect(sharedQueries(task, "tiny", task.paperItems)).toBe(0);
    expect(sharedQueries(task, "paper", task.paperItems)).toBe(0);
  });

  it.each(["counting", "chainSum", "booleanExpressions", "numberSequences", "spellBackward"])("have 600 items each of %s that they do not share", (id) => {
    expect(sharedQueries(tasksNamed([id])[0]!, "paper", 600)).toBe(0);
  });

  it("shared them in version 1, which is kept", () => {
    expect(sharedQueries(tasksNamed(["counting@1"])[0]!, "tiny", 148)).toBe(55);
  });

  it("draw shots from their own contents as well", () => {
    const shown = (seed: string | number) => itemSet(fullRepeating, { difficulty: "tiny", seed, items: 100 }).flatMap(({ prompt }) => prompt.split("\n").map((line) => line.split(" ->")[0]!.replaceAll(" ", "")));
    for (const [seed, isPrivate] of [[1, false], ["elsewhere", false], ["private/heron", true], ["test/private/kite", true]] as const) {
      expect(isPrivateSeed(seed)).toBe(isPrivate);
      for (const x of shown(seed)) expect([splitOfContent("fullRepeating", x), isPrivateContent("fullRepeating", x)]).toEqual(["test", isPrivate]);
    }
  });
});

describe("defineTask", () => {
  it("keeps the released items: a change of any of them needs a new version", () => {
    const [first] = tasksNamed(["counting@1"]);
    expect(first!.generate("tiny", 1, 0)).toMatchObject({ key: "counting@1/tiny/test/1/0", prompt: "Count from 488 to 491:", target: "488, 489, 490, 491" });
    expect(counting.generate("tiny", 1, 0).key).toBe("counting@2/tiny/test/1/0");
  });

  it("refuses an unknown level, knob or index in one sentence", () => {
    expect(() => counting.generate("huge" as "tiny", 1, 0)).toThrow(/level is "huge", expected one of tiny, small, paper, large/);
    expect(() => counting.generate({ length: 3 }, 1, 0)).toThrow(/knob length is 3, expected one of maxStart \(number\)/);
    expect(() => counting.generate("tiny", 1, -1)).toThrow(ConfigError);
  });

  it("never shows an example twice, in shots or as query", () => {
    for (let i = 0; i < 40; i++) {
      const { prompt } = headTail.generate({ level: "tiny", length: 1, shots: 10 }, "train/3", i); // 11 of about 20 letters
      const inputs = prompt.split("\n").map((line) => line.split(" ->")[0]);
      expect(new Set(inputs).size).toBe(11);
    }
  });

  it("takes single knobs over a level and names them in the key", () => {
    const item = counting.generate({ level: "tiny", base: 2, minLength: 3, maxLength: 3, maxStart: 40 }, 1, 4);
    expect(item.key).toBe("counting@2/tiny{base=2,maxLength=3,maxStart=40,minLength=3}/test/1/4");
    expect(item.prompt).toMatch(/^Count from [01]+ to [01]+ in base 2:$/);
    expect(solvers.counting(item.prompt)).toBe(item.target);
  });

  it("writes numbers in words and in Chinese", () => {
    const english = counting.generate({ level: "tiny", numerals: "english", maxStart: 0, minLength: 3, maxLength: 400 }, 1, 3);
    expect(english.target).toMatch(/^zero, one, two/);
    const chinese = counting.generate({ level: "tiny", numerals: "chinese", maxStart: 400 }, 1, 3);
    expect(chinese.target).toMatch(/^[〇一二三四五六七八九]+(, [〇一二三四五六七八九]+){2,}$/);
  });
});

describe("splitOfContent", () => {
  it("holds back a quarter of all contents for tests", () => {
    const held = Array.from({ length: 4000 }, (_, k) => splitOfContent("copying", String(k))).filter((split) => split === "test");
    expect(held.length / 4000).toBeGreaterThan(0.22);
    expect(held.length / 4000).toBeLessThan(0.28);
  });
});

describe("inContextDocuments", () => {
  it("takes families in turn, leaves out what is not named, and can be produced in parts", () => {
    const families = tasksNamed(["copying", "headTail", "counting"]);
    const whole = inContextDocuments({ families, seed: 4, count: 30, difficulties: ["tiny", "small"] });
    expect(whole.map(({ family }) => family).slice(0, 4)).toEqual(["copying", "headTail", "counting", "copying"]);
    const parts = [0, 11].flatMap((first) => inContextDocuments({ families, seed: 4, count: first === 0 ? 11 : 19, first, difficulties: ["tiny", "small"] }));
    expect(parts).toEqual(whole);
    expect(whole.every(({ text }) => text.endsWith("\n"))).toBe(true);
  });

  it("contains no query of the test set, answered or not", () => {
    const text = inContextDocuments({ families: tasks, seed: 1, count: 3000 }).map((document) => document.text);
    const lines = new Set(text.flatMap((document) => document.split("\n")));
    for (const task of tasks) {
      for (const { prompt, target } of itemSet(task, { difficulty: "tiny", seed: 1, items: 100 })) {
        if (!lineGroups.has(task.group)) expect(text).not.toContain(`${prompt} ${target}\n`);
        else expect(lines).not.toContain(`${prompt} ${target}`.split("\n").at(-1));
      }
    }
  });

  it("is a function of its seed", () => {
    const documents = (seed: number) => inContextDocuments({ families: recallTasks, seed, count: 20 });
    expect(documents(1)).toEqual(documents(1));
    expect(documents(1)).not.toEqual(documents(2));
  });
});

describe("itemSet", () => {
  it("says how many distinct items there are when more are asked", () => {
    expect(() => itemSet(counting, { difficulty: { level: "tiny", maxStart: 9 }, seed: 1, items: 50 })).toThrow(/about \d+ distinct items .* 50 were asked/);
  });

  it("begins a larger set with the smaller", () => {
    const options = { difficulty: "small", seed: 8 } as const;
    expect(itemSet(counting, { ...options, items: 40 }).slice(0, 25)).toEqual(itemSet(counting, { ...options, items: 25 }));
  });

  it("is exported under a canary", () => {
    const lines = exportItems(itemSet(counting, { difficulty: "tiny", seed: 1, items: 2 })).trimEnd().split("\n");
    expect(JSON.parse(lines[0])).toEqual({ canary });
    expect(JSON.parse(lines[2])).toMatchObject({ index: expect.any(Number), target: expect.any(String) });
  });
});

describe("tasksNamed", () => {
  it("takes the newest version, or the one that is named", () => {
    expect(tasksNamed(["counting", "counting@1", "counting@2", "headTail@1"]).map(({ id, version }) => `${id}@${version}`)).toEqual(["counting@2", "counting@1", "headTail@1"]);
    expect(() => tasksNamed(["counting@3"])).toThrow(/"counting@3" is no task/);
  });

  it("names the unknown id and the known ones", () => {
    expect(() => tasksNamed(["coutning"])).toThrow(/"coutning" is no task, expected one of .*counting/);
  });
});

describe("itemCount", () => {
  it("gives the paper's own counts and refuses none", () => {
    const counts = Object.fromEntries(tasks.map((task) => [task.id, itemCount(task, "paper")]));
    expect(counts).toMatchObject({ counting: 148, replaceWord: 300, headTail: 100, multipleKeyRetrieval: 300, symbolMappingFacts: 299 });
    expect(() => itemCount(counting, 0)).toThrow(ConfigError);
  });
});
