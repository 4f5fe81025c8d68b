import { copyFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { ConfigError } from "@espalier/core";
import { fileError } from "@espalier/core/node";
import { openHuggingFace, writeHuggingFace } from "@espalier/checkpoint";
import type { Executor } from "@espalier/graph";
import { composeGrowth, type Exactness, fittedTarget, proveExactness, tensorGrower } from "@espalier/growth";
import { type ModelConfig, numParameters, parameters, parseModelConfig } from "@espalier/spec/model";
import type { GrowthStep } from "@espalier/spec/plan";
import { DeviceModel, type ModelState } from "./deviceModel.ts";
import { readHuggingFaceState } from "./huggingFace.ts";
import { relativeChange } from "./validation.ts";

/** Sizes that a growth may change; those left out stay. Head size stays: heads grow in number. */
export type GrownShape = Partial<Pick<ModelConfig, "numLayers" | "residualDim" | "ffnDim" | "numKvHeads" | "groupSize" | "tiedHead">>;

export interface GrownDirectory {
  modelType: string;
  from: ModelConfig;
  to: ModelConfig;
  parameters: { before: number; after: number };
  /** What is proved of the grown model before it is written; without gates, as the files of this form have none. */
  exactness: Exactness;
  bytes: number;
}

/** Files beside the weights that a growth leaves as they are. */
const COPIED = ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.json", "merges.txt", "tokenizer.model", "chat_template.jinja"];

/**
 * Grows a Hugging Face directory into another one. Tensors are read, grown and written one at a time, so a model may be
 * larger than memory; the source is not changed. Gates have no form in these files: operators that need them (MSG) give
 * a model that starts from other logits, and `exactness` says so.
 *
 * @throws {ConfigError} when nothing grows, the directories are one, or the grown sizes fit no model
 * @throws {GrowthError} when an operator is unknown or does not fit, or an axis grows that none is named for
 * @throws {FileError} when a file is missing or damaged, or the disk refuses
 */
export async function growHuggingFace(
  directory: string,
  into: string,
  { shape, operators, seed = 1 }: { shape: GrownShape; operators: GrowthStep["operators"]; seed?: number },
): Promise<GrownDirectory> {
  if (resolve(directory) === resolve(into)) throw new ConfigError(`grow: ${into} is the source itself, expected another directory. Choose another --out.`);
  const source = await openHuggingFace(directory);
  try {
    const target = fittedTarget(source.config, parseModelConfig({ ...source.config, ...shape }), operators);
    if (numParameters(target) === numParameters(source.config)) throw new ConfigError(`grow: no size changes, expected a larger one of ${numParameters(source.config)} parameters. Name layers, width, MLP size or heads, or untie the head.`);
    const map = composeGrowth(source.config, target, { operators, rampSteps: 0, seed });
    const growth = tensorGrower(map);
    const wanted = new Map(parameters(target).map((parameter) => [parameter.name, parameter]));
    const [eosTokenId] = source.eosTokenIds;
    const written = await writeHuggingFace(
      into,
      {
        config: target,
        async read(name) {
          const parameter = wanted.get(name)!;
          const sources: Record<string, Float32Array> = {};
          for (const from of growth.sourcesOf(parameter)) sources[from] = await source.read(from);
          const out: Float32Array = new Float32Array(parameter.rows * parameter.columns);
          growth.grow(parameter, sources, out);
          return out;
        },
      },
      {
        modelType: source.modelType,
        rope: source.rope,
        ...(source.bosTokenId === undefined ? {} : { bosTokenId: source.bosTokenId }),
        ...(eosTokenId === undefined ? {} : { eosTokenId }),
        metadata: { "espalier.growth": JSON.stringify({ operators, seed, from: numParameters(source.config) }) },
      },
    );
    for (const name of COPIED) await copyFile(join(directory, name), join(into, name)).catch(ignoreAbsent(join(directory, name)));
    return {
      modelType: written.modelType,
      from: source.config,
      to: target,
      parameters: { before: numParameters(source.config), after: numParameters(target) },
      exactness: proveExactness(map),
      bytes: written.bytes,
    };
  } finally {
    await source.close();
  }
}

const ignoreAbsent = (path: string) => (error: NodeJS.ErrnoException) => {
  if (error.code !== "ENOENT") throw fileError("copying", path, error);
};

/** How many positions `directoryLogitChange` compares at most. */
const COMPARED = 64;

/**
 * max |a - b| / max |a| over the logits of two Hugging Face models after each of the first tokens of a text, in fp32;
 * both are loaded whole.
 */
export async function directoryLogitChange(a: string, b: string, text: string, executor: Executor): Promise<{ change: number; positions: number }> {
  const before = await readHuggingFaceState(a);
  const tokens = Array.from(before.codec.encodeStart(text)).slice(0, Math.min(COMPARED, before.model.config.seqLen));
  const first = await logitsOf(before.model, tokens, executor);
  const second = await logitsOf((await readHuggingFaceState(b)).model, tokens, executor);
  return { change: relativeChange(first, second), positions: tokens.length };
}

async function logitsOf(state: ModelState, tokens: readonly number[], executor: Executor): Promise<Float32Array> {
  const model = new DeviceModel(executor, state);
  try {
    const { program, inputs, outputs } = model.logits({ B: 1, T: tokens.length });
    inputs[0].set("tokens", tokens);
    model.setModelInputs(inputs[0]);
    await program.run(inputs[0].bytes, outputs.bytes);
    return Float32Array.from(outputs.get("logits"));
  } finally {
    model.free();
  }
}
