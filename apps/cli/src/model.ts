import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { ConfigError } from "@espalier/core";
import { type Device, deviceExecutor } from "@espalier/kernels";
import { readTokenizerJson, type Tokenizer } from "@espalier/tokenizer";
import {
  codecOf,
  listCheckpoints,
  loadHuggingFaceModel,
  loadLanguageModel,
  type LoadedLanguageModel,
  newestCheckpoint,
  readHuggingFaceCodec,
  runPaths,
  type TextCodec,
} from "@espalier/trainer";
import { readText } from "./files.ts";

/** Where a model lies: a checkpoint with the tokenizer of its run, or a Hugging Face directory, which brings its own. */
export type ModelPlace = { kind: "checkpoint"; directory: string; tokenizer: string } | { kind: "huggingface"; directory: string };

/**
 * What a user may call a model: a checkpoint, a run (its newest sound checkpoint), or a Hugging Face directory. The
 * tokenizer of a checkpoint is that of its run, or of the prepared corpus that is named.
 *
 * @throws {ConfigError} when there is no model, or no tokenizer for it
 * @throws {FileError} when a run has checkpoints and none can be trusted
 */
export async function locateModel(place: string, dataDirectory?: string): Promise<ModelPlace> {
  if (existsSync(join(place, "state.json"))) return { kind: "checkpoint", directory: place, tokenizer: tokenizerFile(place, dataDirectory) };
  if (existsSync(join(place, "config.json"))) return { kind: "huggingface", directory: place };
  if (listCheckpoints(place).length > 0) {
    const { checkpoint } = await newestCheckpoint(place);
    return { kind: "checkpoint", directory: checkpoint!.directory, tokenizer: tokenizerFile(checkpoint!.directory, dataDirectory) };
  }
  const found = existsSync(place) ? "holds no checkpoints, no state.json and no config.json" : "does not exist";
  throw new ConfigError(`${place}: ${found}, expected a run, one of its checkpoints (RUN/checkpoints/step-...) or a Hugging Face directory. Check the path.`);
}

function tokenizerFile(checkpoint: string, dataDirectory: string | undefined): string {
  if (dataDirectory !== undefined) return join(dataDirectory, "tokenizer.json");
  const kept = runPaths.tokenizer(dirname(dirname(checkpoint))); // RUN/checkpoints/step-...
  if (existsSync(kept)) return kept;
  throw new ConfigError(`${checkpoint}: found no tokenizer.json of its run, expected ${kept}, or --data. Name the directory written by \`espalier tokenize\`.`);
}

/**
 * @throws {ConfigError} when there is no model, or the checkpoint was trained with another tokenizer
 */
export async function openModel(place: string, dataDirectory: string | undefined, device: Device): Promise<LoadedLanguageModel> {
  return await loadModel(await locateModel(place, dataDirectory), device);
}

/** As `openModel`, of a place that is known. `name` is what answers and files call the model. */
export async function loadModel(found: ModelPlace, device: Device, name = found.directory): Promise<LoadedLanguageModel> {
  const { directory } = found;
  const executor = deviceExecutor({ device });
  if (found.kind === "huggingface") return await loadHuggingFaceModel(directory, { executor, name });
  return await loadLanguageModel({ model: directory, tokenizer: await readTokenizer(found.tokenizer), executor, name });
}

/** The tokenizer of a Hugging Face directory, of a prepared corpus or of a run, without a model. */
export async function openCodec(directory: string): Promise<TextCodec> {
  if (existsSync(join(directory, "config.json"))) return await readHuggingFaceCodec(directory);
  return codecOf(await readTokenizer(join(directory, "tokenizer.json")));
}

export async function readTokenizer(file: string): Promise<Tokenizer> {
  return readTokenizerJson(await readText(file), file);
}
