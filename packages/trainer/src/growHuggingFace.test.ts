import { copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { openHuggingFace } from "@espalier/checkpoint";
import { type ModelConfig, parameters } from "@espalier/spec/model";
import { afterAll, describe, expect, it } from "vitest";
import { DeviceModel, type ModelState } from "./deviceModel.ts";
import { type GrownShape, growHuggingFace } from "./growHuggingFace.ts";
import { relativeError, testedExecutors } from "./testing/executors.ts";
import { temporaryDirectory } from "./testing/runs.ts";

const fixtures = join(import.meta.dirname, "../fixtures/huggingFace");
const scratch = temporaryDirectory();
afterAll(() => rmSync(scratch, { recursive: true }));
const { make, tolerance } = testedExecutors()[0]!;

async function stateOf(path: string): Promise<ModelState> {
  const open = await openHuggingFace(path);
  const tree: Record<string, Float32Array> = {};
  for (const { name } of parameters(open.config)) tree[name] = await open.read(name);
  await open.close();
  return { config: open.config, parameters: tree };
}

async function logitsOf(path: string): Promise<Float32Array> {
  const model = new DeviceModel(make(), await stateOf(path));
  const tokens = Array.from({ length: 12 }, (_, i) => (i * 7) % model.config.vocabSize);
  const { program, inputs, outputs } = model.logits({ B: 1, T: tokens.length });
  inputs[0].set("tokens", tokens);
  model.setModelInputs(inputs[0]);
  await program.run(inputs[0].bytes, outputs.bytes);
  const logits = Float32Array.from(outputs.get("logits"));
  model.free();
  return logits;
}

const twice = ({ numLayers, residualDim, ffnDim, numKvHeads }: ModelConfig): GrownShape => ({ numLayers: numLayers + 1, residualDim: 2 * residualDim, ffnDim: 2 * ffnDim, numKvHeads: 2 * numKvHeads });
const exact = { residual: "hyperCloning", ffn: "hyperCloning", head: "hyperCloning", depth: "zeroDepth" } as const;

describe("growHuggingFace", () => {
  it.each(["llama", "gpt-neox", "gpt-neox-sequential", "gpt2", "starcoder2"])("%s: every axis grown, the family and the logits kept", async (name) => {
    const [from, into] = [join(fixtures, name), join(scratch, name)];
    const { config } = await stateOf(from);
    const grown = await growHuggingFace(from, into, { shape: twice(config), operators: exact });
    expect(grown.exactness).toMatchObject({ logits: { holds: true }, gradients: { holds: true } });
    const json = (path: string) => JSON.parse(readFileSync(join(path, "config.json"), "utf8")) as { model_type: string };
    expect(json(into).model_type).toBe(json(from).model_type);
    expect((await stateOf(into)).config).toEqual({ ...config, ...twice(config) });
    expect(relativeError(await logitsOf(into), await logitsOf(from))).toBeLessThan(Math.max(tolerance, 1e-6));
  });

  it("operators mix; where the proof refuses, the logits differ", async () => {
    const from = join(fixtures, "llama");
    const { config } = await stateOf(from);
    const shape = { numLayers: 2 * config.numLayers, ffnDim: config.ffnDim + 3 };
    const mixed = await growHuggingFace(from, join(scratch, "mixed"), { shape, operators: { ffn: "net2Wider", depth: "zeroDepthTop" }, seed: 3 });
    expect(mixed.exactness.logits.holds).toBe(true);
    expect(relativeError(await logitsOf(join(scratch, "mixed")), await logitsOf(from))).toBeLessThan(Math.max(tolerance, 1e-6));
    const stacked = await growHuggingFace(from, join(scratch, "stacked"), { shape: { numLayers: shape.numLayers }, operators: { depth: "stack" } });
    expect(stacked.exactness.logits.holds).toBe(false);
    expect(relativeError(await logitsOf(join(scratch, "stacked")), await logitsOf(from))).toBeGreaterThan(1e-3);
  });

  it("keeps the tokeniser's files and says what grew in the tensor file; the source stays as it was", async () => {
    const from = join(scratch, "source");
    cpSync(join(fixtures, "llama"), from, { recursive: true });
    if (!existsSync(join(from, "tokenizer.json"))) copyFileSync(join(from, "config.json"), join(from, "tokenizer.json"));
    const before = readFileSync(join(from, "model.safetensors"));
    const { config } = await stateOf(from);
    await growHuggingFace(from, join(scratch, "named"), { shape: { numLayers: config.numLayers + 1 }, operators: { depth: "zeroDepth" }, seed: 5 });
    expect(readFileSync(join(from, "model.safetensors")).equals(before)).toBe(true);
    expect(readFileSync(join(scratch, "named/tokenizer.json"))).toEqual(readFileSync(join(from, "tokenizer.json")));
    const written = readFileSync(join(scratch, "named/model.safetensors"));
    const header = JSON.parse(written.subarray(8, 8 + Number(written.readBigUInt64LE())).toString()) as { __metadata__: Record<string, string> };
    expect(JSON.parse(header.__metadata__["espalier.growth"]!)).toMatchObject({ operators: { depth: "zeroDepth" }, seed: 5 });
  });

  it("refuses itself as target, no growth, shrinking, and an axis without operator, and writes nothing", async () => {
    const from = join(fixtures, "llama");
    const { config } = await stateOf(from);
    const into = join(scratch, "refused");
    mkdirSync(into);
    const grow = (shape: GrownShape, operators: Parameters<typeof growHuggingFace>[2]["operators"], target = into) => growHuggingFace(from, target, { shape, operators });
    await expect(grow({ numLayers: 9 }, { depth: "zeroDepth" }, from)).rejects.toThrow("is the source itself, expected another directory");
    await expect(grow({}, {})).rejects.toThrow("grow: no size changes");
    await expect(grow({ ffnDim: config.ffnDim - 1, numLayers: 9 }, { ffn: "net2Wider", depth: "zeroDepth" })).rejects.toThrow(/at least the source size|smaller/);
    await expect(grow({ numLayers: 9, ffnDim: 2 * config.ffnDim }, { depth: "zeroDepth" })).rejects.toThrow(/ffn/);
    expect(readdirSync(into)).toEqual([]);
  });
});
