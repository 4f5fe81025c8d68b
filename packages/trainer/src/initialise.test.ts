import { modelConfig } from "@espalier/spec/model";
import { describe, expect, it } from "vitest";
import { initialParameters } from "./initialise.ts";
import { tinyModel } from "./testing/runs.ts";

describe("initialParameters", () => {
  it("follows the layout table: gains 1, biases 0, writes scaled by 1/sqrt(2L), muP by 1/sqrt(width ratio)", () => {
    const config = modelConfig({ ...shape, mup: { baseWidth: 32 } });
    const values = initialParameters(config, 1);
    const std = (name: string) => Math.sqrt(values[name]!.reduce((sum, x) => sum + x * x, 0) / values[name]!.length);
    expect([...new Set(values["layers.1.ffn.norm.gain"])]).toEqual([1]);
    expect([...new Set(values["layers.1.ffn.up.bias"])]).toEqual([0]);
    // 4 standard errors of the estimate: 4 / sqrt(2 * 64 * 256) = 2.2 %.
    expect(std("embedding.weight") / 0.02).toBeCloseTo(1, 1);
    expect(std("layers.0.ffn.up.weight") / (0.02 / Math.sqrt(2))).toBeCloseTo(1, 1);
    expect(std("layers.0.ffn.down.weight") / (0.02 / Math.sqrt(2) / Math.sqrt(4))).toBeCloseTo(1, 1);
  });

  it("depends on seed and name, and not on what else the model has", () => {
    const one = initialParameters(tinyModel({ numLayers: 1 }), 3);
    const two = initialParameters(tinyModel({ numLayers: 2 }), 3);
    expect(two["embedding.weight"]).toEqual(one["embedding.weight"]);
    expect(initialParameters(tinyModel(), 4)["embedding.weight"]).not.toEqual(one["embedding.weight"]);
    expect(two["layers.0.ffn.up.weight"]).not.toEqual(two["layers.1.ffn.up.weight"]);
  });
});

const shape = { family: "flm", vocabSize: 256, seqLen: 8, numLayers: 2, residualDim: 64, numKvHeads: 4 } as const;
