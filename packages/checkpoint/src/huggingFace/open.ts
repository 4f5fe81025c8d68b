import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ConfigError, FileError } from "@espalier/core";
import { fileError } from "@espalier/core/node";
import { type ModelConfig, type Parameter, parameters, parseModelConfig } from "@espalier/spec/model";
import type { TensorRule } from "./family.ts";
import { fieldsOf } from "./fields.ts";
import { gather } from "./permute.ts";
import { openShards, type Shards } from "./shards.ts";
import { familyNamed } from "./table.ts";

/** A model in Hugging Face's form, open for reading. Parameters are read one at a time. */
export interface HuggingFaceModel {
  readonly directory: string;
  readonly modelType: string;
  readonly config: ModelConfig;
  /** Ids that `config.json` and `generation_config.json` name; a model may end with several. */
  readonly bosTokenId?: number;
  readonly eosTokenIds: readonly number[];
  /** `rope_scaling` and `rope_parameters` as they stand in `config.json`; for a model of the same heads to be written. */
  readonly rope: Readonly<Record<string, unknown>>;
  /** A parameter of ours by name, in the layout table's order, as fp32. */
  read(name: string): Promise<Float32Array>;
  close(): Promise<void>;
}

export interface OpenHuggingFaceOptions {
  /** Context in tokens, at most the model's own. A learned position table is cut to it. */
  maxLen?: number;
}

/**
 * Opens a directory with `config.json` and safetensors, of the families Llama, GPT-NeoX, GPT-2 and Starcoder2. Every
 * parameter's tensor is looked up and its shape checked now; values are read when asked for.
 *
 * @throws {FileError} when a file is missing or damaged, or a tensor is missing or has another shape than config.json says
 * @throws {ConfigError} when config.json asks for arithmetic that is not supported
 */
export async function openHuggingFace(directory: string, { maxLen }: OpenHuggingFaceOptions = {}): Promise<HuggingFaceModel> {
  const where = join(directory, "config.json");
  const json = await readJson(where);
  if (json === undefined) throw new FileError(`${where}: not there, expected a Hugging Face model directory. Check the path.`);
  const family = familyNamed(json.model_type, where);
  const stated = maxLen === undefined ? json : withContext(json, maxLen, where);
  const fields = fieldsOf(stated, where);
  const config = parseModelConfig(family.readConfig(fields));
  const generation = (await readJson(join(directory, "generation_config.json"))) ?? {};

  const shards = await openShards(directory);
  try {
    const places = new Map<string, { parameter: Parameter; rule: TensorRule } | undefined>();
    for (const parameter of parameters(config)) {
      if (family.isAbsent(fields, parameter.name)) {
        places.set(parameter.name, undefined);
        continue;
      }
      const rule = family.rule(config, parameter);
      const tensor = findTensor(shards, rule.tensor, family.prefix, parameter.name === "embedding.weight" && config.tiedHead ? headNames : []);
      if (tensor === undefined) {
        throw new FileError(`${directory}: no tensor \`${rule.tensor}\`, expected shape [${rule.shape.join(", ")}] as config.json says. Restore the files from one source.`);
      }
      const found = await shards.shape(tensor);
      if (!fits(parameter, rule.shape, found)) {
        throw new FileError(`${directory}: tensor \`${tensor}\` is [${found.join(", ")}], expected [${rule.shape.join(", ")}] as config.json says. Restore the files from one source.`);
      }
      places.set(parameter.name, { parameter, rule: { ...rule, tensor } });
    }
    // q, k and v often share one tensor, and are asked for in turn.
    let last: { tensor: string; values: Float32Array } | undefined;
    const eos = [...idsOf(json.eos_token_id), ...idsOf(generation.eos_token_id)];
    const [bos] = [...idsOf(json.bos_token_id), ...idsOf(generation.bos_token_id)];
    return {
      directory,
      modelType: family.modelType,
      config,
      ...(bos === undefined ? {} : { bosTokenId: bos }),
      eosTokenIds: [...new Set(eos)],
      rope: Object.fromEntries(["rope_scaling", "rope_parameters"].flatMap((name) => (json[name] == null ? [] : [[name, json[name]]]))),
      async read(name) {
        if (!places.has(name)) throw new ConfigError(`${directory}: no parameter ${name} in this configuration. Use a name of parameters(config).`);
        const place = places.get(name);
        if (!place) {
          const { rows, columns } = parameters(config).find((parameter) => parameter.name === name)!;
          return new Float32Array(rows * columns);
        }
        const { parameter, rule } = place;
        if (last?.tensor !== rule.tensor) last = { tensor: rule.tensor, values: await shards.readFloat32(rule.tensor) };
        const values = gather(parameter, rule, last.values);
        if (values !== last.values) return values;
        last = undefined; // handed out: the next reader must not see changes made to it
        return values.subarray(0, parameter.rows * parameter.columns);
      },
      close: () => shards.close(),
    };
  } catch (error) {
    await shards.close();
    throw error;
  }
}

/** A tied embedding may be stored under the head's name alone. */
const headNames = ["lm_head.weight", "embed_out.weight"];

function findTensor(shards: Shards, name: string, prefix: string, others: readonly string[]): string | undefined {
  const bare = name.startsWith(prefix) ? [name.slice(prefix.length)] : [];
  return [name, ...bare, ...others].find((candidate) => shards.has(candidate));
}

/** Equal shapes; a learned position table may have more rows than the context asked for. */
function fits(parameter: Parameter, expected: readonly number[], found: readonly number[]): boolean {
  const longer = parameter.name === "position.weight" && found[0]! > expected[0]!;
  return found.length === expected.length && expected.every((size, axis) => size === found[axis] || (axis === 0 && longer));
}

function withContext(json: Record<string, unknown>, maxLen: number, where: string): Record<string, unknown> {
  const field = ["max_position_embeddings", "n_positions", "n_ctx"].find((name) => typeof json[name] === "number") ?? "max_position_embeddings";
  const own = json[field];
  if (!Number.isSafeInteger(maxLen) || maxLen < 1 || (typeof own === "number" && maxLen > own)) {
    throw new ConfigError(`${where}: maxLen is ${maxLen}, expected 1 to the model's ${String(own)}. Choose a shorter context.`);
  }
  return { ...json, [field]: maxLen };
}

const idsOf = (value: unknown): number[] => (Array.isArray(value) ? value : [value]).filter((id): id is number => Number.isSafeInteger(id) && id >= 0);

async function readJson(path: string): Promise<Record<string, unknown> | undefined> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw fileError("reading", path, error);
  });
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new FileError(`${path}: not JSON, expected a configuration. Restore the file from its source.`, { cause });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new FileError(`${path}: not an object, expected a configuration. Restore the file.`);
  return value as Record<string, unknown>;
}
