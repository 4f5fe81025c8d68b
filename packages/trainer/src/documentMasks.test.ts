import { random, ConfigError } from "@espalier/core";
import { referenceExecutor } from "@espalier/graph";
import { cpuExecutor } from "@espalier/kernels";
import { type ModelConfig, parameters } from "@espalier/spec/model";
import { documentStarts } from "@espalier/tokenizer";
import { describe, expect, it } from "vitest";
import { openCheckpoint, readModelState } from "./checkpoint.ts";
import { DeviceModel } from "./deviceModel.ts";
import { probeGrowth } from "./probeGrowth.ts";
import { logitsProgram } from "./programs.ts";
import { readEvents } from "./runDirectory.ts";
import { relativeError } from "./testing/executors.ts";
import { SEPARATOR, temporaryDirectory, tinyData, tinyModel, tinyPlan, tinyRun } from "./testing/runs.ts";
import { train } from "./train.ts";
import { comparisonLogits, validateCheckpoint, validationSet } from "./validation.ts";

const models: Record<string, ModelConfig> = {
  "rotary": tinyModel({ seqLen: 12, numLayers: 2 }),
  "xpos": tinyModel({ seqLen: 12, position: { kind: "xpos", scaleBase: 8, centre: 3 } }),
  "learned positions": tinyModel({ seqLen: 12, position: { kind: "learned" } }),
  "llama, grouped heads": tinyModel({ seqLen: 12, family: "llama", groupSize: 2, numLayers: 2 }),
};
const weights = (config: ModelConfig) =>
  Object.fromEntries(parameters(config).map(({ name, rows, columns }) => [name, Float32Array.from({ length: rows * columns }, (_, i) => (name.endsWith("gain") ? 1 : 0) + 0.4 * random(9, name).normal(i))]));

async function logitsOf(model: DeviceModel, tokens: readonly number[], masks: boolean): Promise<Float32Array> {
  const shape = { B: 1, T: tokens.length };
  const { program, inputs, outputs } = model.program(`logits ${shape.T} ${masks}`, (gates) => logitsProgram(model.config, shape, gates, "fp32", masks));
  inputs[0].set("tokens", tokens);
  if (masks) model.setDocuments(inputs[0], Int32Array.from(tokens), shape, SEPARATOR);
  model.setModelInputs(inputs[0]);
  await program.run(inputs[0].bytes, outputs.bytes);
  return Float32Array.from(outputs.get("logits"));
}

describe("documentStarts", () => {
  it("begins a document behind each separator and at each row", () => {
    expect([...documentStarts(Int32Array.of(5, 0, 7, 7, 0, 0, 3, 3), 4, 0)]).toEqual([0, 0, 2, 2, 0, 1, 2, 2]);
  });
});

describe("training within documents", () => {
  const documents = [[3, 7, 1, SEPARATOR], [9, 2, SEPARATOR], [5, 5, 11, 4, 20]];

  it.each(Object.entries(models))("gives a packed document the logits that it has alone: %s", async (_, config) => {
    for (const [executor, bound] of [[referenceExecutor(), 1e-6], [cpuExecutor({ numThreads: 2 }), 1e-5]] as const) {
      const model = new DeviceModel(executor, { config, parameters: weights(config) });
      const packed = await logitsOf(model, documents.flat(), true);
      const alone: number[] = [];
      for (const document of documents) alone.push(...(await logitsOf(model, document, false)));
      expect(relativeError(packed, Float32Array.from(alone))).toBeLessThan(bound);
      const unmasked = await logitsOf(model, documents.flat(), false);
      expect(relativeError(unmasked, Float32Array.from(alone))).toBeGreaterThan(1e-2);
      model.free();
    }
  });

  it("ends in the same digest for any number of threads, and in another one than without masks", async () => {
    const data = { ...tinyData(), separator: SEPARATOR };
    const digest = async (documentMasks: boolean, numThreads: number) =>
      (await train({ plan: tinyPlan(documentMasks ? { documentMasks } : {}), data, directory: temporaryDirectory(), executor: cpuExecutor({ numThreads }) })).digest;
    const masked = await digest(true, 1);
    expect(await digest(true, 3)).toBe(masked);
    expect(await digest(false, 1)).not.toBe(masked);
  });

  it("validates a checkpoint and probes its growth with the masks of its plan", async () => {
    const { plan, data } = await tinyRun("masked", temporaryDirectory());
    const directory = temporaryDirectory();
    const executor = cpuExecutor({ numThreads: 1 });
    const { stages, validationLoss, checkpoint } = await train({ plan, data, directory, executor });
    const request = { data, executor, maxSequences: plan.validationSequences, batchSize: plan.microBatchSize };
    expect((await validateCheckpoint(checkpoint, { ...request, plan })).loss).toBe(validationLoss);
    expect((await validateCheckpoint(checkpoint, request)).loss).not.toBe(validationLoss);

    const { model: target, growth } = plan.stages[1]!;
    const probe = { target, growth: growth!, data, executor };
    const masked = await probeGrowth(stages[0]!.checkpoint, { ...probe, plan });
    const over = (sequences: object) => validateCheckpoint(stages[0]!.checkpoint, { ...request, maxSequences: 8, batchSize: 8, ...sequences });
    expect(masked.lossBefore).toBe((await over({ plan })).loss);
    expect((await probeGrowth(stages[0]!.checkpoint, probe)).lossBefore).toBe((await over({})).loss);
    const grown = (await readEvents(directory)).find((event) => event.kind === "growth")!;
    expect(masked.logitChange).toBe(grown.logitChange);

    // Logits before and after a growth are compared with the masks too.
    const model = new DeviceModel(executor, await readModelState(await openCheckpoint(checkpoint), false));
    const set = (separator?: number) => validationSet(data, plan.stages[1]!.model.seqLen, 8, separator);
    const [within, across] = [await comparisonLogits(model, set(data.separator)), await comparisonLogits(model, set())];
    expect(within.length).toBe(across.length);
    expect(within).not.toEqual(across);
    await expect(validateCheckpoint(checkpoint, { ...request, data: tinyData(), plan })).rejects.toThrow(ConfigError);
  });

  it("refuses data that say no separator", async () => {
    const run = train({ plan: tinyPlan({ documentMasks: true }), data: tinyData(), directory: temporaryDirectory(), executor: referenceExecutor() });
    await expect(run).rejects.toThrow(ConfigError);
  });
});
