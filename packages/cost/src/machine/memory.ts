import type { Program } from "@espalier/graph";
import { type ModelConfig, numHeads, numParameters } from "@espalier/spec/model";

/** Bytes of a training step by what they hold. The parts sum to `peakBytes`. */
export interface MemoryPrediction {
  peakBytes: number;
  parts: readonly { name: "weights, gradients, moments" | "arena" | "runtime inputs and outputs"; bytes: number }[];
  /** Exact when it was read off planned programs. */
  interval: readonly [number, number];
  source: "plan" | "formula";
}

/**
 * Peak memory of programs that share one arena: the largest arena, each owned tensor once, and the runtime and output
 * buffers of every program. This is the plan, not an estimate.
 */
export function memoryOfPrograms(programs: readonly Program[]): MemoryPrediction {
  const owned = new Map<string, number>();
  for (const { tensors } of programs) {
    for (const { region, name, bytes } of tensors) if (region === "owned") owned.set(name, bytes);
  }
  const ownedBytes = [...owned.values()].reduce((a, b) => a + b, 0);
  const arena = Math.max(0, ...programs.map((program) => program.arenaBytes));
  const io = programs.reduce((sum, program) => sum + program.runtimeBytes + program.outputBytes, 0);
  const peakBytes = ownedBytes + arena + io;
  return {
    peakBytes,
    parts: [
      { name: "weights, gradients, moments", bytes: ownedBytes },
      { name: "arena", bytes: arena },
      { name: "runtime inputs and outputs", bytes: io },
    ],
    interval: [peakBytes, peakBytes],
    source: "plan",
  };
}

/**
 * The planner's arena was 1.1 to 3.2 % above the formula on six FLM shapes (L 2 to 8, C 32 to 192, batch 8 x 128); other
 * families, fusions and gates are given this much either way.
 */
const FORMULA_SPREAD = 1.15;

/**
 * Memory of an fp32 training step before a program exists: weights, gradients and two moments, 4 bytes each, and the
 * activations that backward needs. Per token and block: both norm outputs, query, key, value, context, both residual
 * states, and the MLP before and after its activation.
 */
export function memoryByFormula(model: ModelConfig, microBatchSize: number): MemoryPrediction {
  const { residualDim: C, ffnDim: H, headDim: D, numKvHeads: G, numLayers: L, seqLen: T } = model;
  const N = numHeads(model);
  const rows = microBatchSize * T;
  const state = 4 * 4 * numParameters(model);
  const perLayer = 4 * C + (2 * N + 2 * G) * D + (model.family === "flm" ? 2 : 3) * H;
  const arena = 4 * rows * (L * perLayer + 4 * C);
  const io = 4 * 2 * rows;
  const peakBytes = state + arena + io;
  return {
    peakBytes,
    parts: [
      { name: "weights, gradients, moments", bytes: state },
      { name: "arena", bytes: arena },
      { name: "runtime inputs and outputs", bytes: io },
    ],
    interval: [state + io + arena / FORMULA_SPREAD, state + io + arena * FORMULA_SPREAD],
    source: "formula",
  };
}

/** Peak memory of a training step: off the plan when programs are given, else by formula. */
export function predictMemory(input: { programs: readonly Program[] } | { model: ModelConfig; microBatchSize: number }): MemoryPrediction {
  return "programs" in input ? memoryOfPrograms(input.programs) : memoryByFormula(input.model, input.microBatchSize);
}
