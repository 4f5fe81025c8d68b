import { random } from "@espalier/core";
import { describe, expect, it } from "vitest";
import { type Evaluation, evaluate, score, type TaskResult } from "./evaluate.ts";
import { leakTest } from "./leakTest.ts";
import { oracleModel, randomModel } from "./models/mock.ts";
import { itemSet } from "./tasks/itemSet.ts";
import { tasksNamed } from "./tasks/table.ts";

const tasks = tasksNamed(["counting@1", "fullRepeating", "multipleKeyRetrieval"]);
const PRIVATE = "private/heron";

/** An evaluation of one score a task, with these numbers of right answers. */
function counted(seed: string, correct: readonly number[], items: number): Evaluation {
  const results = correct.map((k, t) => ({ task: `task${t}`, version: 1, difficulty: "tiny", seed, scores: [score("exact match", k, items, 0)], samples: [] }) as unknown as TaskResult);
  return { model: "m", tasks: results } as Evaluation;
}

describe("leakTest", () => {
  it("finds a model that learned the public items by heart", async () => {
    const parrot = oracleModel(tasks.flatMap((task) => itemSet(task, { difficulty: "tiny", seed: 1, items: 50 })));
    const [open, kept] = [await evaluate(parrot, { tasks, items: 50 }), await evaluate(parrot, { tasks, items: 50, seed: PRIVATE })];
    const { leaked, difference, publicSeed, privateSeed, tasks: each } = leakTest(open, kept);
    expect(each[0].shared).toBe(kept.tasks[0].scores[0].correct); // what it knew of the private items are public ones
    expect(each[0].shared).toBeGreaterThan(0);
    expect([leaked, difference, publicSeed, privateSeed]).toEqual([true, 1, "test/1", `test/${PRIVATE}`]);
  });

  it("finds a single task that leaked among many that did not", () => {
    const fair = Array.from({ length: 20 }, () => 50);
    expect(leakTest(counted("test/1", [90, ...fair], 100), counted("test/p", [50, ...fair], 100))).toMatchObject({ leaked: true });
    expect(leakTest(counted("test/1", [60, ...fair], 100), counted("test/p", [50, ...fair], 100))).toMatchObject({ leaked: false });
  });

  it("does not accuse a model that solves or guesses, nor one that does better in private", async () => {
    const able = oracleModel(tasks.flatMap((task) => [1, PRIVATE].flatMap((seed) => itemSet(task, { difficulty: "tiny", seed, items: 50 }))));
    for (const model of [able, randomModel(4)]) {
      for (const scoring of ["exact match", "likelihood"] as const) {
        const [open, kept] = [await evaluate(model, { tasks, items: 50 }), await evaluate(model, { tasks, items: 50, seed: PRIVATE })];
        expect(leakTest(open, kept, scoring).leaked).toBe(false);
      }
    }
    expect(leakTest(counted("test/1", [40, 40], 100), counted("test/p", [80, 80], 100)).leaked).toBe(false);
  });

  it("accuses fair models in at most 5 % of runs, and its interval holds 0 in 93 to 97 %", () => {
    const stream = random(2, "leakTest");
    const rates = [0.02, 0.3, 0.5, 0.9, 0.98];
    let draw = 0;
    const count = (p: number, n: number) => Array.from({ length: n }, () => stream.uniform(draw++)).filter((u) => u < p).length;
    const RUNS = 1000;
    let [accused, covered] = [0, 0];
    for (let run = 0; run < RUNS; run++) {
      const { leaked, interval } = leakTest(counted("test/1", rates.map((p) => count(p, 100)), 100), counted("test/p", rates.map((p) => count(p, 100)), 100));
      if (leaked) accused++;
      if (interval[0] <= 0 && interval[1] >= 0) covered++;
    }
    expect(accused / RUNS).toBeLessThan(0.05);
    expect(covered / RUNS).toBeGreaterThan(0.93);
    expect(covered / RUNS).toBeLessThan(0.97);
  });

  it("refuses runs that cannot be compared", () => {
    const open = counted("test/1", [5], 10);
    expect(() => leakTest(open, counted("test/p", [5, 5], 10))).toThrow(/task0@1\/tiny, the private one task0@1\/tiny, task1@1\/tiny, expected the same/);
    expect(() => leakTest(open, open)).toThrow(/both runs have seed test\/1/);
    expect(() => leakTest(open, counted("test/p", [5], 10), "likelihood")).toThrow(/no score by likelihood/);
  });
});
