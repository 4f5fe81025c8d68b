/** AdamW on parameters that are bf16 in the memory of a GPU: updates below half a last bit are lost by nearest rounding, and kept in the mean by stochastic rounding. */
import { adamw, Graph, plan, type Program, RuntimeInputs } from "@espalier/graph";
import { describe, expect, it } from "vitest";
import { loadAddon } from "./addon.ts";
import { fromBf16, toBf16 } from "./bf16Storage.ts";
import { emulatedCuda, openLibrary } from "./cudaLibrary.ts";
import { NativeBuffer } from "./nativeBuffer.ts";
import { NativeProgram } from "./nativeProgram.ts";

const COUNT = 4099;

function updateProgram(stochasticSeed: number): Program {
  const graph = new Graph();
  const [parameter, m, v, gradient] = ["p", "m", "v", "g"].map((name) => graph.owned(name, [COUNT]));
  const inputs = { gradient: gradient!, norm: graph.runtime("norm", [1]), step: graph.runtime("step", stochasticSeed ? [3] : [2]), births: graph.runtime("births", [1, 3]) };
  adamw({ parameter: parameter!, m: m!, v: v! }, inputs, { weightDecay: 0, stochasticSeed });
  return plan(graph);
}

/** Parameters that begin at 1 after `steps` updates of -1/1024 each, a quarter of the distance to the next smaller number. */
async function updated(stochasticSeed: number, steps: number, emulationSeed = 1): Promise<Float32Array> {
  const addon = loadAddon();
  const executor = addon.createExecutor(emulationSeed, undefined, -1, openLibrary(emulatedCuda()!));
  const program = updateProgram(stochasticSeed);
  const id = program.tensors.find(({ name }) => name === "p")!.id;
  const tensors = program.tensors.map((tensor) => (tensor.id === id ? { ...tensor, bytes: 2 * COUNT } : tensor));
  const loaded = new NativeProgram(addon, executor, { ...program, tensors }, new Set([id]));
  const values: Record<string, Float32Array | Uint16Array> = {
    p: toBf16(new Float32Array(COUNT).fill(1)), m: new Float32Array(COUNT), v: new Float32Array(COUNT), g: new Float32Array(COUNT).fill(0.5),
  };
  const buffers = Object.fromEntries(Object.entries(values).map(([name, array]) => {
    const buffer = new NativeBuffer(addon, executor, array.byteLength);
    buffer.write(array);
    loaded.bind(name, buffer);
    return [name, buffer];
  }));
  const inputs = new RuntimeInputs(program);
  for (let step = 1; step <= steps; step++) {
    // With a constant gradient every update is the learning rate.
    inputs.set("norm", [1]).set("step", stochasticSeed ? [2 ** -10, 0, step] : [2 ** -10, 0]).set("births", [1 - 0.9 ** step, 1 - 0.95 ** step, 1]);
    await loaded.run(inputs.bytes, new Uint8Array(program.outputBytes));
  }
  const bits = new Uint16Array(COUNT);
  buffers.p!.read(bits);
  loaded.free();
  return fromBf16(bits);
}

const mean = (values: Float32Array) => values.reduce((sum, value) => sum + value, 0) / values.length;

describe("stochastic rounding of parameters in bf16", () => {
  it("keeps the mean of updates that nearest rounding loses", async () => {
    const steps = 4;
    expect(new Set(await updated(0, steps))).toEqual(new Set([1]));
    const found = await updated(7, steps);
    expect(new Set(found).size).toBeGreaterThan(1);
    // One update moves a number by 2^-8 with probability 1/4; four standard errors of the mean of 4099 after four steps.
    const standardError = (2 ** -8 * Math.sqrt((steps * 3) / 16)) / Math.sqrt(COUNT);
    expect(Math.abs(mean(found) - (1 - steps / 1024))).toBeLessThan(4 * standardError);
  });

  it("repeats with its seed, in any order of threads, and differs with another", async () => {
    const found = await updated(7, 2);
    expect(await updated(7, 2, 5)).toEqual(found);
    expect(await updated(8, 2)).not.toEqual(found);
  });
});
