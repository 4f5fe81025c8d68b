import type { PlacedTensor, Program } from "@espalier/graph";
import { describe, expect, it } from "vitest";
import { rungModel } from "../experiment/ladder.ts";
import { memoryByFormula, memoryOfPrograms, predictMemory } from "./memory.ts";

const tensor = (name: string, region: PlacedTensor["region"], bytes: number, id = 0): PlacedTensor => ({
  id, name, region, bytes, offset: 0, shape: [bytes / 4], dtype: "f32",
});
const program = (tensors: PlacedTensor[], arenaBytes: number): Program => ({
  tensors, instructions: [], arenaBytes, runtimeBytes: 64, outputBytes: 128,
});

describe("memoryOfPrograms", () => {
  it("counts the largest arena, each owned tensor once and every runtime buffer", () => {
    const step = program([tensor("weight", "owned", 400), tensor("gradient", "owned", 400), tensor("x", "arena", 4000)], 4096);
    const optimiser = program([tensor("weight", "owned", 400), tensor("gradient", "owned", 400), tensor("moment", "owned", 400)], 256);
    const memory = memoryOfPrograms([step, optimiser]);
    expect(memory.peakBytes).toBe(1200 + 4096 + 2 * (64 + 128));
    expect(memory.parts.reduce((sum, part) => sum + part.bytes, 0)).toBe(memory.peakBytes);
    expect(memory.interval).toEqual([memory.peakBytes, memory.peakBytes]);
  });
});

describe("predictMemory", () => {
  const model = rungModel({ numLayers: 2, residualDim: 32, headDim: 16 }, { vocabSize: 64, seqLen: 16 });

  it("prefers the plan and says which of the two it used", () => {
    expect(predictMemory({ programs: [program([], 4096)] }).source).toBe("plan");
    expect(predictMemory({ model, microBatchSize: 2 }).source).toBe("formula");
  });
  it("counts sixteen bytes of state a parameter and activations in proportion to the batch", () => {
    const part = (microBatchSize: number, name: string) =>
      memoryByFormula(model, microBatchSize).parts.find((row) => row.name === name)!.bytes;
    // 2 (12 * 32^2 + 13 * 32) + 64 * 32 + 2 * 32 = 27520 parameters.
    expect(part(1, "weights, gradients, moments")).toBe(16 * 27520);
    expect(part(6, "arena")).toBe(6 * part(1, "arena"));
  });
});
