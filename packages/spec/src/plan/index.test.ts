import { ConfigError } from "@espalier/core";
import { describe, expect, it } from "vitest";
import { modelConfig } from "../model/config.ts";
import { preset } from "../model/presets.ts";
import { numSteps, parseTrainPlan, tokensPerStep } from "./index.ts";

const growth = { operators: { residual: "msg", ffn: "msg", head: "msg" }, rampSteps: 10, rewarmSteps: 0, seed: 1 };
const plan = {
  name: "ladder",
  seed: 1,
  stages: [
    { name: "small", model: preset("flm-ladder-1").config, tokens: 100_000 },
    { name: "wide", model: preset("flm-ladder-2").config, tokens: 20_000, growth },
    {
      name: "deep",
      model: preset("flm-ladder-3").config,
      tokens: 500,
      growth: { ...growth, operators: { depth: "zeroDepth" } },
    },
  ],
  optimizer: { peakLearningRate: 6e-3 },
  microBatchSize: 8,
};

describe("parseTrainPlan", () => {
  it("fills in the paper's optimiser: AdamW 0.9 / 0.95, decay 0.1, clip 1", () => {
    const parsed = parseTrainPlan(plan);
    expect(parsed.optimizer).toMatchObject({ beta1: 0.9, beta2: 0.95, weightDecay: 0.1, clipNorm: 1, warmupSteps: 60 });
    expect(parsed.stages.map(({ learningRate }) => learningRate)).toEqual(["inherit", "inherit", "inherit"]);
    expect(parseTrainPlan(JSON.parse(JSON.stringify(parsed)))).toEqual(parsed);
  });

  const stage = (i: number, change: object) => ({
    ...plan,
    stages: plan.stages.map((s, j) => (i === j ? { ...s, ...change } : s)),
  });
  it.each<[string, object]>([
    ["stages: ", { ...plan, stages: [] }],
    ["stages.1.tokens: ", stage(1, { tokens: 0 })],
    ["stages.2.model.headDim: ", stage(2, { model: { ...plan.stages[2]!.model, headDim: 3 } })],
    ["stages.1.growth.operators", stage(1, { growth: { ...growth, operators: { vocab: "msg" } } })],
    ["optimizer.peakLearningRate: ", { ...plan, optimizer: { peakLearningRate: 0 } }],
    ["precision: ", { ...plan, precision: "fp16" }],
    ["stages.0.growth: ", stage(0, { growth })],
    ["stages.1.growth.rampSteps: ", stage(1, { growth: { ...growth, rampSteps: 21 } })],
    ["stages.2.growth: ", stage(2, { growth: undefined })],
    ["stages.1.model.residualDim: ", stage(1, { model: { ...plan.stages[1]!.model, residualDim: 24 } })],
  ])("names the field %s", (path, value) => {
    expect(() => parseTrainPlan(value)).toThrow(ConfigError);
    expect(() => parseTrainPlan(value)).toThrow(`train plan: ${path}`);
  });

  it("takes a shape for a model, with the defaults of its family", () => {
    const shape = { family: "llama", vocabSize: 512, seqLen: 64, numLayers: 2, residualDim: 64, numKvHeads: 2 } as const;
    const parsed = parseTrainPlan({ ...plan, stages: [{ name: "small", model: shape, tokens: 1000 }] });
    expect(parsed.stages[0]!.model).toEqual(modelConfig(shape));
    expect(parseTrainPlan(JSON.parse(JSON.stringify(parsed)))).toEqual(parsed);
    expect(() => parseTrainPlan(stage(0, { model: { ...shape, numHeads: 2 } }))).toThrow(/^train plan: stages\.0\.model: .*numHeads/);
    expect(() => parseTrainPlan(stage(0, { model: { ...shape, numKvHeads: 3 } }))).toThrow(/^train plan: stages\.0\.model\.headDim: /);
    expect(parseTrainPlan({ ...plan, stages: [{ name: "small", model: { ...shape, attentionBias: true }, tokens: 1000 }] }).stages[0]!.model).toEqual(modelConfig({ ...shape, attentionBias: true }));
    expect(() => parseTrainPlan(stage(0, { model: { ...shape, residualDim: 66 } }))).toThrow(/^train plan: stages\.0\.model\.headDim: must be even/);
  });

  it("says what was found and what is expected, of a misspelt field its name, and calls the plan what the caller does", () => {
    const { seed: _, ...without } = plan;
    expect(() => parseTrainPlan(without)).toThrow("train plan: seed: is missing, expected a number. Correct this field.");
    expect(() => parseTrainPlan({ ...without, sead: 1 }, "a.json")).toThrow('a.json: found "sead", which is no field here. Correct it.');
    expect(() => parseTrainPlan(stage(1, { tokens: -5 }))).toThrow("train plan: stages.1.tokens: found -5, expected more than 0. Correct this field.");
    expect(() => parseTrainPlan(stage(1, { tokens: "1" }), "a.json")).toThrow('a.json: stages.1.tokens: found "1", expected a number. Correct this field.');
    expect(() => parseTrainPlan({ ...plan, precision: "fp16" })).toThrow('precision: found "fp16", expected one of "fp32", "bf16".');
    expect(() => parseTrainPlan(stage(2, { growth: undefined }), "a.json")).toThrow(/^a\.json: stages\.2\.growth: found none/);
  });

  it("says what to do about a target that is smaller than its source", () => {
    expect(() => parseTrainPlan(stage(2, { model: { ...plan.stages[2]!.model, numLayers: 3 } }))).toThrow(
      "train plan: stages.2.model.numLayers: found 3, expected at least 4 as in the stage before. Growth never shrinks: choose a larger target.",
    );
  });
});

describe("numSteps", () => {
  it("rounds a stage's tokens to whole steps, at least one", () => {
    const parsed = parseTrainPlan({ ...plan, gradAccumSteps: 2 });
    expect(tokensPerStep(parsed, parsed.stages[0]!)).toBe(8 * 2 * 128);
    expect(parsed.stages.map((s) => numSteps(parsed, s))).toEqual([49, 10, 1]);
  });
});
