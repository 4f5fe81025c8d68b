import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ConfigError, FileError } from "@espalier/core";
import { fileError } from "@espalier/core/node";
import { openHuggingFace, type OpenHuggingFaceOptions } from "@espalier/checkpoint";
import type { Executor } from "@espalier/graph";
import { parameters } from "@espalier/spec/model";
import { type HuggingFaceTokenizer, readHuggingFaceTokenizer } from "@espalier/tokenizer";
import type { ModelState } from "./deviceModel.ts";
import { type LanguageModelOptions, loadLanguageModel, type LoadedLanguageModel } from "./languageModel.ts";
import { huggingFaceCodec, type TextCodec } from "./textCodec.ts";

export interface HuggingFaceOptions extends OpenHuggingFaceOptions, Pick<LanguageModelOptions, "name" | "encoding"> {
  executor: Executor;
}

/** A Hugging Face directory's model and tokenizer, in memory. */
export interface HuggingFaceState {
  model: ModelState;
  codec: TextCodec;
}

/**
 * Reads a Hugging Face directory: `config.json`, safetensors in one file or shards, `tokenizer.json`.
 *
 * @throws {FileError} when a file is missing or damaged
 * @throws {ConfigError} when the model needs arithmetic that is not supported, or tokenizer and model disagree
 */
export async function readHuggingFaceState(directory: string, options: OpenHuggingFaceOptions = {}): Promise<HuggingFaceState> {
  const open = await openHuggingFace(directory, options);
  try {
    const tokenizer = await readTokenizer(directory);
    expectSameModel(directory, tokenizer, open.config.vocabSize, await readNamedTokens(directory), open);
    const tree: Record<string, Float32Array> = {};
    for (const { name } of parameters(open.config)) tree[name] = await open.read(name);
    return { model: { config: open.config, parameters: tree }, codec: huggingFaceCodec(tokenizer, open) };
  } finally {
    await open.close();
  }
}

/**
 * The tokenizer of a Hugging Face directory as the engine uses it, without the weights.
 *
 * @throws {FileError} when a file is missing or damaged
 * @throws {ConfigError} when tokenizer and model disagree
 */
export async function readHuggingFaceCodec(directory: string): Promise<TextCodec> {
  const open = await openHuggingFace(directory);
  try {
    const tokenizer = await readTokenizer(directory);
    expectSameModel(directory, tokenizer, open.config.vocabSize, await readNamedTokens(directory), open);
    return huggingFaceCodec(tokenizer, open);
  } finally {
    await open.close();
  }
}

/** The inference engine over a Hugging Face directory; requests are encoded as lm-evaluation-harness does. */
export async function loadHuggingFaceModel(directory: string, { executor, name, encoding, ...rest }: HuggingFaceOptions): Promise<LoadedLanguageModel> {
  const { model, codec } = await readHuggingFaceState(directory, rest);
  return loadLanguageModel({ model, tokenizer: codec, executor, ...(name === undefined ? {} : { name }), ...(encoding === undefined ? {} : { encoding }) });
}

async function readTokenizer(directory: string): Promise<HuggingFaceTokenizer> {
  const path = join(directory, "tokenizer.json");
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    throw fileError("reading", path, error);
  });
  return readHuggingFaceTokenizer(text, path);
}

/** Texts of the beginning and the end token in `tokenizer_config.json`, where it names them. */
async function readNamedTokens(directory: string): Promise<{ bos?: string; eos?: string }> {
  const path = join(directory, "tokenizer_config.json");
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "{}";
    throw fileError("reading", path, error);
  });
  let value: Record<string, unknown>;
  try {
    value = JSON.parse(text) as Record<string, unknown>;
  } catch (cause) {
    throw new FileError(`${path}: not JSON, expected the texts of special tokens. Restore the file from its source.`, { cause });
  }
  const contentOf = (token: unknown) => (typeof token === "string" ? token : ((token as { content?: string } | null | undefined)?.content ?? undefined));
  const [bos, eos] = [contentOf(value["bos_token"]), contentOf(value["eos_token"])];
  return { ...(bos === undefined ? {} : { bos }), ...(eos === undefined ? {} : { eos }) };
}

/** One error for a tokenizer that is not the model's: ids that the embedding has not, or other ids for its named tokens. */
function expectSameModel(
  directory: string,
  tokenizer: HuggingFaceTokenizer,
  vocabSize: number,
  named: { bos?: string; eos?: string },
  model: { bosTokenId?: number; eosTokenIds: readonly number[] },
): void {
  const refuse = (found: string): never => {
    throw new ConfigError(`${directory}: tokenizer.json and config.json disagree: ${found}. Use the tokenizer.json that came with this model.`);
  };
  if (tokenizer.vocabSize > vocabSize) refuse(`the tokenizer has ${tokenizer.vocabSize} ids, the model an embedding of ${vocabSize} rows`);
  const check = (what: string, text: string | undefined, ids: readonly number[]) => {
    const id = text === undefined ? undefined : tokenizer.specialTokens.get(text);
    if (id !== undefined && ids.length > 0 && !ids.includes(id)) refuse(`${what} ${JSON.stringify(text)} has id ${id} in the tokenizer, ${ids.join(" or ")} in the model`);
  };
  check("the beginning-of-text token", named.bos, model.bosTokenId === undefined ? [] : [model.bosTokenId]);
  check("the end-of-text token", named.eos, model.eosTokenIds);
}
