import { join } from "node:path";
import { ConfigError } from "@espalier/core";
import { atomicWrite, disk, fileError, type FileSystem } from "@espalier/core/node";
import { type ModelConfig, type Parameter, parameters } from "@espalier/spec/model";
import { type TensorSource, writeSafetensors, type WrittenFile } from "../write.ts";
import type { Family, TensorRule } from "./family.ts";
import { foldMultipliers } from "./fold.ts";
import { scatter } from "./permute.ts";
import { rotaryDimOf } from "./rope.ts";
import { families, familyNamed } from "./table.ts";

export interface WriteHuggingFaceOptions {
  /** `llama`, `gpt_neox`, `gpt2` or `starcoder2`. Default: the first of starcoder2, gpt_neox, gpt2 and llama that can express the model. */
  modelType?: string;
  bosTokenId?: number;
  eosTokenId?: number;
  /**
   * `rope_scaling` and `rope_parameters` of the file that the model comes from: they state frequencies of whole heads that
   * no formula gives (Llama 3). The caller answers for it that they mean the configuration's own.
   */
  rope?: Readonly<Record<string, unknown>>;
  /** Text to text, into the tensor file: provenance, for example. */
  metadata?: Readonly<Record<string, string>>;
  fileSystem?: FileSystem;
}

/**
 * Writes `config.json`, `generation_config.json` and `model.safetensors` so that Hugging Face's library loads them
 * without custom code. Multipliers are folded into weights. One tensor is in memory at a time.
 *
 * @param read a parameter of ours by name
 * @throws {ConfigError} when no family, or not the one asked for, can express the model (xPos, norms of several epsilons)
 * @throws {FileError} when the disk refuses
 */
export async function writeHuggingFace(
  directory: string,
  model: { config: ModelConfig; read: (name: string) => Promise<Float32Array> | Float32Array },
  { modelType, bosTokenId, eosTokenId, rope = {}, metadata = {}, fileSystem = disk }: WriteHuggingFaceOptions = {},
): Promise<WrittenFile & { modelType: string }> {
  const { config, factor } = foldMultipliers(model.config);
  const statesRope = Object.keys(rope).length > 0 && rotaryDimOf(config) === config.headDim;
  const family = modelType === undefined ? firstThatFits(config) : familyNamed(modelType, "export");
  const described = family.writeConfig(statesRope ? withoutFrequencies(config) : config);
  const ids = { ...(bosTokenId === undefined ? {} : { bos_token_id: bosTokenId }), ...(eosTokenId === undefined ? {} : { eos_token_id: eosTokenId }) };
  const json = {
    model_type: family.modelType,
    ...described,
    ...(statesRope ? rope : {}),
    vocab_size: config.vocabSize,
    tie_word_embeddings: config.tiedHead,
    initializer_range: config.initStd,
    ...ids,
    use_cache: true,
    torch_dtype: "float32",
  };
  await fileSystem.makeDirectory(directory).catch((error: unknown) => {
    throw fileError("making", directory, error);
  });
  const text = (value: unknown) => `${JSON.stringify(value, undefined, 1)}\n`;
  await atomicWrite(join(directory, "config.json"), text(json), fileSystem);
  await atomicWrite(join(directory, "generation_config.json"), text({ ...ids, do_sample: false }), fileSystem);

  // Parameters by the tensor that holds them: q, k and v of some families share one.
  const tensors = new Map<string, { parameter: Parameter; rule: TensorRule }[]>();
  for (const parameter of parameters(config)) {
    const rule = family.rule(config, parameter);
    tensors.set(rule.tensor, [...(tensors.get(rule.tensor) ?? []), { parameter, rule }]);
  }
  const sources = [...tensors].map(([name, parts]): TensorSource => {
    const { shape } = parts[0]!.rule;
    return {
      name,
      dtype: "F32",
      shape,
      data: async function* () {
        const tensor = new Float32Array(shape.reduce((a, b) => a * b, 1));
        for (const { parameter, rule } of parts) {
          const by = factor(parameter.name);
          const values = await model.read(parameter.name);
          scatter(parameter, rule, by === 1 ? values : values.map((value) => value * by), tensor);
        }
        yield new Uint8Array(tensor.buffer);
      },
    };
  });
  const written = await writeSafetensors(join(directory, "model.safetensors"), sources, { metadata: { format: "pt", ...metadata }, fileSystem });
  return { ...written, modelType: family.modelType };
}

function withoutFrequencies(config: ModelConfig): ModelConfig {
  const { frequencies: _, ...position } = config.position;
  return { ...config, position };
}

function firstThatFits(config: ModelConfig): Family {
  if (config.position.kind === "xpos") {
    throw new ConfigError("export: positions are xpos, expected rope or learned: no family of Hugging Face has xPos, and it cannot be folded into weights. Train with rope to export.");
  }
  const order = ["starcoder2", "gpt_neox", "gpt2", "llama"];
  const refusals: string[] = [];
  for (const name of order) {
    const family = families.find((each) => each.modelType === name)!;
    try {
      family.writeConfig(config);
      return family;
    } catch (error) {
      refusals.push((error as Error).message);
    }
  }
  throw new ConfigError(`export: no family can express this model. ${refusals.join(" ")}`);
}
