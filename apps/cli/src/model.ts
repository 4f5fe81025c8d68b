import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ConfigError } from "@espalier/core";
import { fileError } from "@espalier/core/node";
import { type Device, deviceExecutor } from "@espalier/kernels";
import { readTokenizerJson, type Tokenizer } from "@espalier/tokenizer";
import { codecOf, loadHuggingFaceModel, loadLanguageModel, type LoadedLanguageModel, readHuggingFaceCodec, type TextCodec } from "@espalier/trainer";

/**
 * The model of a directory: a run's checkpoint with the tokeniser of a prepared corpus (`DIR/tokenizer.json`), or a
 * Hugging Face model, which brings its own.
 */
export async function openModel(directory: string, dataDirectory: string | undefined, device: Device): Promise<LoadedLanguageModel> {
  const isCheckpoint = existsSync(join(directory, "state.json"));
  if (!isCheckpoint && existsSync(join(directory, "config.json"))) return await loadHuggingFaceModel(directory, { executor: deviceExecutor({ device }), name: directory });
  if (!isCheckpoint && dataDirectory === undefined) {
    const found = existsSync(directory) ? "neither state.json nor config.json in it" : "it does not exist";
    throw new ConfigError(`${directory}: ${found}, expected a checkpoint of a run (RUN/checkpoints/step-...) or a Hugging Face directory. Check the path.`);
  }
  if (dataDirectory === undefined) {
    throw new ConfigError(`${directory}: a checkpoint of a run needs the tokeniser of its corpus, but --data is missing. Name the directory written by \`espalier tokenize\`.`);
  }
  return await loadLanguageModel({ model: directory, tokenizer: await openTokenizer(dataDirectory), executor: deviceExecutor({ device }), name: directory });
}

/** The tokenizer of a Hugging Face directory, or of a prepared corpus, without a model. */
export async function openCodec(directory: string): Promise<TextCodec> {
  if (existsSync(join(directory, "config.json"))) return await readHuggingFaceCodec(directory);
  return codecOf(await openTokenizer(directory));
}

/** The tokeniser of a prepared corpus. */
export async function openTokenizer(dataDirectory: string): Promise<Tokenizer> {
  const file = join(dataDirectory, "tokenizer.json");
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    throw fileError("reading", file, error);
  });
  return readTokenizerJson(text, file);
}
