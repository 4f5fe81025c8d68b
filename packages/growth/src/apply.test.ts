import { GrowthError } from "@espalier/core";
import { type ModelConfig, modelConfig, numParameters, parameters } from "@espalier/spec/model";
import { describe, expect, it } from "vitest";
import { applyGrowth } from "./apply.ts";
import { copies, corner } from "./axisMaps.ts";
import { composeGrowth } from "./compose.ts";
import { growthMap, keepLayers } from "./growthMap.ts";
import { randomParameters } from "./testing/decoder.ts";
import { tinyModel } from "./testing/measure.ts";

/** Entries 1, 2, 3, ... so that every number can be followed by eye. */
function counting(config: ModelConfig): Record<string, Float32Array> {
  return Object.fromEntries(
    parameters(config).map(({ name, rows, columns }) => [
      name,
      Float32Array.from({ length: rows * columns }, (_, i) => i + 1),
    ]),
  );
}

describe("applyGrowth", () => {
  const source = tinyModel({
    family: "flm",
    vocabSize: 2,
    residualDim: 2,
    ffnDim: 2,
    numLayers: 1,
    numKvHeads: 1,
    headDim: 2,
  });

  it("matches an uneven split of MLP units worked out by hand", () => {
    const ffn = copies("ffn", 2, [0, 1, 1], { shares: [1, 0.25, 0.75] });
    const grown = applyGrowth(growthMap(source, { ...source, ffnDim: 3 }, { axes: { ffn } }, 1), counting(source));
    // ffn.up [ffn, residual] = [[1, 2], [3, 4]]: row 1 twice. ffn.down [residual, ffn]: column 1 split 1 : 3.
    expect([...grown["layers.0.ffn.up.weight"]!]).toEqual([1, 2, 3, 4, 3, 4]);
    expect([...grown["layers.0.ffn.up.bias"]!]).toEqual([1, 2, 2]);
    expect([...grown["layers.0.ffn.down.weight"]!]).toEqual([1, 0.5, 1.5, 3, 1, 3]);
    expect([...grown["layers.0.ffn.down.bias"]!]).toEqual([1, 2]);
  });

  it("takes products of axes: head 1 of two becomes heads 1 and 2, rotary units inside stay in order", () => {
    const two = tinyModel({
      family: "flm",
      vocabSize: 2,
      residualDim: 1,
      ffnDim: 1,
      numLayers: 1,
      numKvHeads: 2,
      headDim: 2,
    });
    const kvHead = copies("kvHead", 2, [0, 1, 1]);
    const grown = applyGrowth(growthMap(two, { ...two, numKvHeads: 3 }, { axes: { kvHead } }, 1), counting(two));
    expect([...grown["layers.0.attention.query.weight"]!]).toEqual([1, 2, 3, 4, 3, 4]);
    expect([...grown["layers.0.attention.output.weight"]!]).toEqual([1, 2, 1.5, 2, 1.5, 2]);
  });

  it("keeps the source as the leading corner and fills the rest as the layout table initialises", () => {
    const target = { ...source, residualDim: 40, ffnDim: 60 };
    const axes = {
      residual: corner("residual", 2, 40, { kind: "silent", gated: true, normRule: "masked" }),
      ffn: corner("ffn", 2, 60, { kind: "free", gated: false, zero: ["ffn.down.weight"] }),
    } as const;
    const grown = applyGrowth(growthMap(source, target, { axes }, 5), counting(source));
    const up = grown["layers.0.ffn.up.weight"]!;
    expect([up[0], up[1], up[40], up[41]]).toEqual([1, 2, 3, 4]);
    const fresh = up.filter((_, i) => i % 40 > 1 || i >= 80);
    const std = Math.sqrt(fresh.reduce((sum, x) => sum + x * x, 0) / fresh.length);
    expect(std).toBeCloseTo(source.initStd, 3); // 2396 draws: standard error 0.0003
    const down = grown["layers.0.ffn.down.weight"]!;
    expect(down.every((x, i) => (i % 60 < 2 ? x !== 0 : x === 0))).toBe(true);
    expect([...grown["layers.0.ffn.norm.gain"]!].slice(0, 4)).toEqual([1, 2, 1, 1]);
    expect([...grown["layers.0.ffn.norm.bias"]!].slice(0, 4)).toEqual([1, 2, 0, 0]);
  });

  it("sums weighted terms, with axis maps of their own where a term has them", () => {
    const model = tinyModel({ family: "flm", numLayers: 2, residualDim: 2, ffnDim: 2, numKvHeads: 1, headDim: 2 });
    const half = (unit: number) => ({
      ...copies("ffn", 2, [0, 1]),
      carry: [unit === 0 ? [[0, 1] as const] : [], unit === 1 ? [[1, 1] as const] : []],
    });
    const [first, second] = keepLayers(2);
    const layers = [
      {
        ...first!,
        terms: [
          { layer: 0, weight: 0.25 },
          { layer: 1, weight: 0.75 },
        ],
      },
      // AKI-like: MLP unit 0 from layer 0, unit 1 from layer 1
      {
        ...second!,
        terms: [
          { layer: 0, weight: 1, axes: { ffn: half(0) } },
          { layer: 1, weight: 1, axes: { ffn: half(1) } },
        ],
      },
    ];
    const tree = counting(model);
    tree["layers.1.ffn.up.weight"] = Float32Array.of(10, 20, 30, 40);
    const grown = applyGrowth(growthMap(model, model, { layers }, 1), tree);
    expect([...grown["layers.0.ffn.up.weight"]!]).toEqual([7.75, 15.5, 23.25, 31]);
    expect([...grown["layers.1.ffn.up.weight"]!]).toEqual([1, 2, 30, 40]);
  });

  it("shrinks and perturbs when the map says so", () => {
    const wide = tinyModel({ family: "flm", residualDim: 40, ffnDim: 40 });
    const tree = counting(wide);
    const shrunk = applyGrowth(growthMap(wide, wide, { perturbation: { shrink: 0.4, noise: 0 } }, 1), tree);
    expect(shrunk["layers.0.ffn.up.weight"]![4]).toBeCloseTo(2, 6);
    const noisy = applyGrowth(growthMap(wide, wide, { perturbation: { shrink: 0, noise: 2 } }, 1), tree);
    const up = noisy["layers.0.ffn.up.weight"]!;
    expect(Math.sqrt(up.reduce((sum, x) => sum + x * x, 0) / up.length)).toBeCloseTo(0.04, 2);
  });

  it("is a function of map and tree: same bits again, from JSON too, other seeds differ, the input is unchanged", () => {
    const target = { ...source, residualDim: 5, numLayers: 3 };
    const step = { operators: { residual: "msg", depth: "msg" }, rampSteps: 5, seed: 3 };
    const map = composeGrowth(source, target, step);
    const tree = counting(source);
    const grown = applyGrowth(map, tree);
    expect(applyGrowth(JSON.parse(JSON.stringify(map)) as typeof map, tree)).toEqual(grown);
    expect(applyGrowth(composeGrowth(source, target, { ...step, seed: 4 }), tree)).not.toEqual(grown);
    expect(tree).toEqual(counting(source));
  });

  it("gives every parameter of the target its size, in the source's precision", () => {
    const target = { ...source, residualDim: 7, ffnDim: 9, numKvHeads: 3, groupSize: 2, numLayers: 5 };
    const map = composeGrowth(source, target, {
      operators: { residual: "msg", ffn: "msg", head: "msg", depth: "msg" },
      rampSteps: 1,
      seed: 1,
    });
    const grown = applyGrowth(map, randomParameters(source, 1));
    expect(Object.entries(grown).map(([name, data]) => [name, data.length])).toEqual(
      parameters(target).map(({ name, rows, columns }) => [name, rows * columns]),
    );
    expect(grown["embedding.weight"]).toBeInstanceOf(Float64Array);
  });

  it("names the tensor that is missing, and the one of the wrong size", () => {
    const map = growthMap(source, source, {}, 1);
    const { "layers.0.ffn.up.bias": _, ...incomplete } = counting(source);
    expect(() => applyGrowth(map, incomplete)).toThrow(/no layers\.0\.ffn\.up\.bias/);
    expect(() => applyGrowth(map, incomplete)).toThrow(GrowthError);
    expect(() => applyGrowth(map, { ...counting(source), "layers.0.ffn.up.bias": new Float32Array(3) })).toThrow(
      /layers\.0\.ffn\.up\.bias has 3 values, expected 2 x 1/,
    );
  });

  it("grows to 10 million parameters in seconds", () => {
    const small = modelConfig({
      family: "flm",
      vocabSize: 4096,
      seqLen: 256,
      numLayers: 4,
      residualDim: 128,
      numKvHeads: 4,
    });
    const large = modelConfig({
      family: "flm",
      vocabSize: 4096,
      seqLen: 256,
      numLayers: 12,
      residualDim: 256,
      numKvHeads: 8,
    });
    const step = {
      operators: { residual: "msg", ffn: "msg", head: "msg", depth: "zeroDepth" },
      rampSteps: 10,
      seed: 1,
    };
    const tree = counting(small);
    const start = performance.now();
    const grown = applyGrowth(composeGrowth(small, large, step), tree);
    const seconds = (performance.now() - start) / 1000;
    expect(Object.values(grown).reduce((sum, { length }) => sum + length, 0)).toBe(numParameters(large));
    expect(seconds).toBeLessThan(5); // 0.8 s measured on one core; the rest is room for a busy machine
  });
});
