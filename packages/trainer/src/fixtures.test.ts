import { parameters } from "@espalier/spec/model";
import { describe, expect, it } from "vitest";
import { DeviceModel } from "./deviceModel.ts";
import { zeroMoments } from "./initialise.ts";
import { trainStep } from "./optimizer.ts";
import { owned } from "./programs.ts";
import { fixtureNames, readFixture } from "./testing/fixture.ts";
import { relativeError, testedExecutors } from "./testing/executors.ts";

const B = 2;
const MICRO_BATCHES = 2;
const STEPS = 3;

describe.each(testedExecutors())("PyTorch's values on $name", ({ make, tolerance }) => {
  it.each(fixtureNames)("%s: logits, loss, every gradient and three AdamW steps", async (name) => {
    const fixture = await readFixture(name);
    const { config, tokens, targets, learningRates } = fixture;
    const T = config.seqLen;
    const names = parameters(config).map((parameter) => parameter.name);
    const model = new DeviceModel(make(), {
      config,
      parameters: Object.fromEntries(names.map((each) => [each, Float32Array.from(fixture.values(`start:${each}`))])),
      moments: { first: zeroMoments(config), second: zeroMoments(config) },
    });
    const microBatch = (step: number, micro: number) => {
      const from = (step * MICRO_BATCHES + micro) * B * T;
      return { tokens: tokens.slice(from, from + B * T), targets: targets.slice(from, from + B * T) };
    };
    const errors: Record<string, number> = {};

    const { program, inputs, outputs } = model.logits({ B, T });
    inputs[0].set("tokens", microBatch(0, 0).tokens);
    model.setModelInputs(inputs[0]);
    await program.run(inputs[0].bytes, outputs.bytes);
    errors.logits = relativeError(fixture.values("logits"), outputs.get("logits"));

    for (let step = 0; step < STEPS; step++) {
      const stepTargets = targets.subarray(step * MICRO_BATCHES * B * T, (step + 1) * MICRO_BATCHES * B * T);
      const { loss, gradNorm } = await trainStep(model, {
        shape: { B, T },
        numMicroBatches: MICRO_BATCHES,
        numTargets: stepTargets.filter((target) => target >= 0).length,
        batch: (micro) => microBatch(step, micro),
        learningRate: learningRates[step]!,
        optimizer: { ...fixture.optimizer, peakLearningRate: 1, finalShare: 0, warmupSteps: 0 },
      });
      errors[`loss ${step}`] = relativeError([fixture.losses[step]!], [loss]);
      errors[`norm ${step}`] = relativeError([fixture.gradNorms[step]!], [gradNorm]);
      if (step === 0) {
        const gradients = model.read(owned.gradient);
        for (const each of names) errors[`gradient ${each}`] = gradientError(fixture.values(`gradient:${each}`), gradients[each]!, gradNorm);
      }
      const values = model.read();
      for (const each of names) errors[`step${step + 1} ${each}`] = relativeError(fixture.values(`step${step + 1}:${each}`), values[each]!);
    }
    const moments = { m: model.read(owned.firstMoment), v: model.read(owned.secondMoment) };
    for (const each of names) {
      errors[`m ${each}`] = gradientError(fixture.values(`m:${each}`), moments.m[each]!, fixture.gradNorms[0]!);
      errors[`v ${each}`] = gradientError(fixture.values(`v:${each}`), moments.v[each]!, fixture.gradNorms[0]! ** 2);
    }
    expect(Object.entries(errors).filter(([, error]) => !(error <= tolerance))).toEqual([]);
    model.free();
  });
});

/** Relative error; for a gradient that is 0 but for rounding, the size of ours in that of all gradients. */
function gradientError(expected: Float64Array, found: Float32Array, scale: number): number {
  const vanishes = expected.every((value) => Math.abs(value) < 1e-14 * scale);
  return vanishes ? found.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0) / scale : relativeError(expected, found);
}
