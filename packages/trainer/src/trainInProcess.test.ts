import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CancelledError, ConfigError, DeviceError, FileError, random } from "@espalier/core";
import { referenceExecutor } from "@espalier/graph";
import { openCorpus, prepareCorpus } from "@espalier/tokenizer/node";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { corpusData } from "./data.ts";
import { readEvents } from "./runDirectory.ts";
import { temporaryDirectory, tinyModel, tinyPlan } from "./testing/runs.ts";
import { train } from "./train.ts";
import { trainInProcess } from "./trainInProcess.ts";

const root = temporaryDirectory();
const corpus = join(root, "corpus");
const plan = tinyPlan({ stages: [{ ...tinyPlan().stages[0]!, model: tinyModel({ vocabSize: 280 }), tokens: 40 * 32 }] });
const request = (name: string) => ({ plan, corpus, directory: join(root, name), executor: "reference" as const });

beforeAll(async () => {
  mkdirSync(join(root, "text"));
  const draw = random(1, "words").sequence();
  const words = ["tree", "grows", "along", "the", "frame", "slowly", "and", "well"];
  for (let i = 0; i < 60; i++) {
    writeFileSync(join(root, "text", `${i}.txt`), Array.from({ length: 60 }, () => draw.pick(words)).join(" "));
  }
  await prepareCorpus({ inputs: [join(root, "text")], directory: corpus, tokenizer: { vocabSize: 280 }, validationShare: 0.2 });
});
afterAll(() => rmSync(root, { recursive: true }));

describe("trainInProcess", () => {
  it("gives what train gives here, and reports on the way", async () => {
    const seen = { progress: 0, metrics: 0, events: 0 };
    const there = await trainInProcess(request("there"), {
      progress: () => seen.progress++,
      onMetric: () => seen.metrics++,
      onEvent: () => seen.events++,
    });
    const data = corpusData(await openCorpus(corpus));
    const here = await train({ plan, data, directory: join(root, "here"), executor: referenceExecutor() });
    expect(there.digest).toBe(here.digest);
    expect(there.validationLoss).toBe(here.validationLoss);
    expect(seen.metrics).toBe(40);
    expect(seen.progress).toBeGreaterThan(0);
    expect(seen.events).toBeGreaterThan(3);
  });

  it("stops with a checkpoint when asked to, and continues to the same digest", async () => {
    const { digest } = await trainInProcess(request("whole"));
    const stop = new AbortController();
    const hooks = { signal: stop.signal, onMetric: ({ step }: { step: number }) => void (step === 3 && stop.abort()) };
    await expect(trainInProcess(request("stopped"), hooks)).rejects.toThrow(CancelledError);
    expect((await trainInProcess(request("stopped"))).digest).toBe(digest);
  });

  it("passes on errors of the worker with their class", async () => {
    const bad = { ...request("bad"), plan: { ...plan, microBatchSize: 0 } };
    await expect(trainInProcess(bad)).rejects.toThrow(ConfigError);
    await expect(trainInProcess({ ...request("none"), corpus: join(root, "absent") })).rejects.toThrow(FileError);
  });

  it("stops with a checkpoint, and lets go of the directory, when the process that asked for it is killed", async () => {
    const { digest } = await trainInProcess(request("left alone"));
    const orphaned = request("orphaned");
    const module = JSON.stringify(new URL("./trainInProcess.ts", import.meta.url).href);
    const source = `const { trainInProcess } = await import(${module});
      await trainInProcess(${JSON.stringify(orphaned)}, { onMetric: ({ step }) => step === 4 && process.kill(process.pid, "SIGKILL") });`;
    const flags = ["--conditions=@espalier/source", "--disable-warning=ExperimentalWarning", "--input-type=module", "-e", source];
    expect(spawnSync(process.execPath, flags).signal).toBe("SIGKILL");
    const ended = await vi.waitFor(() => trainInProcess(orphaned), { timeout: 20_000, interval: 100 });
    expect(ended.digest).toBe(digest);
    const segments = (await readEvents(orphaned.directory)).flatMap((event) => (event.kind === "segment" ? [event.step] : []));
    // From the checkpoint written on the way out, unless the worker was at the end before it noticed.
    for (const step of segments.slice(1)) expect(step).toBeGreaterThanOrEqual(4);
  });

  it("says how the process ended when it gave no answer", async () => {
    let pid = 0;
    const promise = trainInProcess(request("spoiled"), { onStart: (id) => void (pid = id), onEvent: () => process.kill(pid, "SIGKILL") });
    await expect(promise).rejects.toThrow(DeviceError);
    await expect(promise).rejects.toThrow(/was ended by SIGKILL, expected an answer\. Run the same command to continue\./);
  });
});
