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

/** On shapes of both families the formula is within 1 % of the plan (`packages/reproduce/src/plannedMemory.test.ts`); growth gates and other fusions move it a little. */
const FORMULA_SPREAD = 1.02;

/**
 * Memory of an fp32 training step before a program exists: weights, gradients and two moments, 4 bytes each, and what the
 * plan's arena holds at its fullest. Kept per token and block until its backward pass: both norm outputs and residual
 * states, query, key, value and context, the MLP before and after its activation (and gate), statistics of norms (mean
 * and deviation of LayerNorm, deviation of RMSNorm) and of attention (one a head). On top, where the backward pass of the
 * last block begins: `3 C + 5`, since the gradient of GELU is written over what it is the gradient of; with a gate
 * `max(C + 2 H, 3 C + 4)`.
 */
export function memoryByFormula(model: ModelConfig, microBatchSize: number): MemoryPrediction {
  const { residualDim: C, ffnDim: H, headDim: D, numKvHeads: G, numLayers: L, seqLen: T } = model;
  const N = numHeads(model);
  const gated = model.family !== "flm";
  const rows = microBatchSize * T;
  const state = 4 * 4 * numParameters(model);
  const perLayer = 4 * C + (2 * N + 2 * G) * D + (gated ? 3 : 2) * H + (gated ? 2 : 4) + N;
  const transient = gated ? Math.max(C + 2 * H, 3 * C + 4) : 3 * C + 5;
  const arena = 4 * rows * (L * perLayer + transient);
  const io = 4 * 3 * rows + 2 * 64; // tokens, targets, weights; a flag and the loss on lines of their own
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
