import { ConfigError } from "@espalier/core";
import { describe, expect, it } from "vitest";
import { parseModelConfig } from "./config.ts";
import { numParameters } from "./layout.ts";
import { preset, presets } from "./presets.ts";

describe("presets", () => {
  it("are valid configurations with names of their own and a reason each", () => {
    expect(new Set(presets.map(({ name }) => name)).size).toBe(presets.length);
    for (const { config, note, name } of presets) {
      expect(parseModelConfig(structuredClone(config)), name).toEqual(config);
      expect(note.length, name).toBeGreaterThan(20);
    }
  });

  it("FLM stages round to their published sizes and never shrink", () => {
    const stages = ["flm-16b", "flm-51b", "flm-101b"].map((name) => preset(name).config);
    const billions = stages.map((config) => numParameters(config) / 1e9);
    expect(billions.map((n) => n.toFixed(1))).toEqual(["15.6", "52.4", "101.7"]);
    for (const field of ["numLayers", "residualDim", "numKvHeads", "ffnDim"] as const) {
      const sizes = stages.map((config) => config[field]);
      expect(sizes, field).toEqual(sizes.toSorted((a, b) => a - b));
    }
    expect(stages.every(({ headDim, ffnDim, residualDim }) => headDim === 128 && ffnDim === 4 * residualDim)).toBe(
      true,
    );
    expect(presets.filter(({ name }) => /^flm-\d+b$/.test(name)).map(({ source }) => source)).toEqual([
      "assumed",
      "assumed",
      "published",
    ]);
  });

  it("the small ladder keeps about 1 : 4 : 8 without the embedding", () => {
    const blocks = [1, 2, 3]
      .map((i) => preset(`flm-ladder-${i}`).config)
      .map((c) => numParameters(c) - c.vocabSize * c.residualDim);
    expect(blocks.map((n) => Math.round(n / blocks[0]!))).toEqual([1, 4, 8]);
  });

  it("names the presets there are when asked for another", () => {
    expect(() => preset("gpt-2")).toThrow(ConfigError);
    expect(() => preset("gpt-2")).toThrow(/found "gpt-2", expected one of flm-16b, .*tinystories-656k/);
  });
});
