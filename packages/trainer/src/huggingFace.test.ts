import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openHuggingFace, openSafetensors, writeHuggingFace } from "@espalier/checkpoint";
import { firstBirths } from "@espalier/growth";
import { modelConfig, parameters } from "@espalier/spec/model";
import { readHuggingFaceTokenizer, trainTokenizer } from "@espalier/tokenizer";
import { afterAll, describe, expect, it } from "vitest";
import { writeCheckpoint } from "./checkpoint.ts";
import { DeviceModel, type ModelState } from "./deviceModel.ts";
import { exportHuggingFace } from "./exportHuggingFace.ts";
import { initialParameters, initialState } from "./initialise.ts";
import { loadLanguageModel } from "./languageModel.ts";
import { loadHuggingFaceModel, readHuggingFaceState } from "./huggingFace.ts";
import { relativeError, testedExecutors } from "./testing/executors.ts";
import { fixtureNames, readFixture } from "./testing/fixture.ts";
import { temporaryDirectory } from "./testing/runs.ts";

const fixtures = join(import.meta.dirname, "../fixtures/huggingFace");
const names = ["llama", "gpt-neox", "gpt-neox-sequential", "gpt2", "starcoder2"];
const directory = temporaryDirectory();
afterAll(() => rmSync(directory, { recursive: true }));

async function stateOf(path: string): Promise<ModelState> {
  const open = await openHuggingFace(path);
  const tree: Record<string, Float32Array> = {};
  for (const { name } of parameters(open.config)) tree[name] = await open.read(name);
  await open.close();
  return { config: open.config, parameters: tree };
}

async function logitsOf(executor: ReturnType<(typeof executors)[number]["make"]>, state: ModelState, tokens: ArrayLike<number>, B: number): Promise<Float32Array> {
  const model = new DeviceModel(executor, state);
  const { program, inputs, outputs } = model.logits({ B, T: tokens.length / B });
  inputs[0].set("tokens", tokens);
  model.setModelInputs(inputs[0]);
  await program.run(inputs[0].bytes, outputs.bytes);
  const logits = Float32Array.from(outputs.get("logits"));
  model.free();
  return logits;
}

const executors = testedExecutors();

describe.each(executors)("models of Hugging Face on $name", ({ make, tolerance }) => {
  it.each(names)("%s has the logits that PyTorch computes in that family's own layout", async (name) => {
    const expected = await openSafetensors(join(fixtures, name, "expected.safetensors"));
    const tokens = await expected.readInt32("tokens");
    const logits = await expected.readFloat32("logits");
    await expected.close();
    expect(relativeError(logits, await logitsOf(make(), await stateOf(join(fixtures, name)), tokens, 2))).toBeLessThan(tolerance);
  });
});

describe("writeHuggingFace", () => {
  const { make, tolerance } = executors[0]!;
  const roundTrip = async (state: ModelState, modelType?: string) => {
    const path = join(directory, "export");
    const written = await writeHuggingFace(path, { config: state.config, read: (name) => state.parameters[name]! }, { bosTokenId: 1, eosTokenId: 2, ...(modelType ? { modelType } : {}) });
    const tokens = Array.from({ length: 16 }, (_, i) => (i * 7) % state.config.vocabSize);
    const [before, after] = [await logitsOf(make(), state, tokens, 2), await logitsOf(make(), await stateOf(path), tokens, 2)];
    expect(relativeError(before, after)).toBeLessThan(tolerance);
    return { ...written, json: JSON.parse(readFileSync(join(path, "config.json"), "utf8")) as Record<string, unknown> };
  };

  it.each(names.filter((name) => name !== "llama"))("writes %s so that it reads back with the same logits", async (name) => {
    const { json, modelType } = await roundTrip(await stateOf(join(fixtures, name)), name === "gpt-neox-sequential" ? "gpt_neox" : undefined);
    expect(modelType).toBe(name.replace("-sequential", "").replace("-", "_"));
    expect(json).toMatchObject({ bos_token_id: 1, eos_token_id: 2, vocab_size: 23, torch_dtype: "float32" });
  });

  it("writes our own models, multipliers folded into weights, the head tied or not", async () => {
    const { config } = await readFixture("flm-tied-rope");
    const multipliers = { embedding: 2, logits: 0.7, attention: 0.3, residual: 0.8 };
    const random = (tied: boolean) => {
      const own = { ...config, tiedHead: tied, multipliers, initStd: 0.5 };
      return { config: own, parameters: initialParameters(own, 3) };
    };
    for (const tied of [true, false]) expect((await roundTrip(random(tied))).modelType).toBe("starcoder2");
    const llama = (await readFixture("llama-biases")).config;
    expect((await roundTrip({ config: { ...llama, multipliers }, parameters: initialParameters(llama, 4) })).modelType).toBe("llama");
  });

  it.each(fixtureNames)("either keeps the logits of %s or says what no family can express", async (name) => {
    const { config } = await readFixture(name);
    const state = { config, parameters: initialParameters({ ...config, initStd: 0.4 }, 5) };
    if (name === "flm-untied-xpos-mup") await expect(roundTrip(state)).rejects.toThrow(/norm epsilons are .* expected one value/);
    else if (name === "flm-parallel-frequencies") await expect(roundTrip(state)).rejects.toThrow(/gpt_neox needs .* rope positions by their formula/);
    else await roundTrip(state);
    await expect(roundTrip({ ...state, config: { ...config, normEpsilon: { attention: 1, ffn: 1, final: 1 }, position: { ...config.position, kind: "xpos" } } })).rejects.toThrow(/positions are xpos/);
  });
});

const tinyStories = join(import.meta.dirname, "../../../../shared/data/models/tinystories-656k");

describe.skipIf(!existsSync(tinyStories))("a trained Llama with its tokenizer (skipped where the model file is not beside the project)", () => {
  const { make } = executors.at(-1)!;

  it("gives the log-likelihoods that PyTorch computes from the same ids, split as lm-evaluation-harness does", async () => {
    const model = await loadHuggingFaceModel(tinyStories, { executor: make() });
    const [start, moved, lost] = await model.loglikelihood([
      { context: "", continuation: "Once upon a time" },
      { context: "The cat sat on the mat. ", continuation: "It was happy." },
      { context: "Once upon a time, there was a little girl named", continuation: " Lily" },
    ]);
    expect(start).toMatchObject({ numTokens: 5, isGreedy: false, logprob: expect.closeTo(-27.639736, 3) });
    // A merge over "mat. It" takes a token from the continuation: two of three are left.
    expect(moved).toMatchObject({ numTokens: 2, logprob: expect.closeTo(-11.510308, 3) });
    expect(lost).toMatchObject({ numTokens: 0 });
    const [whole] = await model.rollingLoglikelihood(["Once upon a time"]);
    expect(whole).toMatchObject({ numTokens: 6, logprob: expect.closeTo(-41.871564, 3) });
    model.free();
  });

  it("tells a story", async () => {
    const model = await loadHuggingFaceModel(tinyStories, { executor: make() });
    const [story] = await model.generate([{ prompt: "Once upon a time, there was a little girl named", until: [], maxTokens: 30 }]);
    expect(story!.text).toMatch(/^\. She was three years old\. She loved to explore/);
    model.free();
  });

  it("survives a prompt longer than the context, which loses its beginning", async () => {
    const model = await loadHuggingFaceModel(tinyStories, { executor: make() });
    const long = "The cat sat on the mat. ".repeat(200);
    const [a, b] = await model.loglikelihood([{ context: `Dog. ${long}`, continuation: "It was" }, { context: long, continuation: "It was" }]);
    expect(b!.numTruncated).toBe(492);
    expect(a).toEqual({ ...b, numTruncated: 494 }); // "Dog." is two tokens
    model.free();
  });

  it.each([
    ["a tokenizer with more ids than the embedding has rows", "tokenizer.json", (text: string) => text.replace('"id": 2,', '"id": 2048,'), /has 2049 ids, the model an embedding of 2048 rows/],
    ["a config.json of another shape", "config.json", (text: string) => text.replace('"vocab_size": 2048', '"vocab_size": 2000'), /`lm_head.weight` is \[2048, 128\], expected \[2000, 128\]/],
    ["another end-of-text id", "config.json", (text: string) => text.replace('"eos_token_id": 2', '"eos_token_id": 7'), /end-of-text token .* has id 2 in the tokenizer, 7 in the model/],
    ["a missing tokenizer", "tokenizer.json", () => undefined, /tokenizer\.json: it does not exist/],
  ])("refuses %s in one sentence", async (_, file, change, message) => {
    const path = join(directory, "changed");
    rmSync(path, { recursive: true, force: true });
    cpSync(tinyStories, path, { recursive: true });
    rmSync(join(path, "generation_config.json"));
    const changed = change(readFileSync(join(path, file), "utf8"));
    if (changed === undefined) rmSync(join(path, file));
    else writeFileSync(join(path, file), changed);
    await expect(readHuggingFaceState(path)).rejects.toThrow(message);
  });

  it("keeps its tokenizer's ids within the model's", () => {
    const tokenizer = readHuggingFaceTokenizer(readFileSync(join(tinyStories, "tokenizer.json"), "utf8"), "tokenizer.json");
    expect(tokenizer.vocabSize).toBe(2048);
  });
});

describe("exportHuggingFace", () => {
  it("writes a checkpoint that answers alike as a Hugging Face directory", async () => {
    const text = "the cat sat on the mat and the dog sat on the log ".repeat(20);
    const tokenizer = trainTokenizer([new TextEncoder().encode(text)], { vocabSize: 300 });
    const config = modelConfig({ family: "flm", vocabSize: 300, seqLen: 32, numLayers: 1, residualDim: 16, numKvHeads: 2, initStd: 0.3 });
    const about = { planDigest: "", tokenizerDigest: tokenizer.digest, stage: 0, tokenOffset: 0, history: [] };
    const state = { ...initialState(config, 4), births: firstBirths(config), step: 0 } as Required<ModelState>;
    const checkpoint = join(directory, "checkpoint");
    await writeCheckpoint(checkpoint, state, about);
    const out = join(directory, "exported");
    expect(await exportHuggingFace(checkpoint, out, { tokenizer })).toMatchObject({ modelType: "starcoder2" });
    const make = executors.at(-1)!.make;
    const [ours, theirs] = [
      await loadLanguageModel({ model: checkpoint, tokenizer, executor: make(), encoding: "joint" }),
      await loadHuggingFaceModel(out, { executor: make() }),
    ];
    const requests = [{ context: "the cat ", continuation: "sat on" }, { context: "", continuation: "the dog" }];
    const [a, b] = [await ours.loglikelihood(requests), await theirs.loglikelihood(requests)];
    a.forEach(({ logprob, numTokens }, i) => expect(b[i]).toMatchObject({ numTokens, logprob: expect.closeTo(logprob, 4) }));
    const asked = [{ prompt: "the cat", until: [], maxTokens: 8 }];
    expect(await theirs.generate(asked)).toEqual(await ours.generate(asked));
    writeFileSync(join(out, "tokenizer_config.json"), '{ "bos_token": '); // a copy that broke off: no model without its special tokens
    await expect(loadHuggingFaceModel(out, { executor: make() })).rejects.toThrow(/tokenizer_config\.json: not JSON, expected the texts of special tokens\. Restore the file from its source\.$/);
    const other = trainTokenizer([new TextEncoder().encode(text)], { vocabSize: 262 });
    await expect(exportHuggingFace(checkpoint, out, { tokenizer: other })).rejects.toThrow(/expected [0-9a-f]{12}, which it was trained with/);
  });
});
