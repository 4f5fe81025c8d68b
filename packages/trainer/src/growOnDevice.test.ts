/** Growth on the device against the host's, on every backend: parameters and moments, each operator. */
import { random } from "@espalier/core";
import { applyGrowth, composeGrowth, growBirths, growMoments } from "@espalier/growth";
import { availableBackends } from "@espalier/kernels";
import { type ModelConfig, parameters } from "@espalier/spec/model";
import type { GrowthStep } from "@espalier/spec/plan";
import { describe, expect, it } from "vitest";
import { DeviceModel, type Tree } from "./deviceModel.ts";
import { initialParameters } from "./initialise.ts";
import { growOnDevice } from "./growOnDevice.ts";
import { owned } from "./programs.ts";
import { tinyModel } from "./testing/runs.ts";

const source = tinyModel({ numLayers: 2, residualDim: 16, ffnDim: 24, numKvHeads: 2, headDim: 8 });
const target = (changes: Partial<Parameters<typeof tinyModel>[0]>) => tinyModel({ numLayers: 2, residualDim: 16, ffnDim: 24, numKvHeads: 2, headDim: 8, ...changes });
const wider = { residualDim: 32, ffnDim: 48, numKvHeads: 4 };

const growths: [string, ModelConfig, GrowthStep["operators"]][] = [
  ["every axis by MSG", target({ numLayers: 3, residualDim: 24, ffnDim: 40, numKvHeads: 3 }), { residual: "msg", ffn: "msg", head: "msg", depth: "msg" }],
  ["copies of every unit", target(wider), { residual: "hyperCloning", ffn: "hyperCloning", head: "hyperCloning" }],
  ["layers stacked", target({ numLayers: 4 }), { depth: "stack" }],
  ["a mean of two layers between them", target({ numLayers: 3 }), { depth: "averageDepth" }],
  ["fresh layers, and units read in unequal shares", target({ numLayers: 4, ffnDim: 40, numKvHeads: 3 }), { depth: "randomDepth", ffn: "lemon", head: "lemon" }],
  ["channels scaled", target({ residualDim: 24 }), { residual: "sparkling" }],
  ["every weight shrunk and perturbed", target(wider), { residual: "shrinkPerturb", ffn: "shrinkPerturb", head: "shrinkPerturb" }],
];

function moments(config: ModelConfig, label: string): Tree {
  return Object.fromEntries(parameters(config).map(({ name, rows, columns }) => {
    const draw = random(4, label, name);
    return [name, Float32Array.from({ length: rows * columns }, (_, i) => draw.uniform(i))];
  }));
}

describe.each(availableBackends().filter(({ name }) => /reference|portable|cuda/.test(name)))("growth on $name", ({ create }) => {
  it.each(growths)("%s: gives the host's tensors", async (_, config, operators) => {
    const map = composeGrowth(source, config, { operators, rampSteps: 4, seed: 3 });
    const state = { config: source, parameters: initialParameters(source, 5), moments: { first: moments(source, "m"), second: moments(source, "v") } };
    const model = new DeviceModel(create(), state);
    const births = growBirths(model.births, map, { step: 0, rampSteps: 4 });
    const grown = await growOnDevice(model, map, births);
    const expected = {
      parameters: applyGrowth(map, state.parameters),
      first: growMoments(map, state.moments.first, { order: 1 }),
      second: growMoments(map, state.moments.second, { order: 2 }),
    };
    const found = { parameters: grown.read(), first: grown.read(owned.firstMoment), second: grown.read(owned.secondMoment) };
    for (const part of ["parameters", "first", "second"] as const) {
      expect(Object.keys(found[part])).toEqual(Object.keys(expected[part]));
      for (const [name, values] of Object.entries(expected[part])) {
        // One fp32 rounding of what the host sums in fp64.
        values.forEach((value, i) => {
          if (!(Math.abs(found[part][name]![i]! - value) <= 2e-7 * Math.max(1, Math.abs(value)))) expect(found[part][name]![i], `${part} ${name}[${i}]`).toBe(value);
        });
      }
    }
    model.free();
    grown.free();
  });
});
