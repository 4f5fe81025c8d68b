/** Tensors stored in bf16: every kernel that may get them, and the plan of a program that has them. */
import { Graph, linearCrossEntropy, matmul, plan, type Program, referenceExecutor, rmsNorm, roundToBf16, RuntimeInputs, type Tensor, add, differentiate, gelu } from "@espalier/graph";
import { describe, expect, it } from "vitest";
import { loadAddon } from "./addon.ts";
import { bf16Positions, fromBf16, storedInBf16, toBf16 } from "./bf16Storage.ts";
import { cpuExecutor } from "./cpuExecutor.ts";
import { emulatedCuda, openLibrary } from "./cudaLibrary.ts";
import { NativeBuffer } from "./nativeBuffer.ts";
import { NativeProgram } from "./nativeProgram.ts";
import { largestError, type OpCase, runCase, traceCase, valuesOf } from "./testing/opCase.ts";
import { opCases } from "./testing/opCases.ts";

/** Without the largest. */
const cases = opCases.filter(({ op, note }) => op in bf16Positions && !/V=9000/.test(note));

/** The outputs of a case on the emulation, with every tensor that may be in bf16. */
async function runInBf16(opCase: OpCase, seed: number): Promise<Float32Array[]> {
  const addon = loadAddon();
  const executor = addon.createExecutor(seed, undefined, -1, openLibrary(emulatedCuda()!));
  const { program } = traceCase(opCase);
  const isOwned = (id: number) => program.tensors[id]!.region === "owned";
  const { inputs, outputs } = program.instructions[0]!;
  const may = bf16Positions[opCase.op]!;
  const wanted = [...inputs.filter((_, i) => may.inputs.includes(i)), ...outputs.filter((id, i) => may.outputs.includes(i) && !isOwned(id))];
  const bf16 = new Set(wanted.filter((id) => program.tensors[id]!.dtype === "f32"));
  expect(bf16.size).toBeGreaterThan(0);
  const loaded = new NativeProgram(addon, executor, program, bf16);
  const runtime = new RuntimeInputs(program);
  inputs.forEach((_, i) => runtime.set(`input${i}`, valuesOf(opCase.inputs[i]!, opCase.op, "input", i)));
  inputs.forEach((id, i) => {
    if (!bf16.has(id)) return;
    const half = toBf16(valuesOf(opCase.inputs[i]!, opCase.op, "input", i) as Float32Array);
    runtime.bytes.set(new Uint8Array(half.buffer), program.tensors[id]!.offset);
  });
  const buffers = new Map(outputs.filter(isOwned).map((id) => {
    const i = outputs.indexOf(id);
    const buffer = new NativeBuffer(addon, executor, program.tensors[id]!.bytes);
    buffer.write(valuesOf(opCase.into![i]!, opCase.op, "into", i));
    loaded.bind(`into${i}`, buffer);
    return [id, buffer] as const;
  }));
  const bytes = new Uint8Array(program.outputBytes);
  await loaded.run(runtime.bytes, bytes);
  loaded.free();
  return outputs.map((id) => {
    const buffer = buffers.get(id);
    if (buffer) {
      const values = new Float32Array(buffer.bytes / 4);
      buffer.read(values);
      return values;
    }
    const { offset, shape } = program.tensors[id]!;
    const count = shape.reduce((a, b) => a * b, 1);
    return bf16.has(id) ? fromBf16(new Uint16Array(bytes.buffer, offset, count)) : new Float32Array(bytes.buffer, offset, count);
  });
}

describe("ops with tensors in bf16", () => {
  it.each(cases.map((opCase) => [`${opCase.op} ${opCase.note}`, opCase] as const))("%s agree with the reference, in any order of threads", async (_, opCase) => {
    const may = bf16Positions[opCase.op]!;
    const rounded = Object.fromEntries(opCase.inputs.flatMap((tensor, i) => {
      if (!may.inputs.includes(i) || tensor.dtype === "i32") return [];
      return [[`input${i}`, (valuesOf(tensor, opCase.op, "input", i) as Float32Array).map(roundToBf16)] as const];
    }));
    const expected = await runCase(referenceExecutor(), opCase, rounded);
    const [found, ...others] = await Promise.all([1, 4].map((seed) => runInBf16(opCase, seed)));
    // bf16 keeps 8 bits: one rounding is at most 2^-9 of the largest; with bf16 products, rounded probabilities and g beside it.
    const allowed = 5e-3 * (opCase.patience ?? 1);
    expected.forEach((values, i) => expect(largestError(values, found![i]!), `output ${i}`).toBeLessThanOrEqual(allowed));
    for (const other of others) expect(other).toEqual(found);
  });

  it("covers every op of the table", () => {
    const covered = new Set(cases.map(({ op }) => op));
    expect(Object.keys(bf16Positions).filter((op) => !covered.has(op))).toEqual([]);
  });
});

/** A little residual network with its gradients. */
function step(): Program {
  const [R, C, V] = [40, 32, 50];
  const graph = new Graph();
  const weights = ["a", "b"].map((name) => graph.owned(name, [C, C]));
  const gain = graph.owned("gain", [C]);
  const head = graph.owned("head", [V, C]);
  let x: Tensor = graph.runtime("x", [R, C]);
  for (const weight of weights) x = add(x, gelu(matmul(rmsNorm(x, gain), weight, { transB: true })));
  const { loss } = linearCrossEntropy(x, head, graph.runtime("targets", [R], "i32"), graph.runtime("weights", [R]));
  graph.output("loss", loss);
  differentiate({ loss, wrt: [...weights, gain, head] });
  return plan(graph);
}

describe("storedInBf16", () => {
  const before = step();
  const { program, bf16 } = storedInBf16(before);

  it("halves activations and leaves parameters, inputs, outputs and statistics as they are", () => {
    for (const { id, region, shape } of program.tensors) expect(bf16.has(id), `tensor ${id}`).toBe(region === "arena" && shape.length === 2 && shape[0] === 40);
    expect(program.arenaBytes).toBeLessThan(0.6 * before.arenaBytes);
  });

  it("gives tensors that are alive together places of their own", () => {
    const touched = (id: number) => program.instructions.flatMap(({ inputs, outputs }, index) => ([...inputs, ...outputs].includes(id) ? [index] : []));
    const arena = program.tensors.filter(({ region }) => region === "arena").map((tensor) => ({ ...tensor, at: touched(tensor.id) }));
    for (const a of arena) {
      expect(a.offset + a.bytes).toBeLessThanOrEqual(program.arenaBytes);
      for (const b of arena) {
        const together = a.id < b.id && a.at[0]! < b.at.at(-1)! && b.at[0]! < a.at.at(-1)!;
        if (together) expect(a.offset + a.bytes <= b.offset || b.offset + b.bytes <= a.offset, `${a.id} and ${b.id}`).toBe(true);
      }
    }
  });

  it("is refused by a device that keeps fp32 tensors", () => {
    const addon = loadAddon();
    expect(() => new NativeProgram(addon, addon.createExecutor(1, undefined, -1), program, bf16)).toThrow(/is bf16, and this device keeps fp32 tensors/);
    expect(cpuExecutor().load(before)).toBeInstanceOf(NativeProgram);
  });
});

describe("bf16 numbers", () => {
  it("are rounded to nearest, ties to even, and not-a-number stays one", () => {
    const values = Float32Array.of(0, -0, 1, 1 + 2 ** -8, 1 + 3 * 2 ** -8, 3.4e38, Infinity, -Infinity, 1e-40);
    expect(fromBf16(toBf16(values))).toEqual(values.map(roundToBf16));
    expect(fromBf16(toBf16(Float32Array.of(NaN)))[0]).toBeNaN();
  });
});
