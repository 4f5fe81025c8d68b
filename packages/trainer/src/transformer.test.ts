import { random } from "@espalier/core";
import { referenceExecutor, type ReferenceBuffer } from "@espalier/graph";
import { applyGrowth, composeGrowth, firstBirths, growBirths } from "@espalier/growth";
import { type ModelConfig, parameters } from "@espalier/spec/model";
import { describe, expect, it } from "vitest";
import { DeviceModel, type ModelState } from "./deviceModel.ts";
import { initialParameters } from "./initialise.ts";
import { microStepProgram, owned } from "./programs.ts";
import { relativeError } from "./testing/executors.ts";
import { tinyModel, VOCAB } from "./testing/runs.ts";

const shape = { B: 2, T: 6 };
const stream = random(2, "transformer test").sequence();
const ids = (length: number) => Int32Array.from({ length }, () => stream.integer(VOCAB));
const batch = { tokens: ids(12), targets: ids(12).map((id, i) => (i % 5 === 4 ? -1 : id)) };

/** Weights at which nothing is near zero: gains, biases and matrices all take part. */
function randomTree(config: ModelConfig): Record<string, Float32Array> {
  return Object.fromEntries(
    parameters(config).map(({ name, rows, columns }) => {
      const draw = random(9, name);
      const centre = name.endsWith("gain") ? 1 : 0;
      return [name, Float32Array.from({ length: rows * columns }, (_, i) => centre + 0.4 * draw.normal(i))];
    }),
  );
}

async function lossAndGradients(model: DeviceModel) {
  const { program, inputs, outputs } = model.program("micro", (gates) => microStepProgram(model.config, shape, gates));
  inputs[0].set("tokens", batch.tokens).set("targets", batch.targets).set("weights", 1 / 10).set("accumulateFlag", 0);
  model.setModelInputs(inputs[0]);
  await program.run(inputs[0].bytes, outputs.bytes);
  const loss = (program as unknown as { readFloat64(name: string): Float64Array }).readFloat64("loss")[0]!;
  return { loss, gradients: model.read(owned.gradient) };
}

async function logits(model: DeviceModel) {
  const { program, inputs, outputs } = model.logits(shape);
  inputs[0].set("tokens", batch.tokens);
  model.setModelInputs(inputs[0]);
  await program.run(inputs[0].bytes, outputs.bytes);
  return Float32Array.from(outputs.get("logits"));
}

const small = {
  "flm, tied": tinyModel({ seqLen: 6 }),
  "flm, untied, xpos, muP": tinyModel({ seqLen: 6, tiedHead: false, position: { kind: "xpos", scaleBase: 8, centre: 3 }, mup: { baseWidth: 4, inputMult: 2 } }),
  "llama, grouped heads": tinyModel({ seqLen: 6, family: "llama", groupSize: 2 }),
  "own rotary frequencies": tinyModel({ seqLen: 6, position: { kind: "rope", frequencies: [1, 0.3] } }),
};

/** The model grown on all four axes by MSG, at a ramp value between 0 and 1. */
function grown(source: ModelConfig, step: number): { state: ModelState; before: Record<string, Float32Array> } {
  const target = tinyModel({
    ...{ seqLen: 6, family: source.family, groupSize: source.groupSize, tiedHead: source.tiedHead, position: source.position },
    ...(source.mup ? { mup: { baseWidth: 4, inputMult: 2 } } : {}),
    numLayers: 2,
    residualDim: 12,
    ffnDim: 17,
    numKvHeads: 3,
  });
  const operators = { residual: "msg", ffn: "msg", head: "msg", depth: "msg" };
  const map = composeGrowth(source, target, { operators, rampSteps: 4, seed: 1 });
  const before = randomTree(source);
  const births = growBirths(firstBirths(source), map, { step: 10, rampSteps: 4 });
  return { before, state: { config: target, parameters: applyGrowth(map, before), births, step } };
}

describe("transformer", () => {
  it.each(Object.entries(small))("%s: every gradient agrees with finite differences, with and without gates", async (_, config) => {
    for (const state of [{ config, parameters: randomTree(config) }, grown(config, 12).state]) {
      const model = new DeviceModel(referenceExecutor(), state);
      const { gradients } = await lossAndGradients(model);
      const pick = random(4, "entries").sequence();
      for (const { name, rows, columns } of model.parameters) {
        const i = pick.integer(rows * columns);
        const buffer = model.buffer(name) as ReferenceBuffer;
        const value = buffer.values[i]!;
        const h = 1e-5;
        const losses = [];
        for (const moved of [value + h, value - h]) {
          buffer.values[i] = moved;
          losses.push((await lossAndGradients(model)).loss);
        }
        buffer.values[i] = value;
        // Central differences: error h^2 times the third derivative, below 1e-8 here; fp32 rounding of what is read back.
        const largest = gradients[name]!.reduce((a, b) => Math.max(a, Math.abs(b)), 1e-3);
        expect(Math.abs((losses[0]! - losses[1]!) / (2 * h) - gradients[name]![i]!) / largest, name).toBeLessThan(1e-6);
      }
    }
  });

  it.each(Object.entries(small))("%s: gates at 0 compute what the small model computes", async (_, config) => {
    const { before, state } = grown(config, 10);
    const a = await logits(new DeviceModel(referenceExecutor(), { config, parameters: before }));
    const b = await logits(new DeviceModel(referenceExecutor(), state));
    expect(relativeError(a, b)).toBeLessThan(1e-6);
    const half = await logits(new DeviceModel(referenceExecutor(), { ...state, step: 12 }));
    expect(relativeError(a, half)).toBeGreaterThan(1e-3);
  });

  it.each(Object.entries(small))("%s: gates at 1 compute what the plain large model computes", async (_, config) => {
    const { state } = grown(config, 10);
    const gated = new DeviceModel(referenceExecutor(), { ...state, births: { ...state.births!, events: state.births!.events.map((e) => ({ ...e })) } });
    const { program, inputs, outputs } = gated.logits(shape);
    inputs[0].set("tokens", batch.tokens);
    gated.setModelInputs(inputs[0]);
    for (const { name } of gated.gates()) inputs[0].set(name, 1);
    await program.run(inputs[0].bytes, outputs.bytes);
    const opened = Float32Array.from(outputs.get("logits"));
    const ended = new DeviceModel(referenceExecutor(), { ...state, step: 14 });
    expect(ended.gates()).toEqual([]);
    expect(relativeError(await logits(ended), opened)).toBeLessThan(1e-6);
  });

  it("reads no later token", async () => {
    const config = small["flm, tied"];
    const model = new DeviceModel(referenceExecutor(), { config, parameters: initialParameters(config, 1) });
    const before = await logits(model);
    batch.tokens[5] = (batch.tokens[5]! + 1) % VOCAB;
    const after = await logits(model);
    expect(after.subarray(0, 5 * VOCAB)).toEqual(before.subarray(0, 5 * VOCAB));
    expect(after.subarray(5 * VOCAB, 6 * VOCAB)).not.toEqual(before.subarray(5 * VOCAB, 6 * VOCAB));
  });

  it("says which parameter is missing", () => {
    const config = small["flm, tied"];
    const { "embedding.weight": _, ...rest } = initialParameters(config, 1);
    expect(() => new DeviceModel(referenceExecutor(), { config, parameters: rest })).toThrow(/embedding\.weight has none, expected 192/);
  });
});
