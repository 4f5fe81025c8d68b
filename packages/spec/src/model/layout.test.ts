import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ModelConfig, modelConfig } from "./config.ts";
import { axisSize, gatePoints, layoutTable, numMatmulParameters, numParameters, parameters } from "./layout.ts";
import { preset } from "./presets.ts";

const shapes = fc.record({
  numLayers: fc.nat(4),
  residualDim: fc.integer({ min: 1, max: 40 }),
  ffnDim: fc.integer({ min: 1, max: 70 }),
  vocabSize: fc.integer({ min: 1, max: 99 }),
  numKvHeads: fc.integer({ min: 1, max: 4 }),
  groupSize: fc.integer({ min: 1, max: 3 }),
  headDim: fc.integer({ min: 1, max: 4 }).map((half) => 2 * half),
  tiedHead: fc.boolean(),
});

describe("numParameters", () => {
  it("is 12 L h^2 + 13 L h + V h + 2 h for a tied FLM with a 4h MLP", () => {
    fc.assert(
      fc.property(fc.nat(6), fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 999 }), (L, heads, V) => {
        const h = 8 * heads;
        const config = modelConfig({
          family: "flm",
          vocabSize: V,
          seqLen: 8,
          numLayers: L,
          residualDim: h,
          numKvHeads: heads,
        });
        expect(numParameters(config)).toBe(12 * L * h * h + 13 * L * h + V * h + 2 * h);
        expect(numParameters({ ...config, tiedHead: false })).toBe(numParameters(config) + V * h);
      }),
    );
  });

  it("reproduces FLM-101B: 100.66e9 in the matrices of blocks, 101.69e9 with the embedding, 101.70e9 in all", () => {
    const { config } = preset("flm-101b");
    const embedding = 100_352 * 10_240;
    expect((numMatmulParameters(config) - embedding) / 1e9).toBeCloseTo(100.66, 2);
    expect(numMatmulParameters(config) / 1e9).toBeCloseTo(101.69, 2);
    expect(numParameters(config) / 1e9).toBeCloseTo(101.7, 2);
  });

  it("reproduces the 656,000 parameters of TinyStories-656K", () => {
    expect(numParameters(preset("tinystories-656k").config)).toBe(656_000);
  });

  it("counts a Llama with grouped queries by hand", () => {
    fc.assert(
      fc.property(shapes, (shape) => {
        const config = modelConfig({ ...shape, family: "llama", seqLen: 8 });
        const {
          numLayers: L,
          residualDim: C,
          ffnDim: H,
          numKvHeads: G,
          groupSize,
          headDim: D,
          vocabSize: V,
          tiedHead,
        } = shape;
        const attention = C * D * (2 * G * groupSize + 2 * G);
        expect(numParameters(config)).toBe(L * (attention + 3 * C * H + 2 * C) + V * C * (tiedHead ? 1 : 2) + C);
      }),
    );
  });
});

describe("parameters", () => {
  it("names every tensor once, in order of execution, with the shape of its axes", () => {
    fc.assert(
      fc.property(shapes, fc.constantFrom("flm", "llama"), (shape, family) => {
        const config = modelConfig({ ...shape, family, seqLen: 8 });
        const all = parameters(config);
        const names = all.map(({ name }) => name);
        expect(new Set(names).size).toBe(names.length);
        expect([names[0], names.at(-1)]).toEqual([
          "embedding.weight",
          shape.tiedHead ? (family === "flm" ? "final.norm.bias" : "final.norm.gain") : "head.weight",
        ]);
        for (const { entry, rows, columns, shape: lengths } of all) {
          expect(lengths).toEqual(entry.axes.map(({ axis }) => axisSize(config, axis)));
          expect(rows * columns).toBe(lengths.reduce((a, b) => a * b, 1));
        }
      }),
    );
  });

  it("stores a query as rows of (key/value head, group, head size) over the residual stream", () => {
    const config = modelConfig({
      family: "llama",
      vocabSize: 9,
      seqLen: 8,
      numLayers: 1,
      residualDim: 10,
      numKvHeads: 2,
      groupSize: 3,
      headDim: 4,
    });
    const shapeOf = (name: string) =>
      parameters(config).find((p) => p.name === `layers.0.attention.${name}.weight`)!.shape;
    expect(shapeOf("query")).toEqual([2, 3, 4, 10]);
    expect(shapeOf("key")).toEqual([2, 4, 10]);
    expect(shapeOf("output")).toEqual([10, 2, 3, 4]);
  });
});

describe("layoutTable", () => {
  it.each(["flm", "llama"] as const)(
    "every axis that grows has a gate point, and no row lacks a column (%s)",
    (family) => {
      const gated = new Set(gatePoints.map(({ axis }) => axis));
      for (const entry of layoutTable({ family, tiedHead: true })) {
        for (const { axis } of entry.axes) {
          if (!["vocab", "headSize", "valueSize"].includes(axis)) expect(gated, entry.name).toContain(axis);
        }
        expect(entry.decay, entry.name).toBe(entry.name.endsWith(".weight"));
        expect(entry.numRowAxes).toBeLessThanOrEqual(entry.axes.length);
      }
    },
  );

  it("initialises as muP and GPT-2 do: s / sqrt(w), a further 1 / sqrt(2 L) on what writes the residual stream", () => {
    const config: ModelConfig = preset("flm-101b").config;
    const std = (name: string) => {
      const { init } = layoutTable(config).find((entry) => entry.name === name)!;
      return init.kind === "normal" ? init.std(config) : undefined;
    };
    expect(std("embedding.weight")).toBe(0.016);
    expect(std("ffn.up.weight")).toBeCloseTo(0.016 / Math.sqrt(40), 12);
    expect(std("ffn.down.weight")).toBeCloseTo(0.016 / Math.sqrt(40) / Math.sqrt(160), 12);
    expect(std("ffn.down.bias")).toBeUndefined();
  });
});
