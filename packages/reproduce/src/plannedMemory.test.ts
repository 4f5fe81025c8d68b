import { clusterLayout, clusterModel, cluster, memoryByFormula, memoryOfPrograms, predictClusterMemory } from "@espalier/cost";
import { type ModelConfig, modelConfig, numParameters } from "@espalier/spec/model";
import { microStepProgram } from "@espalier/trainer";
import { describe, expect, it } from "vitest";
import { growthBytes, plannedBytes } from "./plannedMemory.ts";

/** Shapes that are executed here: ladders of both families, narrow and wide MLPs, grouped queries, one and many layers. */
const shapes: [string, Partial<ModelConfig> & Pick<ModelConfig, "family" | "numLayers" | "residualDim" | "numKvHeads" | "headDim" | "vocabSize" | "seqLen">, number][] = [
  ["FLM ladder, first", { family: "flm", numLayers: 4, residualDim: 48, numKvHeads: 2, headDim: 24, vocabSize: 1024, seqLen: 128 }, 8],
  ["FLM ladder, last", { family: "flm", numLayers: 8, residualDim: 96, numKvHeads: 4, headDim: 24, vocabSize: 1024, seqLen: 128 }, 8],
  ["FLM, wide", { family: "flm", numLayers: 4, residualDim: 512, numKvHeads: 8, headDim: 64, vocabSize: 8192, seqLen: 256 }, 4],
  ["FLM, large vocabulary", { family: "flm", numLayers: 6, residualDim: 384, numKvHeads: 6, headDim: 64, vocabSize: 50304, seqLen: 128 }, 2],
  ["FLM, narrow MLP", { family: "flm", numLayers: 3, residualDim: 256, ffnDim: 256, numKvHeads: 4, headDim: 64, vocabSize: 512, seqLen: 64 }, 8],
  ["FLM, one layer", { family: "flm", numLayers: 1, residualDim: 48, ffnDim: 144, numKvHeads: 2, headDim: 24, vocabSize: 512, seqLen: 256 }, 3],
  ["Llama", { family: "llama", numLayers: 8, residualDim: 96, numKvHeads: 4, headDim: 24, vocabSize: 1024, seqLen: 128 }, 8],
  ["Llama, grouped queries", { family: "llama", numLayers: 5, residualDim: 192, ffnDim: 768, numKvHeads: 2, groupSize: 3, headDim: 32, vocabSize: 2048, seqLen: 128 }, 4],
  ["Llama, untied, narrow MLP", { family: "llama", numLayers: 2, residualDim: 128, ffnDim: 96, numKvHeads: 4, headDim: 32, vocabSize: 512, seqLen: 64, tiedHead: false }, 16],
];
const config = (shape: (typeof shapes)[number][1]) => modelConfig(shape as Parameters<typeof modelConfig>[0]);
const part = (memory: { parts: readonly { name: string; bytes: number }[] }, name: string) => memory.parts.find((p) => p.name === name)!.bytes;

describe("memoryByFormula", () => {
  it.each(shapes)("is within 2 %% of the plan's arena: %s", (_, shape, B) => {
    const model = config(shape);
    const formula = memoryByFormula(model, B);
    const planned = memoryOfPrograms([microStepProgram(model, { B, T: model.seqLen })]);
    expect(Math.abs(part(formula, "arena") / part(planned, "arena") - 1)).toBeLessThan(0.02);
    expect(part(formula, "runtime inputs and outputs") / part(planned, "runtime inputs and outputs")).toBeCloseTo(1, 1);
    // The micro-step owns weights and gradients; the formula adds both moments.
    expect(part(formula, "weights, gradients, moments")).toBe(2 * part(planned, "weights, gradients, moments"));
  });
});

describe("predictClusterMemory", () => {
  it.each(shapes)("keeps the activations of a layer that the plan keeps, within 2 %%: %s", (_, shape, B) => {
    const planned = (numLayers: number) => {
      const model = config({ ...shape, numLayers });
      return part(memoryOfPrograms([microStepProgram(model, { B, T: model.seqLen })]), "arena");
    };
    const layer = planned(shape.numLayers + 1) - planned(shape.numLayers);
    const model = clusterModel(config({ ...shape, numLayers: 1 }));
    const { stages } = predictClusterMemory(model, clusterLayout({ globalBatchSize: B, microBatchSize: B }), cluster("A800-SXM-80GB", 1));
    // bf16 there, fp32 here.
    expect(Math.abs((2 * part(stages[0]!, "activations")) / layer - 1)).toBeLessThan(0.02);
  });
  it.each(shapes)("holds as much in all as the plan, weights, gradients, state and activations, within 2 %%: %s", (_, shape, B) => {
    const planned = (numLayers: number) => {
      const model = config({ ...shape, numLayers });
      return memoryOfPrograms([microStepProgram(model, { B, T: model.seqLen })]);
    };
    const [own, deeper] = [planned(shape.numLayers), planned(shape.numLayers + 1)];
    // The micro-step owns weights and gradients, 4 bytes each; both moments double them.
    const plan = 2 * part(own, "weights, gradients, moments") + shape.numLayers * (part(deeper, "arena") - part(own, "arena"));
    const model = clusterModel(config(shape));
    const layout = clusterLayout({ globalBatchSize: B, microBatchSize: B, sharding: "none" });
    const { stages } = predictClusterMemory(model, layout, cluster("A800-SXM-80GB", 1));
    const [stage] = stages;
    // There 2 bytes of weights, 4 of gradients and 12 of state a parameter, and bf16 activations; here 16 bytes and fp32.
    const state = part(stage!, "weights") + part(stage!, "gradients") + part(stage!, "optimiser state") + part(stage!, "embedding tables");
    expect(Math.abs(((16 / 18) * state + 2 * part(stage!, "activations")) / plan - 1)).toBeLessThan(0.02);
  });
});

describe("plannedBytes", () => {
  const [small, large] = [config(shapes[0]![1]), config(shapes[1]![1])];
  const validation = { tokens: new Uint32Array(1000) } as Parameters<typeof plannedBytes>[2]["validation"];

  it("counts 28 bytes a parameter of the source and 12 of the target while a job grows", () => {
    expect(growthBytes([small])).toBe(0);
    expect(growthBytes([small, large])).toBe(28 * numParameters(small) + 12 * numParameters(large));
    expect(growthBytes([small, small, large])).toBe(growthBytes([small, large]));
    const job = (models: readonly ModelConfig[]) => plannedBytes(models, 8, { validation });
    expect(job([small, large]) - job([large])).toBe(growthBytes([small, large]));
  });

  it("counts the weights, gradients and moments of the last stage once, and the validation tokens", () => {
    const planned = memoryOfPrograms([microStepProgram(large, { B: 8, T: large.seqLen })]);
    const kept = plannedBytes([large], 8, { validation }) - planned.peakBytes - 4 * 1000;
    expect(kept).toBeGreaterThanOrEqual(8 * numParameters(large));
    expect(kept).toBeLessThan(8 * numParameters(large) + planned.peakBytes / 2); // the kernels' room
  });
});
