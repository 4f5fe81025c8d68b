import { GrowthError, random } from "@espalier/core";
import { parameters } from "@espalier/spec/model";
import { describe, expect, it } from "vitest";
import { copies } from "./axisMaps.ts";
import { composeGrowth } from "./compose.ts";
import { growthMap } from "./growthMap.ts";
import { growMoments } from "./moments.ts";
import { tinyModel } from "./testing/measure.ts";

const source = tinyModel({ family: "flm", residualDim: 2, ffnDim: 2, numLayers: 1, numKvHeads: 1, headDim: 2 });
const state = Object.fromEntries(
  parameters(source).map(({ name, rows, columns }) => [
    name,
    Float32Array.from({ length: rows * columns }, (_, i) => i + 1),
  ]),
);
const uneven = copies("ffn", 2, [0, 1, 1], { shares: [1, 0.25, 0.75] });
const split = growthMap(source, { ...source, ffnDim: 3 }, { axes: { ffn: uneven } }, 1);

describe("growMoments", () => {
  it("kept: continues old entries and starts new ones, copies included, at zero", () => {
    const m = growMoments(split, state, { order: 1 });
    expect([...m["layers.0.ffn.up.weight"]!]).toEqual([1, 2, 3, 4, 0, 0]);
    expect([...m["layers.0.ffn.down.weight"]!]).toEqual([1, 2, 0, 3, 4, 0]);
    expect(growMoments(split, state, { order: 2 })).toEqual(m);
  });

  it("kept: new layers start at zero, wherever they stand", () => {
    const map = composeGrowth(
      source,
      { ...source, numLayers: 2 },
      { operators: { depth: "zeroDepth" }, rampSteps: 0, seed: 1 },
    );
    const m = growMoments(map, state, { order: 1 });
    expect([...m["layers.0.ffn.up.weight"]!]).toEqual([1, 2, 3, 4]);
    expect([...m["layers.1.ffn.up.weight"]!]).toEqual([0, 0, 0, 0]);
  });

  it("contravariant: m' = N^T m D^T by hand, v' with squared weights", () => {
    const m = growMoments(split, state, { order: 1, policy: "contravariant" });
    expect([...m["layers.0.ffn.up.weight"]!]).toEqual([1, 2, 0.75, 1, 2.25, 3]);
    expect([...m["layers.0.ffn.down.weight"]!]).toEqual([1, 2, 2, 3, 4, 4]);
    const v = growMoments(split, state, { order: 2, policy: "contravariant" });
    expect([...v["layers.0.ffn.up.weight"]!]).toEqual([1, 2, 3 / 16, 4 / 16, 27 / 16, 36 / 16]);
  });

  it("contravariant: a tensor that absorbs a multiplier has its state divided by it", () => {
    const base = { family: "flm", mup: { baseWidth: 2 } } as const;
    const map = composeGrowth(tinyModel({ ...base, residualDim: 2 }), tinyModel({ ...base, residualDim: 8 }), {
      operators: { residual: "msg" },
      rampSteps: 1,
      seed: 1,
    });
    const ones = Object.fromEntries(
      parameters(map.source).map(({ name, rows, columns }) => [name, new Float32Array(rows * columns).fill(1)]),
    );
    const [m, v] = ([1, 2] as const).map(
      (order) => growMoments(map, ones, { order, policy: "contravariant" })["final.norm.gain"]!,
    );
    expect(map.factors["final.norm.gain"]).toBe(4);
    expect([m![0], v![0]]).toEqual([1 / 4, 1 / 16]);
  });

  it("contravariant: equals the moments of transformed gradients, step for step", () => {
    const draw = random(1, "gradients").sequence();
    const gradients = Array.from({ length: 3 }, () =>
      Object.fromEntries(
        Object.entries(state).map(([name, { length }]) => [name, Float64Array.from({ length }, () => draw.normal())]),
      ),
    );
    const mean = (trees: Record<string, Float64Array>[], power: number) =>
      Object.fromEntries(
        Object.keys(state).map((name) => [
          name,
          trees[0]![name]!.map((_, i) => trees.reduce((sum, tree) => sum + tree[name]![i]! ** power, 0)),
        ]),
      );
    for (const order of [1, 2] as const) {
      const grown = growMoments(split, mean(gradients, order), { order, policy: "contravariant" });
      const direct = mean(
        gradients.map((g) => growMoments(split, g, { order: 1, policy: "contravariant" })),
        order,
      );
      for (const [name, values] of Object.entries(grown))
        values.forEach((x, i) => expect(x).toBeCloseTo(direct[name]![i]!, 12));
    }
  });

  it("contravariant: refuses second moments of mixed units", () => {
    const mixed = { ...uneven, read: [[[0, 1] as const, [1, 0.1] as const], ...uneven.read.slice(1)] };
    const map = growthMap(source, { ...source, ffnDim: 3 }, { axes: { ffn: mixed } }, 1);
    expect(() => growMoments(map, state, { order: 2, policy: "contravariant" })).toThrow(GrowthError);
    expect(() => growMoments(map, state, { order: 2, policy: "contravariant" })).toThrow(
      /unit 0 of axis ffn has several sources/,
    );
  });

  it("reset: all zero, in the target's sizes", () => {
    const m = growMoments(split, state, { order: 1, policy: "reset" });
    expect(m["layers.0.ffn.up.weight"]).toEqual(new Float32Array(6));
    expect(Object.values(m).every((values) => values.every((x) => x === 0))).toBe(true);
  });
});
