import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ModelConfig, modelConfig, parameters } from "@espalier/spec/model";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openSafetensors } from "../read.ts";
import { writeSafetensors } from "../write.ts";
import { fieldsOf } from "./fields.ts";
import { gptNeox } from "./gptNeox.ts";
import { llama } from "./llama.ts";
import { openHuggingFace } from "./open.ts";
import { gather, scatter } from "./permute.ts";
import { headChannel } from "./rope.ts";
import { starcoder2 } from "./starcoder2.ts";
import { families } from "./table.ts";
import { writeHuggingFace } from "./write.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "espalier-hugging-face-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

const size = { vocabSize: 11, seqLen: 8, numLayers: 2, residualDim: 8, numKvHeads: 2 };
const plain = modelConfig({ family: "flm", ...size });
const neox = { ...plain, parallelResidual: true as const, position: { ...plain.position, frequencies: [1, 0] } };
const examples: Record<string, ModelConfig> = {
  llama: modelConfig({ family: "llama", ...size }),
  gpt_neox: neox,
  gpt2: modelConfig({ family: "flm", ...size, position: { kind: "learned" } }),
  starcoder2: plain,
};
/** Every value of every parameter is another number. */
function numbered(config: ModelConfig): Record<string, Float32Array> {
  let next = 0;
  return Object.fromEntries(parameters(config).map(({ name, rows, columns }) => [name, Float32Array.from({ length: rows * columns }, () => next++)]));
}

const write = async (config: ModelConfig, modelType: string) => {
  const tree = numbered(config);
  await writeHuggingFace(directory, { config, read: (name) => tree[name]! }, { modelType });
  return tree;
};

/** What the files say of the model, changed. */
async function changeConfig(modelType: string, changes: Record<string, unknown>): Promise<void> {
  const json = families.find((each) => each.modelType === modelType)!.writeConfig(examples[modelType]!);
  writeFileSync(join(directory, "config.json"), JSON.stringify({ model_type: modelType, vocab_size: 11, tie_word_embeddings: true, ...json, ...changes }));
}

describe("each family", () => {
  it.each(Object.keys(examples))("%s: every value comes back to its place, and each tensor is written once", async (modelType) => {
    const config = examples[modelType]!;
    const tree = await write(config, modelType);
    const open = await openHuggingFace(directory);
    expect(open).toMatchObject({ modelType, config });
    for (const { name } of parameters(config)) expect(await open.read(name), name).toEqual(tree[name]);
    await open.close();
    const file = await openSafetensors(join(directory, "model.safetensors"));
    expect(file.metadata).toEqual({ format: "pt" });
    const written = [];
    for (const tensor of file.tensors.keys()) written.push(...(await file.readFloat32(tensor)));
    await file.close();
    expect(written.sort((a, b) => a - b)).toEqual(Object.values(tree).flatMap((values) => [...values]).sort((a, b) => a - b));
  });

  it("has exactly the published tensor names", async () => {
    const names = async (modelType: string) => {
      await write({ ...examples[modelType]!, numLayers: 1, tiedHead: false }, modelType);
      const file = await openSafetensors(join(directory, "model.safetensors"));
      await file.close();
      return [...file.tensors].map(([name, { shape }]) => `${name} [${shape}]`).sort();
    };
    expect(await names("starcoder2")).toEqual([
      "lm_head.weight [11,8]", "model.embed_tokens.weight [11,8]",
      "model.layers.0.input_layernorm.bias [8]", "model.layers.0.input_layernorm.weight [8]",
      "model.layers.0.mlp.c_fc.bias [32]", "model.layers.0.mlp.c_fc.weight [32,8]", "model.layers.0.mlp.c_proj.bias [8]", "model.layers.0.mlp.c_proj.weight [8,32]",
      "model.layers.0.post_attention_layernorm.bias [8]", "model.layers.0.post_attention_layernorm.weight [8]",
      ...["k", "o", "q", "v"].flatMap((x) => [`model.layers.0.self_attn.${x}_proj.bias [8]`, `model.layers.0.self_attn.${x}_proj.weight [8,8]`]),
      "model.norm.bias [8]", "model.norm.weight [8]",
    ]);
    expect(await names("gpt_neox")).toEqual([
      "embed_out.weight [11,8]", "gpt_neox.embed_in.weight [11,8]", "gpt_neox.final_layer_norm.bias [8]", "gpt_neox.final_layer_norm.weight [8]",
      ...["attention.dense.bias [8]", "attention.dense.weight [8,8]", "attention.query_key_value.bias [24]", "attention.query_key_value.weight [24,8]",
        "input_layernorm.bias [8]", "input_layernorm.weight [8]", "mlp.dense_4h_to_h.bias [8]", "mlp.dense_4h_to_h.weight [8,32]",
        "mlp.dense_h_to_4h.bias [32]", "mlp.dense_h_to_4h.weight [32,8]", "post_attention_layernorm.bias [8]", "post_attention_layernorm.weight [8]",
      ].map((name) => `gpt_neox.layers.0.${name}`),
    ]);
    expect((await names("gpt2")).filter((name) => name.includes("attn") || name.includes("wpe"))).toEqual([
      "transformer.h.0.attn.c_attn.bias [24]", "transformer.h.0.attn.c_attn.weight [8,24]", "transformer.h.0.attn.c_proj.bias [8]", "transformer.h.0.attn.c_proj.weight [8,8]", "transformer.wpe.weight [8,8]",
    ]);
  });

  it("turns rows and columns back, whatever the rule", () => {
    const config = { headDim: 8, position: { ...plain.position, frequencies: [1, 0.1, 0, 0] } };
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 5 }), fc.boolean(), (numHeads, columns, transposed) => {
        const rows = 8 * numHeads;
        const channel = headChannel(config);
        const shape = transposed ? [columns, rows] : [rows, columns];
        const rule = { tensor: "x", shape, transposed, rowOf: (row: number) => row - (row % 8) + channel(row % 8) };
        const parameter = { ...parameters(plain)[0]!, rows, columns };
        const values = Float32Array.from({ length: rows * columns }, (_, i) => i + 1);
        const tensor = new Float32Array(rows * columns);
        scatter(parameter, rule, values, tensor);
        expect(gather(parameter, rule, tensor)).toEqual(values);
        expect([...tensor].sort((a, b) => a - b)).toEqual([...values]);
      }),
    );
    // Two of four pairs turn: theirs has the turning channels first.
    expect(Array.from({ length: 8 }, (_, i) => headChannel(config)(i))).toEqual([0, 1, 4, 5, 2, 3, 6, 7]);
  });
});

describe("config.json", () => {
  const llamaFields = (changes: object) => fieldsOf({ vocab_size: 8, hidden_size: 8, intermediate_size: 8, num_hidden_layers: 1, num_attention_heads: 2, ...changes }, "config.json");

  it("scales frequencies as Llama 3.1 does, and linearly", () => {
    const scaled = (changes: object) => llama.readConfig(llamaFields({ hidden_size: 16, rope_theta: 10000, ...changes })).position.frequencies;
    expect(scaled({})).toBeUndefined();
    expect(scaled({ rope_scaling: { type: "linear", factor: 2 } })).toEqual([1, 0.1, 0.01, 0.001].map((f) => f / 2));
    // turns in 1000 tokens: 159, 15.9, 1.59, 0.159 -> kept, kept, blended, stretched
    const blend = (1000 * 0.01) / (2 * Math.PI);
    const share = (blend - 1) / 3;
    const found = scaled({ rope_parameters: { rope_theta: 10000, rope_type: "llama3", factor: 8, low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 1000 } });
    [1, 0.1, (1 - share) * (0.01 / 8) + share * 0.01, 0.001 / 8].forEach((f, i) => expect(found![i]).toBeCloseTo(f, 12));
  });

  it("has the family's own defaults", () => {
    const fields = (changes: object) => llamaFields({ hidden_size: 32, ...changes });
    expect(gptNeox.readConfig(fields({}))).toMatchObject({ parallelResidual: true, gelu: "erf", tiedHead: false, position: { frequencies: [1, 0.01, 0, 0, 0, 0, 0, 0].map((f) => expect.closeTo(f, 12)) } });
    expect(starcoder2.readConfig(fields({}))).toMatchObject({ tiedHead: true, numKvHeads: 2, groupSize: 1 });
  });

  it.each([
    ["llama", { hidden_act: "gelu" }, /hidden_act is "gelu", expected "silu"/],
    ["llama", { rope_scaling: { rope_type: "yarn", factor: 4 } }, /rope_scaling: type is "yarn", expected default, linear or llama3/],
    ["llama", { hidden_size: undefined }, /hidden_size is missing, expected a whole number from 1/],
    ["llama", { num_hidden_layers: 2 ** 31 }, /num_hidden_layers is 2147483648, expected a whole number from 1 to 65536/],
    ["llama", { head_dim: 2 ** 21 }, /heads of 2097152 channels, expected at most 65536/],
    ["llama", { num_hidden_layers: "two" }, /num_hidden_layers is "two", expected a whole number/],
    ["llama", { num_key_value_heads: 3 }, /groupSize/],
    ["gpt_neox", { rotary_pct: 0.1 }, /0 of 4 head channels are rotated/],
    ["gpt_neox", { hidden_act: "relu" }, /hidden_act is "relu", expected "gelu"/],
    ["gpt2", { scale_attn_by_inverse_layer_idx: true }, /scale_attn_by_inverse_layer_idx is true, expected false/],
    ["starcoder2", { sliding_window: 4 }, /sliding_window is 4, expected none or at least the context of 8.*maxLen 4/],
    ["starcoder2", { model_type: "mamba" }, /model_type is "mamba", expected one of llama, gpt_neox, gpt2, starcoder2/],
    ["starcoder2", { model_type: undefined }, /model_type is missing/],
    ["gpt2", { n_embd: 12 }, /tensor `transformer.wte.weight` is \[11, 8\], expected \[11, 12\]/],
    ["gpt2", { n_layer: 3 }, /no tensor `transformer.h.2.ln_1.weight`, expected shape \[8\]/],
  ])("%s with %j is refused in one sentence", async (modelType, changes, message) => {
    await write(examples[modelType]!, modelType);
    await changeConfig(modelType, changes);
    await expect(openHuggingFace(directory)).rejects.toThrow(message);
  });

  it("takes a shorter context: a sliding window as long is the whole of it, a position table loses its end", async () => {
    await write(plain, "starcoder2");
    await changeConfig("starcoder2", { sliding_window: 4 });
    const short = await openHuggingFace(directory, { maxLen: 4 });
    expect(short.config.seqLen).toBe(4);
    await short.close();
    await expect(openHuggingFace(directory, { maxLen: 9 })).rejects.toThrow(/maxLen is 9, expected 1 to the model's 8/);
    const tree = await write(examples.gpt2!, "gpt2");
    const gpt2 = await openHuggingFace(directory, { maxLen: 3 });
    expect(await gpt2.read("position.weight")).toEqual(tree["position.weight"]!.subarray(0, 3 * 8));
    await gpt2.close();
  });

  it("fills biases that it switches off with zeros, and no others", async () => {
    await write(plain, "starcoder2");
    const file = await openSafetensors(join(directory, "model.safetensors"));
    const kept = [];
    for (const { name, dtype, shape } of file.tensors.values()) {
      if (!name.endsWith(".bias") || name.includes("norm")) kept.push({ name, dtype, shape, data: await file.read(name) });
    }
    await file.close();
    await writeSafetensors(join(directory, "model.safetensors"), kept);
    await expect(openHuggingFace(directory)).rejects.toThrow(/no tensor `model.layers.0.self_attn.q_proj.bias`/);
    await changeConfig("starcoder2", { use_bias: false });
    const open = await openHuggingFace(directory);
    expect(await open.read("layers.1.ffn.up.bias")).toEqual(new Float32Array(32));
    await open.close();
  });

  it("never fails with anything but one of our errors, whatever the file holds", async () => {
    await write(examples.llama!, "llama");
    const value = fc.oneof(fc.integer(), fc.double(), fc.string(), fc.constant(null), fc.boolean(), fc.array(fc.integer()), fc.object());
    const field = fc.constantFrom("num_hidden_layers", "model_type", "hidden_size", "head_dim", "rope_scaling", "rope_parameters", "num_key_value_heads", "vocab_size", "tie_word_embeddings", "rms_norm_eps", "initializer_range");
    await fc.assert(
      fc.asyncProperty(field, value, async (name, found) => {
        await changeConfig("llama", { [name]: found });
        const outcome = await openHuggingFace(directory).then((open) => open.close(), (error: unknown) => error);
        if (outcome !== undefined) expect(outcome).toHaveProperty("code");
      }),
      { numRuns: 200 },
    );
  });
});

describe("shards", () => {
  const write = async (map: Record<string, string>) => {
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, "model.safetensors.index.json"), JSON.stringify({ metadata: { total_size: 0 }, weight_map: map }));
    await changeConfig("gpt2", {});
  };

  it.each([
    [{ "transformer.wte.weight": "../secret.safetensors" }, /is in "..\/secret.safetensors", expected the name of a safetensors file beside the index/],
    [{ "transformer.wte.weight": "model-1.bin" }, /expected the name of a safetensors file/],
    [{ "transformer.wte.weight": "a.safetensors" }, /a\.safetensors: it does not exist/],
    [{ "transformer.wte.weight": "other.safetensors" }, /says that `transformer.wte.weight` is in other.safetensors, which does not hold it/],
    [{}, /no tensor `transformer.wte.weight`/],
  ])("%j is refused", async (map, message) => {
    await writeSafetensors(join(directory, "other.safetensors"), [{ name: "x", dtype: "F32", shape: [1], data: new Float32Array(1) }]);
    await write(map as Record<string, string>);
    await expect(openHuggingFace(directory)).rejects.toThrow(message);
  });

  it("says what a directory without either file lacks", async () => {
    await expect(openHuggingFace(join(directory, "absent"))).rejects.toThrow(/config\.json: not there, expected a Hugging Face model directory/);
    await changeConfig("gpt2", {});
    await expect(openHuggingFace(directory)).rejects.toThrow(/model\.safetensors: it does not exist/);
  });
});
