import { rmSync } from "node:fs";
import { afterAll, describe, expect, it } from "vitest";
import { DeviceModel } from "./deviceModel.ts";
import { initialParameters } from "./initialise.ts";
import { testedExecutors } from "./testing/executors.ts";
import { temporaryDirectory, tinyData, tinyModel, tinyPlan } from "./testing/runs.ts";
import { train } from "./train.ts";
import { relativeChange, validate, validateCheckpoint, validationSet } from "./validation.ts";

const directory = temporaryDirectory();
afterAll(() => rmSync(directory, { recursive: true }));
const data = tinyData();
const executor = testedExecutors().at(-1)!.make();

describe("validate", () => {
  it("does not depend on the batch size, full rows or not", async () => {
    const config = tinyModel();
    const model = new DeviceModel(executor, { config, parameters: initialParameters(config, 1) });
    const set = validationSet(data, 8, 9);
    const results = [];
    for (const batchSize of [1, 2, 4, 9, 16]) results.push(await validate(model, set, batchSize));
    for (const { loss } of results) expect(loss).toBeCloseTo(results[0]!.loss, 6);
    // A model that knows nothing yet: near ln V nats, and every token of this data is 2 bytes long.
    expect(results[0]!.loss).toBeCloseTo(Math.log(24), 0);
    expect(results[0]!.bitsPerByte).toBeCloseTo(results[0]!.loss / Math.LN2 / 2, 12);
  });
});

describe("validateCheckpoint", () => {
  it("repeats the loss that the run reported, and reads more windows when asked", async () => {
    const plan = tinyPlan();
    const result = await train({ plan, data, directory, executor });
    const again = await validateCheckpoint(result.checkpoint, { data, executor, maxSequences: plan.validationSequences, batchSize: plan.microBatchSize });
    expect(again.loss).toBe(result.validationLoss);
    const all = await validateCheckpoint(result.checkpoint, { data, executor, maxSequences: 1000 });
    expect(all.loss).not.toBe(again.loss);
  });

  it("does so in the precision of the run's plan", async () => {
    const plan = tinyPlan({ precision: "bf16" });
    const result = await train({ plan, data, directory: temporaryDirectory(), executor });
    const request = { data, executor, maxSequences: plan.validationSequences, batchSize: plan.microBatchSize };
    expect((await validateCheckpoint(result.checkpoint, { ...request, plan })).loss).toBe(result.validationLoss);
    expect((await validateCheckpoint(result.checkpoint, request)).loss).not.toBe(result.validationLoss);
  });
});

describe("relativeChange", () => {
  it("is the largest difference over the largest value", () => {
    expect(relativeChange(Float32Array.of(1, -4, 2), Float32Array.of(1, -4, 3))).toBe(0.25);
  });
});
