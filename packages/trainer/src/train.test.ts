import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CancelledError, ConfigError, DataError, FileError, GrowthError, LockError, random } from "@espalier/core";
import { acquireLock, disk, intercept } from "@espalier/core/node";
import { type Executor, referenceExecutor, roundToBf16 } from "@espalier/graph";
import { cpuExecutor } from "@espalier/kernels";
import type { Metric, RunEvent } from "@espalier/spec/run";
import { afterEach, describe, expect, it } from "vitest";
import { openCheckpoint, readModelState } from "./checkpoint.ts";
import { listCheckpoints, readEvents, readMetrics, runPaths } from "./runDirectory.ts";
import type { TrainHooks } from "./trainRequest.ts";
import { testedExecutors } from "./testing/executors.ts";
import { temporaryDirectory, tinyData, tinyModel, tinyPlan } from "./testing/runs.ts";
import { train } from "./train.ts";

const directories: string[] = [];
afterEach(() => directories.splice(0).forEach((directory) => rmSync(directory, { recursive: true, force: true })));

function fresh(): string {
  directories.push(temporaryDirectory());
  return directories.at(-1)!;
}

const plan = tinyPlan();
const data = tinyData();
const executors = testedExecutors();
/** The fastest there is here: these tests are about the run, not the arithmetic. */
const executor: Executor = (executors[1] ?? executors[0]!).make();
const run = (directory: string, hooks: TrainHooks = {}, changes = {}) => train({ plan, data, directory, executor, ...changes }, hooks);

describe("train", () => {
  it("learns, grows twice without moving the logits, and leaves a complete record", async () => {
    const directory = fresh();
    const result = await run(directory);
    const metrics = await readMetrics(directory);
    const events = await readEvents(directory);
    expect(metrics.map(({ step }) => step)).toEqual(Array.from({ length: 19 }, (_, i) => i + 1));
    expect(metrics.at(-1)!.loss).toBeLessThan(metrics[0]!.loss - 0.1);
    expect(metrics.at(-1)).toMatchObject({ tokens: 19 * 32, validationLoss: result.validationLoss });
    expect(result.bitsPerByte).toBeCloseTo(result.validationLoss / Math.LN2 / 2, 10);
    expect(metrics.filter(({ validationLoss }) => validationLoss !== undefined).map(({ step }) => step)).toEqual([4, 6, 8, 12, 13, 16, 19]);

    const growths = events.filter((event) => event.kind === "growth");
    expect(growths.map(({ step }) => step)).toEqual([6, 13]);
    for (const growth of growths) {
      expect(growth.logitChange).toBeLessThan(1e-5);
      expect(growth.lossAfter).toBeCloseTo(growth.lossBefore, 4);
    }
    expect(events.filter((event) => event.kind === "rampEnd").map(({ step }) => step)).toEqual([10, 16]);
    expect(events.at(-1)).toMatchObject({ kind: "done", step: 19, digest: result.digest });
    expect(listCheckpoints(directory).map(({ step, grown }) => `${step}${grown ? "g" : ""}`)).toEqual(["6", "6g", "13", "13g", "16", "18", "19"]);
    expect(result.stages.map(({ step }) => step)).toEqual([6, 13, 19]);
  });

  it("unties the head between stages: the loss stays, and embedding and head part", async () => {
    const tied = tinyModel({ tiedHead: true });
    const growth = { operators: {}, rampSteps: 0, rewarmSteps: 0, seed: 1 };
    const stage = (name: string, changes: object) => ({ name, tokens: 6 * 32, learningRate: "inherit" as const, ...changes });
    const untying = { ...plan, stages: [stage("tied", { model: tied }), stage("own", { model: { ...tied, tiedHead: false }, growth })] };
    const directory = fresh();
    const { checkpoint } = await run(directory, {}, { plan: untying });
    const event = (await readEvents(directory)).find(({ kind }) => kind === "growth");
    expect(event).toMatchObject({ step: 6, logitChange: 0 });
    const { parameters } = await readModelState(await openCheckpoint(checkpoint), false);
    expect(parameters["head.weight"]).not.toEqual(parameters["embedding.weight"]);
  });

  it("gives the same digest on any number of threads, and another for another seed", async () => {
    const digests = [];
    for (const numThreads of executor.name === "cpu" ? [1, 2, 3] : [1]) {
      const own = executor.name === "cpu" ? cpuExecutor({ numThreads }) : referenceExecutor();
      digests.push((await run(fresh(), {}, { executor: own })).digest);
    }
    const [first, ...others] = digests;
    for (const other of others) expect(other).toBe(first);
    expect((await run(fresh(), {}, { plan: { ...plan, seed: 6 } })).digest).not.toBe(first);
  });

  it("trains parameters in bf16: every number fits, losses beside fp32, the same digest on any number of threads and when resumed", async () => {
    const stored = { ...plan, parameterPrecision: "bf16" as const };
    const directory = fresh();
    const { digest, checkpoint, validationLoss } = await run(directory, {}, { plan: stored });
    const { parameters } = await readModelState(await openCheckpoint(checkpoint), false);
    for (const [name, values] of Object.entries(parameters)) expect(values, name).toEqual(values.map(roundToBf16));
    const plain = await run(fresh());
    expect(digest).not.toBe(plain.digest);
    expect(Math.abs(validationLoss - plain.validationLoss)).toBeLessThan(0.1);
    for (const numThreads of executor.name === "cpu" ? [1, 3] : []) {
      expect((await run(fresh(), {}, { plan: stored, executor: cpuExecutor({ numThreads }) })).digest).toBe(digest);
    }
    const interrupted = fresh();
    const stop = new AbortController();
    const hooks: TrainHooks = { signal: stop.signal, onMetric: ({ step }) => void (step === 15 && stop.abort()) };
    await expect(run(interrupted, hooks, { plan: stored })).rejects.toThrow(CancelledError);
    expect((await run(interrupted, {}, { plan: stored })).digest).toBe(digest);
    expect((await run(fresh(), {}, { plan: { ...stored, seed: plan.seed + 1 } })).digest).not.toBe(digest);
  });

  it("trains in bf16: other products than in fp32, losses beside theirs, the same digest on any number of threads", async () => {
    const bf16 = { ...plan, precision: "bf16" as const };
    const losses = async (directory: string) => (await readMetrics(directory)).map(({ loss }) => loss);
    const [exact, rounded] = [fresh(), fresh()];
    await run(exact);
    const { digest } = await run(rounded, {}, { plan: bf16 });
    const [exactLosses, roundedLosses] = [await losses(exact), await losses(rounded)];
    expect(roundedLosses).not.toEqual(exactLosses);
    // bf16 keeps 8 bits: one product of numbers near 1 is off by at most 2^-8, their sums by less.
    for (const [i, loss] of roundedLosses.entries()) expect(Math.abs(loss - exactLosses[i]!)).toBeLessThan(0.02);
    for (const numThreads of executor.name === "cpu" ? [1, 3] : []) {
      expect((await run(fresh(), {}, { plan: bf16, executor: cpuExecutor({ numThreads }) })).digest).toBe(digest);
    }
  });

  it.each(executors.slice(0, 2))("continues to the same digest after being stopped at seeded steps on $name", async ({ make }) => {
    const own = make();
    const once = await run(fresh(), {}, { executor: own });
    const stops = random(3, "stops").sequence();
    const directory = fresh();
    for (let segments = 0; segments < 5; segments++) {
      const controller = new AbortController();
      let left = 1 + stops.integer(5);
      const hooks = { signal: controller.signal, onMetric: () => void (--left === 0 && controller.abort()) };
      await expect(run(directory, hooks, { executor: own })).rejects.toThrow(CancelledError);
    }
    const resumed = await run(directory, {}, { executor: own });
    expect(resumed.digest).toBe(once.digest);
    const losses = (metrics: Metric[]) => metrics.map(({ loss }) => loss);
    expect((await readMetrics(directory)).length).toBe(19);
    expect(resumed.stages.map(({ validationLoss }) => validationLoss)).toEqual(once.stages.map(({ validationLoss }) => validationLoss));
    expect(losses(await readMetrics(directory)).every(Number.isFinite)).toBe(true);
  });

  it("reports a full disk in one sentence wherever it is met, and then continues to the same digest", async () => {
    const [small, middle] = plan.stages;
    const short = tinyPlan({
      stages: [{ ...small!, tokens: 32 }, { ...middle!, tokens: 32, growth: { ...middle!.growth!, rampSteps: 1 } }],
    });
    // First and last operation of each kind on each file; the soak in bench/ takes every single one.
    const ends = new Map<string, Set<number>>();
    let count = 0;
    const base = fresh();
    const watched = intercept(disk, (operation, path) => {
      const key = `${operation} ${path}`;
      const found = ends.get(key) ?? new Set([count]);
      ends.set(key, new Set([Math.min(...found), count++]));
    });
    const { digest } = await run(base, { fileSystem: watched }, { plan: short });
    const targets = [...new Set([...ends].filter(([key]) => !key.startsWith("remove")).flatMap(([, indices]) => [...indices]))];
    expect(targets.length).toBeGreaterThan(50);
    for (const target of targets) {
      const directory = fresh();
      let index = 0;
      const full = intercept(disk, (operation, path) => {
        if (index++ === target) throw Object.assign(new Error(path), { code: "ENOSPC", errno: -28, syscall: operation });
      });
      const error = await run(directory, { fileSystem: full }, { plan: short }).catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(FileError);
      expect((error as Error).message).toMatch(/the disk is full\. Free some space and run the same command again/);
      expect((await run(directory, {}, { plan: short })).digest).toBe(digest);
    }
  });

  it.each(["metrics", "events"] as const)("frees the model when the log of %s cannot be opened", async (log) => {
    const directory = fresh();
    let allocated = 0;
    let freed = 0;
    const counted: Executor = {
      name: executor.name,
      instructionPath: executor.instructionPath,
      numThreads: executor.numThreads,
      load: (program) => executor.load(program),
      allocate(bytes) {
        const buffer = executor.allocate(bytes);
        allocated++;
        return Object.assign(buffer, { free: ((free) => () => (freed++, free()))(buffer.free.bind(buffer)) });
      },
    };
    const fileSystem = intercept(disk, (operation, path) => {
      if (operation === "open" && path === runPaths[log](directory)) throw Object.assign(new Error(path), { code: "EACCES", errno: -13, syscall: operation });
    });
    await expect(run(directory, { fileSystem }, { executor: counted })).rejects.toThrow(/permission denied/);
    expect(allocated).toBeGreaterThan(0);
    expect(freed).toBe(allocated);
  });

  it("rolls back to the checkpoint before a damaged one, says so, and ends the same", async () => {
    const directory = fresh();
    const { digest } = await run(directory);
    for (const { path } of listCheckpoints(directory).slice(-2)) {
      const file = join(path, "model.safetensors");
      const bytes = readFileSync(file);
      bytes[bytes.length - 5]! ^= 1;
      writeFileSync(file, bytes);
    }
    expect((await run(directory)).digest).toBe(digest);
    const rollbacks = (await readEvents(directory)).filter((event) => event.kind === "rollback");
    expect(rollbacks.map(({ directory: where }) => where)).toEqual([join("checkpoints", "step-00000019"), join("checkpoints", "step-00000018")]);
    expect(rollbacks[0]!.reason).toMatch(/model\.safetensors: sha256 is \w{12}, expected \w{12} as recorded\. The checkpoint is damaged/);
  });

  it("refuses when every checkpoint is damaged", async () => {
    const directory = fresh();
    await run(directory);
    for (const { path } of listCheckpoints(directory)) writeFileSync(join(path, "state.json"), "{");
    await expect(run(directory)).rejects.toThrow(/none of 7 checkpoints can be used\. The newest: .*state\.json: not a record of format/);
  });

  it("refuses a directory that another process holds, or that belongs to another plan or other data", async () => {
    const directory = fresh();
    const lock = acquireLock(directory);
    await expect(run(directory)).rejects.toThrow(LockError);
    lock.release();
    await run(directory);
    await expect(run(directory, {}, { plan: { ...plan, seed: 9 } })).rejects.toThrow(/run\.json: planDigest is \w{12}, expected \w{12}/);
    await expect(run(directory, {}, { data: { ...data, digest: "e".repeat(64) } })).rejects.toThrow(/dataDigest/);
  });

  it("returns the result of a run that has ended without touching it", async () => {
    const directory = fresh();
    const first = await run(directory);
    const before = readFileSync(runPaths.events(directory), "utf8");
    expect(await run(directory)).toEqual(first);
    expect(readFileSync(runPaths.events(directory), "utf8")).toBe(before);
  });

  it("names what cannot be trained", async () => {
    const [small, middle, large] = plan.stages;
    const shrink = { ...plan, stages: [middle!, { ...small!, growth: middle!.growth }].map((s, i) => (i ? s : { ...s, growth: undefined })) };
    await expect(run(fresh(), {}, { plan: shrink })).rejects.toThrow(/expected at least \d+ .*Growth never shrinks/);
    const unknown = { ...plan, stages: [small!, { ...middle!, growth: { ...middle!.growth!, operators: { residual: "magic" } } }] };
    const untouched = fresh();
    await expect(run(untouched, {}, { plan: unknown })).rejects.toThrow(/^train plan: stages\.1\.growth: growth operator \(residual\): found "magic", expected one of identity, /);
    await expect(run(untouched, {}, { plan: unknown })).rejects.toThrow(GrowthError);
    expect(existsSync(runPaths.identity(untouched))).toBe(false); // said before a step is trained
    const long = { ...plan, stages: [small!, { ...middle!, growth: { ...middle!.growth!, rampSteps: 99 } }, large!] };
    await expect(run(fresh(), {}, { plan: long })).rejects.toThrow(/stages\.1\.growth\.rampSteps: found 99, expected at most the stage's 7 steps/);
    const ids = { ...data, validation: Uint32Array.of(1, 2, 99, 3) };
    await expect(run(fresh(), {}, { data: ids })).rejects.toThrow(DataError);
    const words = { ...plan, stages: [{ ...small!, model: tinyModel({ seqLen: 16 }) }, middle!, large!] };
    await expect(run(fresh(), {}, { plan: words })).rejects.toThrow(ConfigError);
  });

  it("tells a watcher every metric and event", async () => {
    const directory = fresh();
    const metrics: Metric[] = [];
    const events: RunEvent[] = [];
    await run(directory, { onMetric: (metric) => metrics.push(metric), onEvent: (event) => events.push(event) });
    expect(metrics).toEqual(await readMetrics(directory));
    expect(events).toEqual(await readEvents(directory));
  });
});
