import { random } from "@espalier/core";
import { describe, expect, it } from "vitest";
import { evaluate } from "../evaluate.ts";
import { oracleModel } from "../models/mock.ts";
import { itemSet } from "./itemSet.ts";
import { partScores, setRecall, stepScore } from "./parts.ts";
import { runningTotal } from "./procedures/runningTotal.ts";
import { tasks, tasksNamed } from "./table.ts";
import { levels, type Parts } from "./task.ts";

const steps = (values: readonly string[], separator = ", "): Parts => ({ values, separator, kind: "steps" });

describe("stepScore", () => {
  const target = steps(["2", "5", "7", "4"]);

  it.each([
    ["2, 5, 7, 4", { prefixMatchLength: 4, prefixAccuracy: 1, sequentialMatch: true, finalMatch: true }],
    ["2, 5, 9, 4", { prefixMatchLength: 2, prefixAccuracy: 0.5, sequentialMatch: false, finalMatch: true }],
    ["2, 5", { prefixMatchLength: 2, prefixAccuracy: 0.5, sequentialMatch: false, finalMatch: false }],
    ["2, 5, 7, 4, 4", { prefixMatchLength: 4, prefixAccuracy: 0.8, sequentialMatch: false, finalMatch: true }],
    ["4", { prefixMatchLength: 0, prefixAccuracy: 0, sequentialMatch: false, finalMatch: true }],
    [" 2,5,  7 , 4 ", { prefixMatchLength: 4, prefixAccuracy: 1, sequentialMatch: true, finalMatch: true }],
    ["", { prefixMatchLength: 0, prefixAccuracy: 0, sequentialMatch: false, finalMatch: false }],
  ])("reads %j against 2, 5, 7, 4", (generated, expected) => {
    expect(stepScore(generated, target)).toEqual(expected);
  });

  it("parts steps that are separated by spaces alone", () => {
    expect(stepScore("a b  c", steps(["a", "b", "d"], " ")).prefixMatchLength).toBe(2);
  });

  it("agrees with its definition on random sequences: equal prefix, length of the longer", () => {
    const draw = random(5, "parts").sequence();
    for (let trial = 0; trial < 500; trial++) {
      const list = () => Array.from({ length: 1 + draw.integer(5) }, () => String(draw.integer(2)));
      const [values, given] = [list(), list()];
      let prefix = 0;
      for (let n = 1; n <= values.length; n++) if (values.slice(0, n).join() === given.slice(0, n).join()) prefix = n;
      const scored = stepScore(given.join(", "), steps(values));
      expect(scored.prefixMatchLength).toBe(prefix);
      expect(scored.prefixAccuracy).toBeCloseTo(prefix / Math.max(values.length, given.length), 12);
      expect(scored.sequentialMatch).toBe(values.join() === given.join());
      expect(scored.finalMatch).toBe(values.at(-1) === given.at(-1));
    }
  });
});

describe("setRecall", () => {
  it("counts the values that are named, in any order and case", () => {
    const parts: Parts = { values: ["tam", "zol", "bir"], separator: ", ", kind: "set" };
    expect(setRecall("Zol and TAM", parts)).toBeCloseTo(2 / 3, 12);
    expect(setRecall("bir, zol, tam", parts)).toBe(1);
    expect(setRecall("", parts)).toBe(0);
  });
});

describe("partScores", () => {
  it("averages over items that have parts, and is undefined where none has", () => {
    const parts = steps(["1", "2"]);
    const scores = partScores([{ generated: "1, 2", parts }, { generated: "1, 3", parts }, { generated: "5" }]);
    expect(scores).toMatchObject({ kind: "steps", prefixAccuracy: { mean: 0.75 }, prefixMatchLength: { mean: 1.5 }, sequentialMatch: { share: 0.5 }, finalMatch: { share: 0.5 } });
    expect(partScores([{ generated: "1, 2" }])).toBeUndefined();
  });

  it("gives a model that errs in the last step most of the prefix and no final match", async () => {
    const items = itemSet(runningTotal, { difficulty: "small", seed: 1, items: 20 });
    const clumsy = oracleModel(items.map((item) => ({ ...item, target: item.target.replace(/\d+$/, "x") })));
    const { tasks: results } = await evaluate(clumsy, { tasks: [runningTotal], difficulty: "small", items: 20 });
    const scored = results[0].parts!;
    if (scored.kind !== "steps") throw new Error("a procedure has steps");
    expect(scored.finalMatch.share).toBe(0);
    expect(scored.prefixMatchLength.mean).toBe(items[0].parts!.values.length - 1);
    expect(results[0].scores[0].accuracy).toBe(0);
  });

  it("gives every target of a task with parts full credit for itself", () => {
    for (const task of tasks) {
      for (const level of levels) {
        const { target, parts } = task.generate(level, 1, 0);
        if (parts?.kind === "steps") expect(stepScore(target, parts), task.id).toMatchObject({ prefixAccuracy: 1, sequentialMatch: true, finalMatch: true });
        if (parts?.kind === "set") expect(setRecall(target, parts), task.id).toBe(1);
      }
    }
  });
});

describe("tasksNamed", () => {
  it("takes bundles and ids, each task once", () => {
    const named = tasksNamed(["procedures", "runningTotal", "counting"]);
    expect(named.map(({ id }) => id)).toEqual([...tasksNamed(["procedures"]).map(({ id }) => id), "counting"]);
    expect(tasksNamed(["all"])).toEqual(tasks);
  });
});
