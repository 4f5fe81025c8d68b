import { rmSync } from "node:fs";
import { ConfigError, FileError } from "@espalier/core";
import { findDocumentEnds, NO_TARGET, packedBatches, packingStatistics } from "@espalier/tokenizer";
import type { TokenFile } from "@espalier/tokenizer/node";
import { afterAll, describe, expect, it } from "vitest";
import { openBatches } from "./batches.ts";
import { DeviceModel } from "./deviceModel.ts";
import { sharedSteps } from "./fork.ts";
import { initialState } from "./initialise.ts";
import type { MicroBatch } from "./optimizer.ts";
import { stepBatches, trainingPacking } from "./packing.ts";
import { testedExecutors } from "./testing/executors.ts";
import { onDisk, SEPARATOR, temporaryDirectory, tinyData, tinyPlan } from "./testing/runs.ts";
import { train } from "./train.ts";

const root = temporaryDirectory();
afterAll(() => rmSync(root, { recursive: true }));
const data = { ...tinyData(), separator: SEPARATOR };
const plan = tinyPlan({ packing: "bestFit" });
const T = plan.stages[0]!.model.seqLen;

describe("openBatches of a plan that packs", () => {
  it.each([0, 8 * 7, 2 * 8 * 300])("gives what packedBatches gives from token offset %i on, in memory and on disk", async (tokenOffset) => {
    const sources = data.sources.map((source) => ({ ...source, ends: findDocumentEnds(source.tokens, SEPARATOR) }));
    const expectedAt = packedBatches({ sources, seed: plan.seed, seqLen: T, separator: SEPARATOR });
    const streams = [await openBatches(data, plan, tokenOffset), await openBatches(await onDisk(data, `${root}/${tokenOffset}`), plan, tokenOffset)];
    const size = plan.microBatchSize * T;
    for (let i = 0; i < 300; i++) { // several epochs
      const expected = { tokens: new Int32Array(size), targets: new Int32Array(size) };
      expectedAt(tokenOffset + i * size, expected);
      for (const stream of streams) {
        const { tokens, targets } = stream.next();
        expect([...tokens]).toEqual([...expected.tokens]);
        expect([...targets]).toEqual([...expected.targets]);
      }
    }
    for (const stream of streams) await stream.close();
  });

  it("refuses data without a separator, and shards whose ends are damaged", async () => {
    await expect(openBatches(tinyData(), plan, 0)).rejects.toThrow(ConfigError);
    const broken = await onDisk(data, `${root}/broken`);
    const { path } = broken.sources[0]!.tokens as TokenFile;
    rmSync(`${path}.ends`);
    await expect(openBatches(broken, plan, 0)).rejects.toThrow(FileError);
    await expect(trainingPacking(plan, broken)).rejects.toThrow(FileError);
  });
});

describe("a step of packed rows", () => {
  it("has the mean loss of the targets that are trained on", async () => {
    const losses: number[] = [];
    const executor = testedExecutors().at(-1)!.make();
    await train({ plan, data, directory: `${root}/run`, executor }, { onMetric: ({ loss }) => losses.push(loss) });

    const model = new DeviceModel(executor, initialState(plan.stages[0]!.model, plan.seed));
    const stream = await openBatches(data, plan, 0);
    const shape = { B: plan.microBatchSize, T };
    const { program, inputs, outputs } = model.evaluation(shape, false);
    let [nats, targets] = [0, 0];
    for (let i = 0; i < plan.gradAccumSteps; i++) {
      const batch = stream.next();
      inputs[0].set("tokens", batch.tokens).set("targets", batch.targets).set("weights", 1).set("lengths", T);
      model.setModelInputs(inputs[0]);
      await program.run(inputs[0].bytes, outputs.bytes);
      for (const [at, loss] of outputs.get("tokenLoss").entries()) if (batch.targets[at] !== NO_TARGET) nats += loss;
      targets += batch.targets.filter((target) => target !== NO_TARGET).length;
    }
    model.free();
    expect(targets).toBeLessThan(plan.gradAccumSteps * shape.B * T); // some are masked, or the mean says nothing
    expect(losses[0]).toBeCloseTo(nats / targets, 5);
  });

  it("counts a step's targets over all its micro-batches, and one where there are none", () => {
    const rows = [[3, NO_TARGET, 5], [NO_TARGET, NO_TARGET, 0], [NO_TARGET, NO_TARGET, NO_TARGET], [NO_TARGET, NO_TARGET, NO_TARGET]];
    const reused: MicroBatch = { tokens: new Int32Array(3), targets: new Int32Array(3) };
    const stream = { next: () => (reused.targets.set(rows.shift()!), reused), close: () => Promise.resolve() };
    const two = { ...plan, gradAccumSteps: 2 };
    const step = stepBatches(stream, two, 3);
    expect(step.numTargets).toBe(3);
    expect([0, 1].map((i) => [...step.batch(i).targets])).toEqual([[3, NO_TARGET, 5], [NO_TARGET, NO_TARGET, 0]]);
    expect(stepBatches(stream, two, 3).numTargets).toBe(1);
    expect(stepBatches({ ...stream, next: () => reused }, tinyPlan(), 8).numTargets).toBe(2 * 2 * 8);
  });
});

describe("trainingPacking", () => {
  it("says the same of tokens in memory and on disk, and nothing of a plan that does not pack", async () => {
    const packing = await trainingPacking(plan, data);
    expect(packing).toEqual(data.sources.map(({ name, tokens }) => ({ source: name, ...packingStatistics(findDocumentEnds(tokens, SEPARATOR), T) })));
    expect(packing.every(({ numRows, cutShare, concatenatedCutShare }) => numRows > 0 && cutShare < concatenatedCutShare)).toBe(true);
    expect(await trainingPacking(plan, await onDisk(data, `${root}/statistics`))).toEqual(packing);
    expect(await trainingPacking(tinyPlan(), tinyData())).toEqual([]);
  });

  it("ends what two plans share", () => {
    expect(sharedSteps(plan, tinyPlan())).toEqual({ steps: 0, stage: -1, because: 'packing is "bestFit" in one plan and absent in the other' });
  });
});
