import { GrowthError } from "@espalier/core";
import { parameters } from "@espalier/spec/model";
import { describe, expect, it } from "vitest";
import { copies } from "./axisMaps.ts";
import { birthTable, entryBirths, firstBirths, growBirths } from "./births.ts";
import { composeGrowth } from "./compose.ts";
import { growthMap } from "./growthMap.ts";
import { tinyModel } from "./testing/measure.ts";

const small = tinyModel({ family: "flm", residualDim: 2, ffnDim: 2, numLayers: 1, numKvHeads: 1, headDim: 2 });
const wide = { ...small, residualDim: 3, ffnDim: 4 };
const deep = { ...wide, numLayers: 3, numKvHeads: 2 };
const widen = composeGrowth(small, wide, { operators: { residual: "msg", ffn: "msg" }, rampSteps: 4, seed: 1 });
const deepen = composeGrowth(wide, deep, { operators: { head: "msg", depth: "msgInterleave" }, rampSteps: 0, seed: 1 });

const grownTwice = () => {
  const once = growBirths(firstBirths(small), widen, { step: 10, rampSteps: 4 });
  return growBirths(once, deepen, { step: 30, rampSteps: 0, rate: { from: 1, to: 1.3, steps: 4 } });
};

describe("growBirths", () => {
  it("gives new units a new event and keeps the events of old ones", () => {
    const births = grownTwice();
    expect(births.events.map(({ step }) => step)).toEqual([0, 10, 30]);
    expect(births.axes.residual!.event).toEqual([0, 0, 1]);
    expect(births.axes.normed!.event).toEqual([0, 0, 1]);
    expect(births.axes.ffn!.event).toEqual([0, 0, 1, 1]);
    expect(births.axes.kvHead!.event).toEqual([0, 2]);
    expect(births.layers).toEqual({ event: [0, 2, 2], copyOf: [-1, 0, 0] });
    expect(births.events[1]).toMatchObject({ gatedAxes: ["residual", "ffn", "normed"], gatedLayers: false });
  });

  it("remembers which unit is the original of a copy, where it now stands", () => {
    const first = growthMap(small, { ...small, ffnDim: 4 }, { axes: { ffn: copies("ffn", 2, [1, 0, 0, 1]) } }, 1);
    const once = growBirths(firstBirths(small), first, { step: 5, rampSteps: 0 });
    expect(once.axes.ffn).toEqual({ event: [0, 0, 1, 1], copyOf: [-1, -1, 1, 0] });
    const second = growthMap(
      first.target,
      { ...small, ffnDim: 5 },
      { axes: { ffn: copies("ffn", 4, [3, 2, 1, 0, 2]) } },
      1,
    );
    const twice = growBirths(once, second, { step: 9, rampSteps: 0 });
    expect(twice.axes.ffn).toEqual({ event: [1, 1, 0, 0, 2], copyOf: [3, 2, -1, -1, 1] });
  });

  it("starts every age again when moments are reset", () => {
    const births = growBirths(firstBirths(small), widen, { step: 10, rampSteps: 4, moments: "reset" });
    expect(births.events.map(({ momentsStep }) => momentsStep)).toEqual([10, 10]);
    expect(births.events.map(({ step }) => step)).toEqual([0, 10]);
  });

  it("refuses a growth while an earlier one is ramping", () => {
    const once = growBirths(firstBirths(small), widen, { step: 10, rampSteps: 4 });
    expect(() => growBirths(once, deepen, { step: 13, rampSteps: 0 })).toThrow(GrowthError);
    expect(() => growBirths(once, deepen, { step: 13, rampSteps: 0 })).toThrow(/ramp until step 14/);
    expect(growBirths(once, deepen, { step: 14, rampSteps: 0 }).events).toHaveLength(3);
  });

  it("is plain data", () => {
    expect(JSON.parse(JSON.stringify(grownTwice()))).toEqual(grownTwice());
  });
});

describe("entryBirths", () => {
  const birthsOf = (name: string) => {
    const parameter = parameters(deep).find((p) => p.name === name)!;
    const { rowBirth, columnBirth } = entryBirths(deep, grownTwice(), parameter);
    expect([rowBirth.length, columnBirth.length]).toEqual([parameter.rows, parameter.columns]);
    return [[...rowBirth], [...columnBirth]];
  };

  it("splits an entry's birth over rows and columns", () => {
    expect(birthsOf("embedding.weight")).toEqual([
      [0, 0, 0, 0, 0, 0, 0],
      [0, 0, 1],
    ]);
    expect(birthsOf("layers.0.ffn.up.weight")).toEqual([
      [0, 0, 1, 1],
      [0, 0, 1],
    ]);
    expect(birthsOf("layers.0.ffn.down.bias")).toEqual([[0, 0, 1], [0]]);
    expect(birthsOf("final.norm.gain")).toEqual([[0, 0, 1], [0]]);
  });

  it("takes the latest birth of products of axes and of the layer", () => {
    expect(birthsOf("layers.0.attention.query.weight")).toEqual([
      [0, 0, 2, 2],
      [0, 0, 1],
    ]);
    expect(birthsOf("layers.0.attention.output.weight")).toEqual([
      [0, 0, 1],
      [0, 0, 2, 2],
    ]);
    expect(birthsOf("layers.1.ffn.up.weight")).toEqual([
      [2, 2, 2, 2],
      [0, 0, 1],
    ]);
  });
});

describe("birthTable", () => {
  it("holds bias corrections by age and the rate multiplier, for the step about to be made", () => {
    const table = birthTable(grownTwice(), 31, { beta1: 0.9, beta2: 0.95 });
    const expected = [
      [1 - 0.9 ** 32, 1 - 0.95 ** 32, 1],
      [1 - 0.9 ** 22, 1 - 0.95 ** 22, 1],
      [1 - 0.9 ** 2, 1 - 0.95 ** 2, 1.15], // second of four steps from 1 to 1.3
    ].flat();
    expect(table).toBeInstanceOf(Float32Array);
    expected.forEach((x, i) => expect(table[i]).toBeCloseTo(x, 6));
  });

  it("corrects the first step after a birth as the first step of training", () => {
    const table = birthTable(grownTwice(), 30, { beta1: 0.9, beta2: 0.95 });
    expect(table[6]).toBeCloseTo(0.1, 6);
    expect(table[7]).toBeCloseTo(0.05, 6);
    expect(birthTable(grownTwice(), 1000, { beta1: 0.9, beta2: 0.95 })[8]).toBeCloseTo(1.3, 6);
  });
});
