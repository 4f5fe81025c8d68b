import { rmSync } from "node:fs";
import { rampValue } from "@espalier/growth";
import { modelConfig } from "@espalier/spec/model";
import { trainTokenizer } from "@espalier/tokenizer";
import { afterAll, describe, expect, it } from "vitest";
import { openCheckpoint, readModelState } from "./checkpoint.ts";
import { DeviceModel, type ModelState } from "./deviceModel.ts";
import { initialParameters } from "./initialise.ts";
import { loadLanguageModel } from "./languageModel.ts";
import { runPaths } from "./runDirectory.ts";
import { testedExecutors } from "./testing/executors.ts";
import { temporaryDirectory, tinyData, tinyPlan } from "./testing/runs.ts";
import { train } from "./train.ts";

const text = "the cat sat on the mat and the dog sat on the log with the cat and the dog ".repeat(20);
const tokenizer = trainTokenizer([new TextEncoder().encode(text)], { vocabSize: 300 });
const config = modelConfig({ family: "flm", vocabSize: 300, seqLen: 48, numLayers: 2, residualDim: 24, numKvHeads: 2, initStd: 0.3 });
const model: ModelState = { config, parameters: initialParameters(config, 4) };
const directory = temporaryDirectory();
afterAll(() => rmSync(directory, { recursive: true }));

/** Log-probabilities of the token after each prefix, straight from the logits program. */
async function slowLogprob(device: DeviceModel, ids: number[], from: number) {
  const T = config.seqLen;
  const { program, inputs, outputs } = device.logits({ B: 1, T });
  inputs[0].set("tokens", Int32Array.from({ length: T }, (_, i) => ids[i] ?? 0));
  await program.run(inputs[0].bytes, outputs.bytes);
  const logits = outputs.get("logits");
  let sum = 0;
  let greedy = true;
  for (let i = from; i < ids.length; i++) {
    const row = Float64Array.from(logits.subarray((i - 1) * 300, i * 300));
    const top = Math.max(...row);
    sum += row[ids[i]!]! - top - Math.log(row.reduce((total, x) => total + Math.exp(x - top), 0));
    greedy &&= row.indexOf(top) === ids[i];
  }
  return { sum, greedy };
}

const requests = [
  { context: "the cat", continuation: " sat on" },
  { context: "", continuation: "the dog" },
  { context: "the dog sat on the log with ".repeat(6), continuation: "the cat" },
  { context: "a", continuation: "" },
  { context: "on the mat and the", continuation: " dog sat on the log with the cat" },
];

describe.each(testedExecutors())("loadLanguageModel on $name", ({ make }) => {
  it("scores continuations as the model's own logits do", async () => {
    const engine = await loadLanguageModel({ model, tokenizer, executor: make() });
    const device = new DeviceModel(make(), model);
    const answers = await engine.loglikelihood(requests);
    for (const [i, { context, continuation }] of requests.entries()) {
      const scored = [...tokenizer.encode(continuation)];
      const before = context ? [...tokenizer.encode(context)] : [tokenizer.specialId("<|endoftext|>")];
      const ids = [...before, ...scored].slice(-48);
      const { sum, greedy } = await slowLogprob(device, ids, ids.length - scored.length);
      expect(answers[i]!.logprob).toBeCloseTo(sum, 3);
      expect(answers[i]).toMatchObject({ numTokens: scored.length, isGreedy: greedy });
    }
  });

  it("answers the same bits however requests are batched", async () => {
    const engine = await loadLanguageModel({ model, tokenizer, executor: make() });
    const many = Array.from({ length: 23 }, (_, i) => requests[(i * 7) % 5]!);
    const together = await engine.loglikelihood(many);
    for (const [i, request] of many.entries()) expect(await engine.loglikelihood([request])).toEqual([together[i]]);
    const prompts = Array.from({ length: 7 }, (_, i) => ({ prompt: text.slice(i, 8 + 5 * i), until: ["\n"], maxTokens: 9, temperature: i % 2, seed: i }));
    const written = await engine.generate(prompts);
    for (const [i, prompt] of prompts.entries()) expect(await engine.generate([prompt])).toEqual([written[i]]);
  });

  it("predicts each token of a long text once, window by window", async () => {
    const engine = await loadLanguageModel({ model, tokenizer, executor: make() });
    const long = text.slice(0, 600);
    const ids = [tokenizer.specialId("<|endoftext|>"), ...tokenizer.encode(long)];
    const device = new DeviceModel(make(), model);
    let expected = 0;
    for (let first = 0; first + 1 < ids.length; first += 48) expected += (await slowLogprob(device, ids.slice(first, first + 49), 1)).sum;
    const [answer, empty] = await engine.rollingLoglikelihood([long, ""]);
    expect(answer!.numTokens).toBe(ids.length - 1);
    expect(Math.abs(answer!.logprob / expected - 1)).toBeLessThan(1e-4);
    expect(empty).toEqual({ logprob: 0, numTokens: 0, isGreedy: true });
  });
});

describe("generate", () => {
  const executor = testedExecutors().at(-1)!.make();

  it("is greedy at temperature 0: each token is the model's first choice", async () => {
    const engine = await loadLanguageModel({ model, tokenizer, executor });
    const [answer] = await engine.generate([{ prompt: "the cat", until: [], maxTokens: 6 }]);
    expect(answer).toMatchObject({ numTokens: 6, finish: "length" });
    const ids = tokenizer.encode(answer!.text);
    if (ids.length === 6) {
      const [score] = await engine.loglikelihood([{ context: "the cat", continuation: answer!.text }]);
      expect(score!.isGreedy).toBe(true);
    }
  });

  it("ends before the first stop text, and never passes the model's length", async () => {
    const engine = await loadLanguageModel({ model, tokenizer, executor });
    const [free] = await engine.generate([{ prompt: "the cat", until: [], maxTokens: 12 }]);
    const mark = free!.text.slice(3, 5);
    const [cut] = await engine.generate([{ prompt: "the cat", until: ["", mark], maxTokens: 12 }]);
    expect(cut).toMatchObject({ text: free!.text.slice(0, free!.text.indexOf(mark)), finish: "stop" });
    const [long] = await engine.generate([{ prompt: text, until: [], maxTokens: 500 }]);
    expect(long!.finish === "stop" || long!.numTokens === 47).toBe(true);
    expect(await engine.generate([{ prompt: "x", until: [], maxTokens: 0 }])).toEqual([{ text: "", numTokens: 0, finish: "length" }]);
  });

  it("samples by seed", async () => {
    const engine = await loadLanguageModel({ model, tokenizer, executor });
    const sample = async (seed: number) => (await engine.generate([{ prompt: "the", until: [], maxTokens: 8, temperature: 1, seed }]))[0]!.text;
    expect(await sample(1)).toBe(await sample(1));
    expect(await sample(1)).not.toBe(await sample(2));
  });
});

describe("loadLanguageModel", () => {
  const executor = testedExecutors().at(-1)!.make();

  it("opens a checkpoint of a run, in the middle of a ramp too", async () => {
    const wide = tinyPlan();
    const plan = { ...wide, stages: wide.stages.map((stage) => ({ ...stage, model: { ...stage.model, vocabSize: 300 } })) };
    const stop = new AbortController();
    const hooks = { signal: stop.signal, onMetric: ({ step }: { step: number }) => void (step === 8 && stop.abort()) };
    const data = { ...tinyData(), byteLengths: new Uint32Array(300).fill(1), tokenizerDigest: tokenizer.digest };
    await expect(train({ plan, data, directory, executor }, hooks)).rejects.toThrow(/stopped at step 8 of 19/);
    const path = runPaths.checkpoint(directory, 8, false);
    const state = await readModelState(await openCheckpoint(path), false);
    expect(rampValue(state.births!, state.step!)).toBe(0.5);
    const [inMemory, opened] = [await loadLanguageModel({ model: state, tokenizer, executor }), await loadLanguageModel({ model: path, tokenizer, executor })];
    const asked = [{ context: "a", continuation: "b" }];
    expect(await opened.loglikelihood(asked)).toEqual(await inMemory.loglikelihood(asked));
    const ended = await loadLanguageModel({ model: { ...state, step: 99 }, tokenizer, executor });
    expect(await ended.loglikelihood(asked)).not.toEqual(await opened.loglikelihood(asked));
    const other = trainTokenizer([new TextEncoder().encode("other text, other merges")], { vocabSize: 260 });
    await expect(loadLanguageModel({ model: path, tokenizer: other, executor })).rejects.toThrow(
      `has digest ${other.digest.slice(0, 12)}, expected ${tokenizer.digest.slice(0, 12)}, which it was trained with. Use that tokenizer.`,
    );
  });

  it("names a tokenizer that does not fit and a checkpoint that is not there", async () => {
    const narrow = { ...config, vocabSize: 270 };
    await expect(loadLanguageModel({ model: { config: narrow, parameters: initialParameters(narrow, 1) }, tokenizer, executor })).rejects.toThrow(
      `has ${tokenizer.vocabSize} ids, expected at most the model's 270`,
    );
    await expect(loadLanguageModel({ model: `${directory}/absent`, tokenizer, executor })).rejects.toThrow(/state\.json: it does not exist/);
  });

  it("scores no continuation longer than the model, and all others beside it", async () => {
    const engine = await loadLanguageModel({ model, tokenizer, executor });
    const [first, last] = [requests[0]!, requests[4]!];
    const answers = await engine.loglikelihood([first, { context: "a", continuation: text }, last]);
    expect(answers[1]).toEqual({ logprob: Number.NaN, numTokens: 0, isGreedy: false });
    expect([answers[0], answers[2]]).toEqual(await engine.loglikelihood([first, last]));
  });

  it("says how many tokens a context or a prompt lost at its beginning", async () => {
    for (const [encoding, longest] of [["separate", 48], ["joint", 49]] as const) {
      const engine = await loadLanguageModel({ model, tokenizer, executor, encoding });
      const long = "the dog sat on the log with ".repeat(9).trimEnd();
      const numTokens = tokenizer.encode(long).length + tokenizer.encode(" the cat").length;
      expect(numTokens).toBeGreaterThan(60);
      const [cut, whole] = await engine.loglikelihood([{ context: long, continuation: " the cat" }, { context: "the dog", continuation: " sat" }]);
      expect(cut!.numTruncated).toBe(numTokens - longest);
      expect(whole!.numTruncated ?? 0).toBe(0);
      const [answer, short] = await engine.generate([{ prompt: long, until: [], maxTokens: 8 }, { prompt: "the", until: [], maxTokens: 8 }]);
      expect(answer!.numTruncated).toBe(tokenizer.encode(long).length - 40);
      expect(short!.numTruncated ?? 0).toBe(0);
    }
  });

  it("encodes jointly when asked to", async () => {
    const engine = await loadLanguageModel({ model, tokenizer, executor });
    const joint = await loadLanguageModel({ model, tokenizer, executor, encoding: "joint" });
    const [a] = await joint.loglikelihood([{ context: "the cat ", continuation: "sat" }]);
    const [b] = await joint.loglikelihood([{ context: "the cat", continuation: " sat" }]);
    expect(a).toEqual(b);
    expect((await engine.loglikelihood([{ context: "the cat ", continuation: "sat" }]))[0]!.logprob).not.toBe(b!.logprob);
  });
});
