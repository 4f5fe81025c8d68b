import { rmSync } from "node:fs";
import { CancelledError } from "@espalier/core";
import { cpuExecutor, nativeStatus } from "@espalier/kernels";
import { parseTrainPlan } from "@espalier/spec/plan";
import { afterEach, describe, expect, it } from "vitest";
import { openCheckpoint } from "./checkpoint.ts";
import { listCheckpoints, readEvents, readMetrics } from "./runDirectory.ts";
import { temporaryDirectory, tinyData, tinyModel, tinyPlan } from "./testing/runs.ts";
import { train } from "./train.ts";
import type { TrainHooks } from "./trainRequest.ts";

const directories: string[] = [];
afterEach(() => directories.splice(0).forEach((directory) => rmSync(directory, { recursive: true, force: true })));

function fresh(): string {
  directories.push(temporaryDirectory());
  return directories.at(-1)!;
}

// 400 thousand, then 600 thousand parameters: their updates last some tenths of a millisecond, longer than it takes to ask for
// what comes behind a step. Every step has one micro-batch; all but the first ones are followed by a validation, a checkpoint
// or a growth.
const small = tinyModel({ residualDim: 128, ffnDim: 512, numLayers: 2, numKvHeads: 4, headDim: 32, initStd: 0.02, tiedHead: true });
const STEP_TOKENS = 2 * 8;
const plan = parseTrainPlan({
  ...tinyPlan(),
  gradAccumSteps: 1,
  validateEvery: 3,
  validationSequences: 1,
  checkpointEvery: 2,
  optimizer: { peakLearningRate: 0.01, warmupSteps: 0 },
  stages: [
    { name: "small", model: small, tokens: 7 * STEP_TOKENS },
    {
      name: "large",
      model: { ...small, numLayers: 3 },
      tokens: 6 * STEP_TOKENS,
      growth: { operators: { depth: "msg" }, rampSteps: 2, rewarmSteps: 0, seed: 1 },
    },
  ],
});
const data = tinyData();

/** With one thread no update is left to be done beside the next step; with more and no grain every one is. */
const executor = (numThreads: number) => cpuExecutor({ numThreads, parallelGrain: 0 });

/** All that a run leaves behind: losses, norms and validation losses by step, growths, and the digest of every checkpoint. */
async function record(directory: string) {
  const growths = (await readEvents(directory)).filter((event) => event.kind === "growth");
  return {
    metrics: (await readMetrics(directory)).map(({ step, loss, gradNorm, validationLoss }) => ({ step, loss, gradNorm, validationLoss })),
    growths: growths.map(({ step, lossBefore, lossAfter, logitChange }) => ({ step, lossBefore, lossAfter, logitChange })),
    checkpoints: await Promise.all(listCheckpoints(directory).map(async ({ path, step, grown }) => [step, grown, (await openCheckpoint(path)).digest])),
  };
}

describe.skipIf(!nativeStatus().available)("training with updates done beside the next step", () => {
  it("gives the bits of updates done within their step: losses, validations, growth and every checkpoint", async () => {
    const alone = fresh();
    const { digest } = await train({ plan, data, directory: alone, executor: executor(1) });
    const expected = await record(alone);
    expect(expected.metrics).toHaveLength(13);
    expect(expected.growths).toHaveLength(1);
    expect(expected.checkpoints.length).toBeGreaterThan(3);
    for (const numThreads of [2, 3]) {
      const directory = fresh();
      expect((await train({ plan, data, directory, executor: executor(numThreads) })).digest).toBe(digest);
      expect(await record(directory)).toEqual(expected);
    }
  });

  it("gives them when the run is stopped and goes on", async () => {
    const { digest } = await train({ plan, data, directory: fresh(), executor: executor(1) });
    const directory = fresh();
    for (const last of [5, 9]) {
      const stop = new AbortController();
      const hooks: TrainHooks = { signal: stop.signal, onMetric: ({ step }) => void (step === last && stop.abort()) };
      await expect(train({ plan, data, directory, executor: executor(2) }, hooks)).rejects.toThrow(CancelledError);
    }
    expect((await train({ plan, data, directory, executor: executor(2) })).digest).toBe(digest);
  });
});
