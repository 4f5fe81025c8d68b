/** A whole run, growth included, on the CUDA backend: emulated where the checkout is built, and on a GPU where there is one. */
import { rmSync } from "node:fs";
import { type Executor, type Precision, referenceExecutor } from "@espalier/graph";
import { availableBackends } from "@espalier/kernels";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readEvents, readMetrics } from "./runDirectory.ts";
import { temporaryDirectory, tinyData, tinyPlan } from "./testing/runs.ts";
import { train } from "./train.ts";

const directories: string[] = [];
afterAll(() => directories.forEach((directory) => rmSync(directory, { recursive: true, force: true })));
const backends = availableBackends().filter(({ name }) => name.startsWith("cuda"));

async function runOn(executor: Executor, precision: Precision = "fp32") {
  const directory = temporaryDirectory();
  directories.push(directory);
  const result = await train({ plan: { ...tinyPlan(), precision }, data: tinyData(), directory, executor });
  const [metrics, events] = [await readMetrics(directory), await readEvents(directory)];
  return { result, losses: metrics.map(({ loss }) => loss), growths: events.filter((event) => event.kind === "growth") };
}

describe.each(backends)("a run on $name", ({ create }) => {
  let expected: Awaited<ReturnType<typeof runOn>>;
  let found: Awaited<ReturnType<typeof runOn>>;
  beforeAll(async () => {
    expected = await runOn(referenceExecutor());
    found = await runOn(create());
  });

  it("has the losses of the reference at every step", () => {
    expect(found.losses).toHaveLength(expected.losses.length);
    // Measured: 2e-6 nats at the last of 19 steps.
    found.losses.forEach((loss, i) => expect(Math.abs(loss - expected.losses[i]!), `step ${i + 1}`).toBeLessThan(2e-5));
    expect(found.result.validationLoss).toBeCloseTo(expected.result.validationLoss, 4);
  });

  it("learns as much with activations in bf16", async () => {
    const { losses, growths } = await runOn(create({ precision: "bf16" }), "bf16");
    // bf16 keeps 8 bits: losses near ln 64 = 4.2 move by less than 2^-8 of that.
    losses.forEach((loss, i) => expect(Math.abs(loss - expected.losses[i]!), `step ${i + 1}`).toBeLessThan(0.02));
    for (const growth of growths) expect(Math.abs(growth.lossAfter - growth.lossBefore)).toBeLessThan(0.02);
  });

  it("grows without moving the logits", () => {
    expect(found.growths.map(({ step }) => step)).toEqual(expected.growths.map(({ step }) => step));
    for (const growth of found.growths) expect(growth.logitChange).toBeLessThan(1e-5);
  });
});
