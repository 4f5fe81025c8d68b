import { cpSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CancelledError, ConfigError } from "@espalier/core";
import type { TrainPlan } from "@espalier/spec/plan";
import { afterEach, describe, expect, it } from "vitest";
import { sharedSteps } from "./fork.ts";
import { listCheckpoints, readEvents, readMetrics } from "./runDirectory.ts";
import { testedExecutors } from "./testing/executors.ts";
import { temporaryDirectory, tinyData, tinyModel, tinyPlan } from "./testing/runs.ts";
import { train } from "./train.ts";

const directories: string[] = [];
afterEach(() => directories.splice(0).forEach((directory) => rmSync(directory, { recursive: true, force: true })));

function fresh(): string {
  directories.push(temporaryDirectory());
  return directories.at(-1)!;
}

const executors = testedExecutors();
const executor = (executors[1] ?? executors[0]!).make();
const data = tinyData();
const run = (plan: TrainPlan, directory: string, more: Partial<Parameters<typeof train>[0]> = {}, hooks = {}) => train({ plan, data, directory, executor, ...more }, hooks);

const parent = tinyPlan();
/** The parent with other operators at its second growth. */
const child = (operators: Record<string, string>): TrainPlan => {
  const [small, middle, large] = parent.stages;
  return { ...parent, name: "child", validateEvery: 5, stages: [small!, middle!, { ...large!, growth: { ...large!.growth!, operators } }] };
};

describe("sharedSteps", () => {
  it("ends where a stage, its growth or its length differs", () => {
    expect(sharedSteps(parent, parent)).toMatchObject({ steps: 19, stage: 2 });
    expect(sharedSteps(parent, child({ depth: "stack" }))).toMatchObject({ steps: 13, stage: 1, because: "stage 2 differs" });
    // Two steps longer under one cosine: other rates as soon as the warm-up is over.
    const longer = { ...parent, stages: parent.stages.map((stage, i) => (i === 2 ? { ...stage, tokens: stage.tokens + 64 } : stage)) };
    expect(sharedSteps(parent, longer)).toMatchObject({ steps: 3, stage: 2 });
    const flat = (plan: TrainPlan) => ({ ...plan, optimizer: { ...plan.optimizer, finalShare: 1 } });
    expect(sharedSteps(flat(parent), flat(longer))).toMatchObject({ steps: 19, stage: 2, because: "stage 2 has 6 steps in one plan and 8 in the other" });
  });

  it("shares nothing with another seed, batch or optimiser, and says what it is", () => {
    expect(sharedSteps(parent, { ...parent, seed: 6 })).toEqual({ steps: 0, stage: -1, because: "seed is 5 in one plan and 6 in the other" });
    expect(sharedSteps(parent, { ...parent, optimizer: { ...parent.optimizer, beta2: 0.9 } }).because).toContain("beta2 is 0.95");
    expect(sharedSteps(parent, { ...parent, optimizer: { ...parent.optimizer, peakLearningRate: 0.01 } })).toMatchObject({ steps: 0 });
  });
});

describe("a forked run", () => {
  it("ends with the bits it would have had from the start", async () => {
    const base = fresh();
    await run(parent, base);
    const plan = child({ depth: "zeroDepth" });
    const [whole, forked] = [fresh(), fresh()];
    const expected = await run(plan, whole);
    const result = await run(plan, forked, { fork: { run: base } });
    expect(result.digest).toBe(expected.digest);
    expect(result.stages.map(({ step }) => step)).toEqual([6, 13, 19]);
    const events = await readEvents(forked);
    expect(events.find((event) => event.kind === "fork")).toMatchObject({ step: 13, run: expect.stringMatching(/^tiny-/) });
    // Only the steps after the fork were trained here, and every step is on record.
    expect((await readMetrics(forked)).map(({ step }) => step)).toEqual((await readMetrics(whole)).map(({ step }) => step));
    expect((await readMetrics(forked)).map(({ loss }) => loss)).toEqual((await readMetrics(whole)).map(({ loss }) => loss));
    for (const { checkpoint } of result.stages) expect(readdirSync(checkpoint)).toContain("state.json");
  });

  it("forks where it is told, and goes on from there after a stop", async () => {
    const base = fresh();
    await run(parent, base);
    const plan = child({ depth: "stack" });
    const again = { ...plan, stages: plan.stages.map((stage, i) => (i === 2 ? { ...stage, model: tinyModel({ numLayers: 4, residualDim: 12, ffnDim: 20, numKvHeads: 3 }) } : stage)) };
    const expected = await run(again, fresh());
    const forked = fresh();
    const stop = new AbortController();
    const hooks = { signal: stop.signal, onMetric: ({ step }: { step: number }) => step === 15 && stop.abort() };
    await expect(run(again, forked, { fork: { run: base, atStep: 12 } }, hooks)).rejects.toThrow(CancelledError);
    expect((await readEvents(forked)).find((event) => event.kind === "fork")).toMatchObject({ step: 6 });
    // The fork is behind it: another run named now changes nothing.
    expect((await run(again, forked, { fork: { run: "/nowhere" } })).digest).toBe(expected.digest);
  });

  it("refuses a run that shares no checkpoint, other data, a damaged parent, and no run at all", async () => {
    const base = fresh();
    await run(parent, base);
    const refused = (plan: TrainPlan, more: Partial<Parameters<typeof train>[0]>) => expect(run(plan, fresh(), more)).rejects;
    await refused({ ...parent, seed: 6 }, { fork: { run: base } }).toThrow(/no checkpoint up to step 0, .*seed is 5 in one plan and 6/);
    await refused(parent, { fork: { run: base, atStep: 3 } }).toThrow(/no checkpoint up to step 3, .*step 3 was asked for/);
    await refused(parent, { fork: { run: base }, data: { ...data, digest: "e".repeat(64) } }).toThrow(ConfigError);
    await refused(parent, { fork: { run: fresh() } }).toThrow(/run\.json/);
    const broken = fresh();
    cpSync(base, broken, { recursive: true });
    writeFileSync(join(listCheckpoints(broken)[0]!.path, "model.safetensors"), "torn");
    await refused(parent, { fork: { run: broken } }).toThrow(/damaged/);
  });
});
