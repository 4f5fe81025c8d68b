/** A whole run, growth included, on the CUDA backend: emulated where the checkout is built, and on a GPU where there is one. */
import { rmSync } from "node:fs";
import { type Executor, type Precision, referenceExecutor } from "@espalier/graph";
import { availableBackends } from "@espalier/kernels";
import { modelConfig } from "@espalier/spec/model";
import { trainTokenizer } from "@espalier/tokenizer";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { initialParameters } from "./initialise.ts";
import { loadLanguageModel } from "./languageModel.ts";
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

const text = "the cat sat on the mat and the dog sat on the log with the cat and the dog ".repeat(20);
const tokenizer = trainTokenizer([new TextEncoder().encode(text)], { vocabSize: 300 });
const config = modelConfig({ family: "llama", vocabSize: 300, seqLen: 48, numLayers: 2, residualDim: 24, numKvHeads: 2, groupSize: 2, headDim: 8, initStd: 0.3 });
const model = { config, parameters: initialParameters(config, 4) };

describe.each(backends)("a language model on $name", ({ create }) => {
  it("scores and completes as on the reference", async () => {
    const requests = [{ context: "the cat", continuation: " sat on" }, { context: "", continuation: "the dog" }];
    const answers = [];
    for (const executor of [referenceExecutor(), create()]) {
      const engine = await loadLanguageModel({ model, tokenizer, executor });
      answers.push({ scores: await engine.loglikelihood(requests), texts: await engine.generate([{ prompt: "the dog sat", until: [], maxTokens: 8 }]) });
      engine.free();
    }
    const [expected, found] = answers;
    found!.scores.forEach(({ logprob }, i) => expect(logprob).toBeCloseTo(expected!.scores[i]!.logprob, 3));
    expect(found!.texts).toEqual(expected!.texts);
  });
});

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
