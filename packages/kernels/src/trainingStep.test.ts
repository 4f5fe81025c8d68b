/**
 * A whole training step on every native path against the reference: one block with rotary attention, a gelu MLP and a
 * tied head; two micro-steps that accumulate, then norm and AdamW; fused and unfused.
 */
import { random } from "@espalier/core";
import {
  adamw,
  add,
  addBias,
  causalAttention,
  type DeviceBuffer,
  differentiate,
  embedding,
  type Executor,
  fuse,
  gelu,
  gradNorm,
  Graph,
  layerNorm,
  linearCrossEntropy,
  matmul,
  Outputs,
  plan,
  type Program,
  referenceExecutor,
  reshape,
  rotary,
  RuntimeInputs,
  type Tensor,
} from "@espalier/graph";
import { describe, expect, it } from "vitest";
import { availableBackends } from "./availableBackends.ts";
import { largestError } from "./testing/opCase.ts";

const [B, T, C, N, D, H, V] = [2, 9, 24, 3, 8, 40, 50];
const shapes: Record<string, number[]> = {
  "embedding": [V, C],
  "norm.gain": [C],
  "norm.bias": [C],
  "query": [N * D, C],
  "key": [N * D, C],
  "value": [N * D, C],
  "output": [C, N * D],
  "up": [H, C],
  "up.bias": [H],
  "down": [C, H],
};

function microStep(fused: boolean): Program {
  const graph = new Graph();
  const parameter = (name: string) => graph.owned(name, shapes[name]!);
  const project = (x: Tensor, name: string) => matmul(x, parameter(name), { transB: true });
  const heads = (x: Tensor) => reshape(x, [B, T, N, D]);
  const turned = (x: Tensor, side: "query" | "key") => rotary(x, { kind: "xpos", side, centre: 4, scaleBase: 8 });
  const x = embedding(graph.runtime("tokens", [B, T], "i32"), parameter("embedding"));
  const normed = layerNorm(x, parameter("norm.gain"), parameter("norm.bias"));
  const [q, k, v] = ["query", "key", "value"].map((name) => heads(project(normed, name))) as [Tensor, Tensor, Tensor];
  const attended = causalAttention(turned(q, "query"), turned(k, "key"), v, { scale: 1 / Math.sqrt(D) });
  const middle = add(x, project(reshape(attended, [B, T, N * D]), "output"));
  const inner = gelu(addBias(project(middle, "up"), parameter("up.bias")));
  const last = add(middle, project(inner, "down"));
  const { loss } = linearCrossEntropy(last, parameter("embedding"), graph.runtime("targets", [B, T], "i32"), graph.runtime("weights", [B, T]));
  graph.output("loss", loss);
  differentiate({ loss, wrt: Object.keys(shapes).map(parameter), accumulateFlag: graph.runtime("accumulateFlag", [1], "i32") });
  return plan(fused ? fuse(graph) : graph);
}

function optimizerStep(): Program {
  const graph = new Graph();
  const gradients = Object.entries(shapes).map(([name, shape]) => graph.owned(`grad:${name}`, shape));
  const norm = gradNorm(gradients);
  graph.output("norm", norm);
  Object.entries(shapes).forEach(([name, shape], i) => {
    const [parameter, m, v] = ["", "m:", "v:"].map((prefix) => graph.owned(prefix + name, shape)) as [Tensor, Tensor, Tensor];
    const state = { parameter, m, v };
    adamw(state, { gradient: gradients[i]!, norm, step: graph.runtime("step", [2]), births: graph.runtime("births", [1, 3]) }, { weightDecay: 0.1 });
  });
  return plan(graph);
}

/** Three steps of two micro-steps each; the losses and norms, then every parameter. */
async function train(executor: Executor, fused: boolean): Promise<{ scalars: number[]; parameters: Record<string, Float32Array> }> {
  const micro = executor.load(microStep(fused));
  const optimizer = executor.load(optimizerStep());
  const buffers = new Map<string, DeviceBuffer>();
  for (const loaded of [micro, optimizer]) {
    for (const { region, name, bytes } of loaded.program.tensors) {
      if (region !== "owned") continue;
      if (!buffers.has(name)) {
        const buffer = executor.allocate(bytes);
        const stream = random(3, name);
        const start = (i: number) => (name in shapes ? (name === "norm.gain" ? 1 : 0.2 * stream.normal(i)) : 0);
        buffer.write(Float32Array.from({ length: bytes / 4 }, (_, i) => start(i)));
        buffers.set(name, buffer);
      }
      loaded.bind(name, buffers.get(name)!);
    }
  }
  const inputs = new RuntimeInputs(micro.program);
  const outputs = new Outputs(micro.program);
  const optimizerInputs = new RuntimeInputs(optimizer.program);
  const optimizerOutputs = new Outputs(optimizer.program);
  const scalars: number[] = [];
  for (let step = 1; step <= 3; step++) {
    for (let part = 0; part < 2; part++) {
      const words = random(4, step, part);
      const tokens = Int32Array.from({ length: B * T }, (_, i) => words.integer(i, V));
      inputs.set("tokens", tokens).set("targets", tokens.map((token) => (token * 3 + 1) % V)).set("weights", 1 / (2 * B * T));
      inputs.set("accumulateFlag", part);
      await micro.run(inputs.bytes, outputs.bytes);
      scalars.push(outputs.number("loss"));
    }
    optimizerInputs.set("step", [0.01, 1]).set("births", [1 - 0.9 ** step, 1 - 0.95 ** step, 1]);
    await optimizer.run(optimizerInputs.bytes, optimizerOutputs.bytes);
    scalars.push(optimizerOutputs.number("norm"));
  }
  const parameters = Object.keys(shapes).map((name) => {
    const values = new Float32Array(buffers.get(name)!.bytes / 4);
    buffers.get(name)!.read(values);
    return [name, values] as const;
  });
  return { scalars, parameters: Object.fromEntries(parameters) };
}

/** Largest max |a - b| / max |a|, about four times what was measured: 1.7e-7 and 8.2e-7. */
const scalarTolerance = 8e-7;
const parameterTolerance = 3e-6;

describe.each(availableBackends().filter(({ name }) => name !== "reference"))("three training steps on $name", ({ create }) => {
  it.each([true, false])("give the losses, norms and parameters of the reference (fused: %s)", async (fused) => {
    const expected = await train(referenceExecutor(), false);
    const found = await train(create({ numThreads: 2, parallelGrain: 0 }), fused);
    expect(largestError(expected.scalars, found.scalars)).toBeLessThan(scalarTolerance);
    for (const name of Object.keys(shapes)) {
      expect(largestError(expected.parameters[name]!, found.parameters[name]!), name).toBeLessThan(parameterTolerance);
    }
  });

  it("give the same bits with one thread and with three", async () => {
    const [one, three] = await Promise.all([1, 3].map((numThreads) => train(create({ numThreads, parallelGrain: 0 }), true)));
    expect(three).toEqual(one);
  });
});
