import { GrowthError } from "@espalier/core";
import type { ModelConfig } from "@espalier/spec/model";
import { describe, expect, it } from "vitest";
import { copies, corner, wholeFactor } from "./axisMaps.ts";
import { composeGrowth } from "./compose.ts";
import { growthMap, keepLayers } from "./growthMap.ts";
import { tinyModel } from "./testing/measure.ts";

const source = tinyModel({ family: "llama" });

describe("growthMap", () => {
  const refuse = (target: Partial<ModelConfig>, message: RegExp) => {
    expect(() => growthMap(source, { ...source, ...target }, {}, 1)).toThrow(GrowthError);
    expect(() => growthMap(source, { ...source, ...target }, {}, 1)).toThrow(message);
  };

  it.each(["residualDim", "ffnDim", "numKvHeads", "headDim", "numLayers"] as const)(
    "refuses a target with a smaller %s",
    (field) => {
      const smaller = source[field] - (field === "headDim" ? 2 : 1);
      refuse(
        { [field]: smaller },
        new RegExp(`growth target: ${field} is ${smaller}, expected at least the source's ${source[field]}`),
      );
    },
  );

  it("refuses an axis that changes without an operator", () => {
    refuse({ ffnDim: 9 }, /ffnDim goes from 5 to 9, but axis ffn has no operator\. Name an operator/);
    refuse({ numLayers: 3 }, /numLayers is 3, but the depth map has 2 layers/);
  });

  it("refuses what no operator changes", () => {
    refuse({ family: "flm" }, /family is flm, expected llama/);
    refuse({ tiedHead: true }, /tiedHead is true, expected false/);
    refuse({ vocabSize: 8 }, /vocabSize is 8, expected 7/);
    refuse({ position: { ...source.position, base: 500000 } }, /position\.base is 500000, expected 10000/);
  });

  it("refuses maps and layers that do not belong to the two configurations", () => {
    const ffn = copies("ffn", 4, [0, 1, 2, 3, 0]);
    expect(() => growthMap(source, source, { axes: { ffn } }, 1)).toThrow(
      /axis map ffn: sizes are 4 -> 5, expected 5 -> 5/,
    );
    const layers = [...keepLayers(2), ...keepLayers(3).slice(2)];
    expect(() => growthMap(source, { ...source, numLayers: 3 }, { layers }, 1)).toThrow(
      /layer 2 comes from source layer 2, expected 0 to 1/,
    );
  });

  it("finds old over new multipliers and who absorbs them", () => {
    const target = {
      ...source,
      multipliers: { embedding: 2, logits: 4, attention: source.multipliers.attention, residual: 0.5 },
    };
    const { multipliers, factors } = growthMap(source, target, {}, 1);
    expect(multipliers.residual).toEqual({ ratio: 2, absorbedBy: ["attention.output.weight", "ffn.down.weight"] });
    expect(multipliers.attention).toEqual({ ratio: 1, absorbedBy: [] });
    expect(factors).toEqual({
      "embedding.weight": 0.5,
      "final.norm.gain": 0.25,
      "attention.output.weight": 2,
      "ffn.down.weight": 2,
    });
  });
});

describe("composeGrowth", () => {
  it("is pure: equal arguments give equal maps", () => {
    const target = { ...source, ffnDim: 9 };
    const step = { operators: { ffn: "net2Wider" }, rampSteps: 0, seed: 2 };
    expect(composeGrowth(source, target, step)).toEqual(composeGrowth(source, target, step));
    expect(composeGrowth(source, target, { ...step, seed: 3 })).not.toEqual(composeGrowth(source, target, step));
  });

  it("refuses an unknown operator and one that does not grow what changed", () => {
    expect(() => composeGrowth(source, source, { operators: { depth: "grow" }, rampSteps: 0, seed: 1 })).toThrow(
      /found "grow"/,
    );
    expect(() =>
      composeGrowth(source, { ...source, numLayers: 3 }, { operators: { depth: "identity" }, rampSteps: 0, seed: 1 }),
    ).toThrow(/identity \(depth\): numLayers goes from 2 to 3/);
    expect(() =>
      composeGrowth(source, { ...source, headDim: 8 }, { operators: { head: "msg" }, rampSteps: 1, seed: 1 }),
    ).toThrow(/headDim goes from 4 to 8/);
  });
});

describe("axis maps", () => {
  it("corner refuses to shrink", () => {
    expect(() => corner("ffn", 5, 4, { kind: "silent", gated: true })).toThrow(
      /ffn: target size is 4, expected at least the source size 5/,
    );
  });
  it("copies refuses lost units and shares that do not add up", () => {
    expect(() => copies("ffn", 3, [0, 1, 1])).toThrow(/source unit 2 has no copy/);
    expect(() => copies("ffn", 2, [0, 1, 1], { shares: [1, 0.5, 0.6] })).toThrow(
      /shares of source unit 1 add up to 1\.1/,
    );
  });
  it("wholeFactor refuses a remainder", () => {
    expect(wholeFactor("numLayers", 3, 12)).toBe(4);
    expect(() => wholeFactor("numLayers", 3, 10)).toThrow(/expected a multiple of the source size 3/);
  });
});
