import { describe, expect, it } from "vitest";
import { differentiate } from "./differentiate.ts";
import { fuse } from "./fuse.ts";
import { Graph } from "./graph.ts";
import { add } from "./ops/add.ts";
import { embedding } from "./ops/embedding.ts";
import { gelu } from "./ops/gelu.ts";
import { layerNorm } from "./ops/layerNorm.ts";
import { linearCrossEntropy } from "./ops/linearCrossEntropy.ts";
import { matmul } from "./ops/matmul.ts";
import { scale } from "./ops/scale.ts";
import { plan } from "./plan.ts";
import { gradientErrors, lossInputs, lossOn, relativeError } from "./testing/gradients.ts";
import { type NamedValues, session } from "./testing/run.ts";
import { type ToyShape, toy, trainingGraph, transformer, transformerInputs } from "./testing/transformer.ts";

const shapes: Record<string, ToyShape> = {
  "FLM: LayerNorm, biases, GELU, xPos, tied head": toy,
  "FLM in the middle of a growth ramp": { ...toy, gated: true },
  "Llama: RMSNorm, SwiGLU, grouped heads, RoPE": { ...toy, family: "llama", G: 1 },
  "Llama in the middle of a growth ramp": { ...toy, family: "llama", G: 1, gated: true },
};

describe("differentiate", () => {
  it.each(Object.entries(shapes))("agrees with finite differences for every parameter of a transformer: %s", async (_, shape) => {
    const errors = await gradientErrors((g) => transformer(g, shape), transformerInputs(shape));
    expect(Object.keys(errors).length).toBeGreaterThan(20);
    for (const [name, error] of Object.entries(errors)) expect(error, name).toBeLessThan(1e-6);
  });

  it("adds up micro-steps to the gradient of one large batch", async () => {
    const [small, large] = [toy, { ...toy, B: 2 * toy.B }];
    const micro = session(fuse(trainingGraph(small, true)));
    const whole = session(fuse(trainingGraph(large)));
    const weights = 1 / (large.B * large.T);
    const steps: NamedValues[] = [1, 2].map((seed) => ({ ...transformerInputs(small, seed), weights }));
    const joined = (name: "tokens" | "targets") => steps.flatMap((step) => step[name] as number[]);

    // Left over from an earlier step: the first micro-step must overwrite it.
    for (const { name, region } of micro.program.tensors) if (region === "owned" && name.startsWith("grad:")) micro.write(name, 1e9);
    const first = await micro.run({ ...steps[0], accumulateFlag: 0 });
    const second = await micro.run({ ...steps[1], accumulateFlag: 1 });
    const both = await whole.run({ tokens: joined("tokens"), targets: joined("targets"), weights });

    expect(first.loss[0] + second.loss[0]).toBeCloseTo(both.loss[0], 12);
    const gradients = whole.program.tensors.filter(({ name, region }) => region === "owned" && name.startsWith("grad:"));
    expect(gradients.length).toBeGreaterThan(20);
    for (const { name } of gradients) expect(relativeError(whole.read(name), micro.read(name)), name).toBeLessThan(1e-12);
  });

  it("gives the first writer of a tied gradient the flag and lets later ones add", () => {
    const g = new Graph();
    const table = g.owned("table", [5, 3]);
    const x = embedding(g.runtime("tokens", [4], "i32"), table);
    const { loss } = linearCrossEntropy(x, table, g.runtime("targets", [4], "i32"), g.runtime("weights", [4]));
    differentiate({ loss, wrt: [table], accumulateFlag: g.runtime("accumulateFlag", [1], "i32") });
    const writers = g.nodes.filter(({ outputs }) => outputs.includes(g.find("grad:table")!.id));
    expect(writers.map(({ op, attributes }) => [op, attributes.accumulate])).toEqual([
      ["linearCrossEntropyGrad", 2],
      ["embeddingGrad", 1],
    ]);
  });

  it("accumulates the gradient of a parameter that enters elementwise ops", async () => {
    const trace = (g: Graph) => {
      const [x, position] = [g.owned("x", [4, 3]), g.owned("position", [4, 3])];
      return { loss: lossOn(add(gelu(position), add(x, position))), wrt: [x, position] };
    };
    const errors = await gradientErrors(trace, lossInputs(4));
    expect(Math.max(errors.x, errors.position)).toBeLessThan(1e-6);
  });

  it("records nothing behind tensors that need no gradient", () => {
    const g = new Graph();
    const [x, frozen, learned] = [g.owned("x", [4, 3]), g.owned("frozen", [3, 3]), g.owned("learned", [3, 3])];
    const h = matmul(gelu(matmul(x, frozen)), learned);
    const loss = lossOn(h);
    g.output("loss", loss);
    differentiate({ loss, wrt: [learned] });
    // Of the first product and the activation there is only the forward pass.
    expect(plan(g).instructions.map(({ op }) => op)).toEqual([
      "matmul",
      "gelu",
      "matmul",
      "linearCrossEntropy",
      "linearCrossEntropyGrad",
      "matmul",
    ]);
  });

  it("writes into the tensors that gradientOf names, and returns them by parameter", () => {
    const g = new Graph();
    const x = g.owned("x", [4, 3]);
    const gradients = differentiate({ loss: lossOn(scale(x, 2)), wrt: [x], gradientOf: (name) => `${name}.gradient` });
    expect([...gradients].map(([name, tensor]) => [name, tensor.name, tensor.shape])).toEqual([["x", "x.gradient", [4, 3]]]);
  });

  it("refuses a loss of another kind, parameters that do not matter, and tensors that are not parameters", () => {
    const g = new Graph();
    const x = g.owned("x", [4, 3]);
    const y = scale(x, 2);
    const loss = lossOn(y);
    expect(() => differentiate({ loss: y, wrt: [x] })).toThrow("differentiate: loss: found 'scale.0', expected the loss of linearCrossEntropy.");
    expect(() => differentiate({ loss, wrt: [x, g.owned("idle", [2])] })).toThrow(
      "differentiate: wrt: 'idle' does not reach the loss, expected every parameter to.",
    );
    expect(() => differentiate({ loss, wrt: [y] })).toThrow("differentiate: wrt: 'scale.0' is arena f32, expected owned f32.");
  });

  it("refuses a gain and a bias whose gradients are not written alike", () => {
    const g = new Graph();
    const [x, gain, first, second] = [g.owned("x", [4, 3]), g.owned("gain", [3]), g.owned("first", [3]), g.owned("second", [3])];
    const y = layerNorm(layerNorm(x, gain, first), gain, second);
    const wrt = [gain, first, second];
    expect(() => differentiate({ loss: lossOn(y), wrt })).toThrow("normParameterGrad: gain and bias: accumulate modes are 1 and 0, expected equal ones.");
  });
});

describe("replay", () => {
  it("follows runtime inputs that change between runs, and repeats itself to the last bit", async () => {
    const shape = shapes["FLM in the middle of a growth ramp"];
    const inputs: NamedValues = transformerInputs(shape);
    const { run, read } = session(fuse(trainingGraph(shape)));
    const state = async (changed: NamedValues) => {
      const { loss } = await run({ ...inputs, ...changed });
      return { loss: loss[0], embedding: read("grad:embedding") };
    };
    const [ramping, grown, again] = [await state({}), await state({ channels: 1, units: 1, layer: 1 }), await state({})];
    expect(again).toEqual(ramping);
    expect(grown.loss).not.toBe(ramping.loss);

    // Gates of 1 are no gates: the same numbers as the graph that was traced without them.
    const plain = session(fuse(trainingGraph({ ...shape, gated: false })));
    const { loss } = await plain.run(transformerInputs({ ...shape, gated: false }));
    expect(grown.loss).toBeCloseTo(loss[0], 14);
    expect(relativeError(plain.read("grad:embedding"), grown.embedding)).toBeLessThan(1e-12);
  });
});
