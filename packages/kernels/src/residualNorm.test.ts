/** Sums joined with norms give the bits of the two ops apart: on every native path, and on CUDA with activations in bf16. */
import { add, type Executor, fuse, Graph, layerNorm, Outputs, plan, type Program, recordOp, rmsNorm, RuntimeInputs, scale, type Tensor } from "@espalier/graph";
import { describe, expect, it } from "vitest";
import { loadAddon } from "./addon.ts";
import { availableBackends } from "./availableBackends.ts";
import { emulatedCuda, openLibrary } from "./cudaLibrary.ts";
import { NativeProgram } from "./nativeProgram.ts";
import { valuesOf } from "./testing/opCase.ts";

type Norm = "layerNorm" | "rmsNorm";

/** `h = 2 a + b`, its norm y, and dx behind the norm added to what comes from above; what is stored in between passes through `scale`. */
function graphOf(norm: Norm, [R, C]: readonly [number, number]): Graph {
  const g = new Graph();
  const [a, b, dy, above] = ["a", "b", "dy", "above"].map((name) => scale(g.runtime(name, [R, C]), 2)) as [Tensor, Tensor, Tensor, Tensor];
  const [gain, bias] = [g.runtime("gain", [C]), g.runtime("bias", [C])];
  const [mean, rstd] = [g.runtime("mean", [R]), g.runtime("rstd", [R])];
  const h = add(a, b);
  const y = norm === "layerNorm" ? layerNorm(h, gain, bias) : rmsNorm(h, gain);
  const [dx] = norm === "layerNorm" ? recordOp("layerNormGrad", [dy, h, mean, rstd, gain]) : recordOp("rmsNormGrad", [dy, h, rstd, gain]);
  g.output("y", scale(y, 2));
  g.output("h", scale(h, 2));
  g.output("dh", scale(add(dx!, above), 2));
  return g;
}

function inputsOf(program: Program): RuntimeInputs {
  const runtime = new RuntimeInputs(program);
  for (const { region, name, shape } of program.tensors) if (region === "runtime") runtime.set(name, valuesOf({ shape }, name));
  return runtime;
}

async function resultsOf(executor: Executor, program: Program): Promise<Record<string, ArrayLike<number>>> {
  const outputs = new Outputs(program);
  const loaded = executor.load(program);
  await loaded.run(inputsOf(program).bytes, outputs.bytes);
  loaded.free();
  return Object.fromEntries(["y", "h", "dh"].map((name) => [name, outputs.get(name).slice()]));
}

const cases = (["layerNorm", "rmsNorm"] as const).flatMap((norm) => [[1, 5], [7, 96], [450, 97]].map((shape) => [norm, shape as [number, number]] as const));

describe.each(availableBackends())("sums joined with norms on $name", ({ create }) => {
  const executor = create({ numThreads: 2 });
  it.each(cases)("%s %j: the same bits as apart", async (norm, shape) => {
    const graph = graphOf(norm, shape);
    const [apart, joined] = [plan(graph), plan(fuse(graph))];
    expect(joined.instructions.map(({ op }) => op)).toEqual(expect.arrayContaining(norm === "layerNorm" ? ["addLayerNorm", "layerNormGradAdd"] : ["addRmsNorm", "rmsNormGradAdd"]));
    expect(await resultsOf(executor, joined)).toEqual(await resultsOf(executor, apart));
  });
});

describe("sums joined with norms in bf16", () => {
  it.each(cases)("%s %j: the norm is of the sum as it is stored", async (norm, shape) => {
    const graph = graphOf(norm, shape);
    const addon = loadAddon();
    const results = await Promise.all(
      [plan(graph), plan(fuse(graph))].map(async (program) => {
        const bf16 = new Set(program.tensors.filter(({ region, shape: [R, C] }) => region === "arena" && R === shape[0] && C === shape[1]).map(({ id }) => id));
        const loaded = new NativeProgram(addon, addon.createExecutor(1, undefined, -1, openLibrary(emulatedCuda()!)), program, bf16);
        const outputs = new Outputs(program);
        await loaded.run(inputsOf(program).bytes, outputs.bytes);
        loaded.free();
        return { y: outputs.get("y").slice(), h: outputs.get("h").slice() };
      }),
    );
    expect(results[1]).toEqual(results[0]);
  });
});
