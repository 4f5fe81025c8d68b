import { ConfigError } from "@espalier/core";
import type { LanguageModel } from "@espalier/spec/languageModel";
import { describe, expect, it } from "vitest";
import { oracleModel, randomModel } from "../models/mock.ts";
import { itemSet } from "../tasks/itemSet.ts";
import { fullRepeating } from "../tasks/patterns.ts";
import { runningTotal } from "../tasks/procedures/runningTotal.ts";
import { needleSingle } from "../tasks/ruler/needleSingle.ts";
import type { Difficulty, Task } from "../tasks/task.ts";
import { wilson } from "../statistics/intervals.ts";
import { difficultyCurve, difficultyGrid } from "./difficultyCurve.ts";
import { curvePicture, gridPicture } from "./picture.ts";

/** Answers the first `right[k]` of 20 items at difficulty k, and no others. */
function partialOracle(task: Task, difficulties: readonly Difficulty[], right: readonly number[]): LanguageModel {
  return oracleModel(difficulties.flatMap((difficulty, k) => itemSet(task, { difficulty, seed: 1, items: 20 }).slice(0, right[k])));
}

describe("difficultyCurve", () => {
  const values = [2, 4, 8];
  const model = partialOracle(fullRepeating, values.map((length) => ({ level: "tiny", length })), [20, 15, 5]);

  it("counts what the model answers at each value, with the interval of that count", async () => {
    const { points, knob, seed } = await difficultyCurve(model, { task: fullRepeating, axis: { knob: "length", values }, level: "tiny", items: 20 });
    expect([knob, seed]).toEqual(["length", "test/1"]);
    expect(points.map(({ value, correct, accuracy }) => [value, correct, accuracy])).toEqual([[2, 20, 1], [4, 15, 0.75], [8, 5, 0.25]]);
    for (const { correct, interval } of points) expect(interval).toEqual(wilson(correct, 20));
  });

  it("finds where the line falls through halfway to chance", async () => {
    const options = { task: fullRepeating, axis: { knob: "length", values }, level: "tiny", items: 20 } as const;
    expect((await difficultyCurve(model, options)).halfway).toBeCloseTo(6, 12); // 0.75 at 4, 0.25 at 8, chance 0
    expect((await difficultyCurve(randomModel(1), options)).halfway).toBeUndefined();
  });

  it("takes levels as a knob", async () => {
    const { points } = await difficultyCurve(randomModel(1), { task: fullRepeating, axis: { knob: "level", values: ["tiny", "small"] }, items: 10, scoring: "likelihood" });
    expect(points.map(({ value, chance }) => [value, chance])).toEqual([["tiny", 0.25], ["small", 0.25]]);
  });

  it("follows the steps of a procedure, and refuses them where there are none", async () => {
    const answers = partialOracle(runningTotal, [2, 4].map((steps) => ({ level: "tiny", steps })), [20, 5]);
    const options = { task: runningTotal, axis: { knob: "steps", values: [2, 4] }, level: "tiny", items: 20 } as const;
    const prefix = await difficultyCurve(answers, { ...options, scoring: "prefix accuracy" });
    expect(prefix.points.map(({ accuracy, correct, chance }) => [accuracy, correct, chance])).toEqual([[1, 20, 0], [0.25, 5, 0]]);
    const whole = await difficultyCurve(answers, { ...options, scoring: "sequential match" });
    expect(whole.points[1]).toMatchObject({ correct: 5, interval: wilson(5, 20) });
    await expect(difficultyCurve(answers, { task: fullRepeating, axis: { knob: "length", values: [2] }, items: 5, scoring: "final match" })).rejects.toThrow(/fullRepeating has no final match/);
  });

  it("refuses an axis without values, an unknown level and an unknown knob", async () => {
    const at = (knob: string, axisValues: (string | number)[]) => difficultyCurve(randomModel(1), { task: fullRepeating, axis: { knob, values: axisValues } });
    await expect(at("length", [])).rejects.toThrow(/length has no values/);
    await expect(at("level", ["huge"])).rejects.toThrow(/level is "huge", expected one of tiny/);
    await expect(at("size", [3])).rejects.toThrow(ConfigError);
  });
});

describe("difficultyGrid", () => {
  it("measures every pair of length and depth", async () => {
    const x = { knob: "length", values: [120, 240] };
    const y = { knob: "depth", values: [0, 100] };
    const difficulties = y.values.flatMap((depth) => x.values.map((length) => ({ level: "tiny" as const, depth, length })));
    const model = partialOracle(needleSingle, difficulties, [20, 10, 4, 0]);
    const grid = await difficultyGrid(model, { task: needleSingle, x, y, level: "tiny", items: 20 });
    expect(grid.cells.map((row) => row.map(({ correct }) => correct))).toEqual([[20, 10], [4, 0]]);
    const svg = gridPicture(grid);
    expect(svg).toContain(">50 %</text>");
    expect(svg.match(/fill-opacity/g)).toHaveLength(4);
    for (const label of ["120", "240", "length", "depth"]) expect(svg).toContain(`>${label}</text>`);
  });
});

describe("curvePicture", () => {
  const point = (value: string | number, accuracy: number) => ({ value, correct: 10 * accuracy, items: 10, accuracy, interval: [accuracy / 2, accuracy] as const, chance: 0 });
  const curve = (points: ReturnType<typeof point>[], model = "a", knob = "length") => ({ model, task: "t", title: "T < 1", knob, scoring: "exact match" as const, seed: "test/1", points });
  const circles = (svg: string) => [...svg.matchAll(/<circle cx="([\d.]+)" cy="([\d.]+)"/g)].map(([, x, y]) => [Number(x), Number(y)]);

  it("puts points higher the more is right, and evenly by the logarithm over a wide range", () => {
    const places = circles(curvePicture([curve([point(10, 1), point(100, 0.5), point(1000, 0)])]));
    expect(places[1][0] - places[0][0]).toBeCloseTo(places[2][0] - places[1][0], 0);
    expect(places[0][1]).toBeLessThan(places[1][1]);
    expect(places[1][1]).toBeLessThan(places[2][1]);
  });

  it("keeps curves of several models apart and escapes what they are called", () => {
    const svg = curvePicture([curve([point("tiny", 1), point("small", 0.5)]), curve([point("tiny", 0.5), point("small", 0)], "b&c")]);
    expect(svg).toContain("T &lt; 1");
    expect(svg).toContain("b&amp;c, exact match");
    expect(circles(svg)).toHaveLength(4);
    expect(svg.match(/stroke-width="2"/g)).toHaveLength(2);
  });

  it("refuses curves over different knobs, and none at all", () => {
    expect(() => curvePicture([curve([point(1, 1)]), curve([point(1, 1)], "b", "shots")])).toThrow(/over length, shots, expected one knob/);
    expect(() => curvePicture([])).toThrow(ConfigError);
  });
});
