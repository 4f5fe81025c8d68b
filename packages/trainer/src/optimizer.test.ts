/** A step as the executor gets it: what is submitted before what has ended. */
import { type Executor, type LoadedProgram, referenceExecutor } from "@espalier/graph";
import { modelConfig } from "@espalier/spec/model";
import { describe, expect, it } from "vitest";
import { DeviceModel } from "./deviceModel.ts";
import { initialState } from "./initialise.ts";
import { type StepRequest, trainStep } from "./optimizer.ts";

const config = modelConfig({ family: "llama", vocabSize: 11, seqLen: 4, numLayers: 1, residualDim: 8, numKvHeads: 1, headDim: 8, initStd: 0.3 });
const B = 2;
const request = (numMicroBatches: number): StepRequest => ({
  shape: { B, T: 4 },
  numMicroBatches,
  numTargets: numMicroBatches * B * 4,
  batch: (i) => ({ tokens: Int32Array.from({ length: B * 4 }, (_, at) => (at + i) % 11), targets: Int32Array.from({ length: B * 4 }, (_, at) => (at + i + 1) % 11) }),
  learningRate: 0.01,
  optimizer: { peakLearningRate: 1, finalShare: 0, warmupSteps: 0, beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.1, clipNorm: 1 },
});

/** The reference, whose runs end some turns of the event loop after they were submitted, one after the other. */
function slow(log: string[], failing = -1): Executor {
  const executor = referenceExecutor();
  let last: Promise<unknown> = Promise.resolve();
  let number = 0;
  const wrapped = (loaded: LoadedProgram): LoadedProgram => {
    const run = loaded.run.bind(loaded);
    loaded.run = (runtime, output) => {
      const mine = number++;
      const copied = runtime.slice();
      log.push(`submit ${mine}`);
      const ended = last.then(async () => {
        for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
        if (mine === failing) throw new Error(`run ${mine} fails`);
        await run(copied, output);
        log.push(`end ${mine}`);
      });
      last = ended.catch(() => {});
      return ended;
    };
    return loaded;
  };
  return { ...executor, name: executor.name, load: (program) => wrapped(executor.load(program)), allocate: (bytes) => executor.allocate(bytes) } as Executor;
}

const modelOn = (executor: Executor) => new DeviceModel(executor, initialState(config, 3));

describe("trainStep", () => {
  it("keeps a run waiting behind the one under way, the update too, and asks for nothing in between", async () => {
    const log: string[] = [];
    await trainStep(modelOn(slow(log)), request(4));
    expect(log).toEqual(["submit 0", "submit 1", "end 0", "submit 2", "end 1", "submit 3", "end 2", "submit 4", "end 3", "end 4"]);
  });

  it("adds up losses and gradients of micro-batches as one after the other does", async () => {
    const [queued, direct] = [modelOn(slow([])), modelOn(referenceExecutor())];
    for (let step = 0; step < 2; step++) expect(await trainStep(queued, request(3))).toEqual(await trainStep(direct, request(3)));
    expect(queued.read()).toEqual(direct.read());
    expect(queued.step).toBe(2);
  });

  it.each([0, 1, 3])("fails with the failure of run %s, and does not count the step", async (failing) => {
    const model = modelOn(slow([], failing));
    await expect(trainStep(model, request(3))).rejects.toThrow(`run ${failing} fails`);
    expect(model.step).toBe(0);
  });
});
