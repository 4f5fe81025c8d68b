/** Tensors stored in bf16: every kernel that may get them, and the plan of a program that has them. */
import { Graph, linearCrossEntropy, matmul, plan, type Program, referenceExecutor, rmsNorm, roundToBf16, type Tensor, add, differentiate, gelu } from "@espalier/graph";
import { describe, expect, it } from "vitest";
import { loadAddon } from "./addon.ts";
import { bf16Positions, fromBf16, storedInBf16, toBf16 } from "./bf16Storage.ts";
import { cpuExecutor } from "./cpuExecutor.ts";
import { NativeProgram } from "./nativeProgram.ts";
import { runInBf16, withRoundedInputs } from "./testing/bf16Case.ts";
import { largestError, runCase } from "./testing/opCase.ts";
import { opCases } from "./testing/opCases.ts";

/** Without the largest. */
const cases = opCases.filter(({ op, note }) => op in bf16Positions && !/V=9000/.test(note));

describe("ops with tensors in bf16", () => {
  it.each(cases.map((opCase) => [`${opCase.op} ${opCase.note}`, opCase] as const))("%s agree with the reference, in any order of threads", async (_, opCase) => {
    const expected = await runCase(referenceExecutor(), opCase, withRoundedInputs(opCase));
    const [found, ...others] = await Promise.all([1, 4].map((seed) => runInBf16(opCase, seed)));
    // bf16 keeps 8 bits: one rounding is at most 2^-9 of the largest; with bf16 products, rounded probabilities and g beside it.
    // The norm of a sum is that of the sum as it is stored, rounded once more.
    const allowed = 5e-3 * (opCase.patience ?? 1) * (/^add.*Norm$/.test(opCase.op) ? 2 : 1);
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
