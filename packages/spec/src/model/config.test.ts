import { ConfigError } from "@espalier/core";
import { describe, expect, it } from "vitest";
import { modelConfig, mupRatio, numHeads, parseModelConfig } from "./config.ts";
import { preset } from "./presets.ts";

const shape = { family: "flm", vocabSize: 100, seqLen: 16, numLayers: 2, residualDim: 64, numKvHeads: 4 } as const;

describe("modelConfig", () => {
  it("gives FLM a 4C MLP, a tied head and head size C/N", () => {
    const config = modelConfig(shape);
    expect(config).toMatchObject({ ffnDim: 256, tiedHead: true, headDim: 16, groupSize: 1, mup: null });
    expect(config.multipliers).toEqual({ embedding: 1, logits: 1, attention: 0.25, residual: 1 });
  });

  it("gives Llama an MLP of 8C/3 rounded up to a multiple of 8 and an untied head", () => {
    expect(modelConfig({ ...shape, family: "llama" })).toMatchObject({ ffnDim: 176, tiedHead: false });
  });

  it("derives FLM-101B's output multiplier 2.0 / 40 from its width", () => {
    const { config } = preset("flm-101b");
    expect(mupRatio(config)).toBe(40);
    expect(config.multipliers.logits).toBeCloseTo(0.05, 12);
    expect(config.multipliers.attention).toBeCloseTo(1 / Math.sqrt(128), 12);
  });

  it("counts query heads over groups", () => {
    expect(numHeads(modelConfig({ ...shape, numKvHeads: 2, groupSize: 3, headDim: 16 }))).toBe(6);
  });
});

describe("parseModelConfig", () => {
  const valid = modelConfig(shape);
  it("returns what it was given, defaults filled in", () => {
    expect(parseModelConfig(JSON.parse(JSON.stringify(valid)))).toEqual(valid);
  });

  it.each([
    ["numLayers", { numLayers: -1 }],
    ["vocabSize", { vocabSize: 1.5 }],
    ["headDim", { headDim: 7 }],
    ["family", { family: "gpt" }],
    ["position.kind", { position: { kind: "alibi" } }],
    ["position.frequencies", { position: { kind: "rope", frequencies: [1, 0.1] } }],
    ["multipliers.logits", { multipliers: { ...valid.multipliers, logits: "2" } }],
    ["normEpsilon.final", { normEpsilon: { attention: 1e-5, ffn: 1e-5 } }],
  ])("names the field %s", (path, change) => {
    expect(() => parseModelConfig({ ...valid, ...change })).toThrow(ConfigError);
    expect(() => parseModelConfig({ ...valid, ...change })).toThrow(`model config: ${path}: `);
  });

  it("refuses unknown fields and things that are no object", () => {
    expect(() => parseModelConfig({ ...valid, hiddenSize: 64 })).toThrow(/hiddenSize/);
    expect(() => parseModelConfig(null)).toThrow("model config: found null, expected an object. Correct it.");
  });

  it("refuses a shape whose width does not divide into heads", () => {
    expect(() => modelConfig({ ...shape, numKvHeads: 5 })).toThrow(/model config: headDim: /);
  });
});
