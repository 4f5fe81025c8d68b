import { basename, normalize, relative, sep } from "node:path";
import { sha256, sha256File } from "@espalier/core/node";
import { openAiChat, openAiCompletions } from "@espalier/evals";
import { modelDirectoryDigest } from "@espalier/evals/node";
import { nativeStatus } from "@espalier/kernels";
import type { LanguageModel } from "@espalier/spec/languageModel";
import { loadModel, locateModel, openCodec } from "../model.ts";
import type { WithDevice } from "../options.ts";
import { UsageError } from "../usage.ts";

export interface ModelOptions extends WithDevice {
  data?: string;
  /** Name that the server knows. */
  model?: string;
  chat?: boolean;
  maxLen?: number;
  concurrency?: number;
  tokenizer?: string;
  apiKeyEnv: string;
}

/** What is evaluated, and what files say of it. */
export interface OpenedModel {
  model: LanguageModel;
  likelihood: boolean;
  source: string;
  /** The directory of its weights, absolute, or the endpoint's address. */
  place: string;
  /** Stands for everything that decides its answers. An endpoint says only its address and a name. */
  digest(): Promise<string>;
  free(): void;
}

export const isAddress = (text: string): boolean => /^https?:\/\//.test(text);

/**
 * What result files call a model: its place as the user typed it, so that they do not depend on where the project lies.
 * A place without a name of its own, such as `.`, is called after its directory.
 */
export function placeName(typed: string, path: string): string {
  const name = normalize(typed).split(sep).join("/").replace(/\/+$/, "");
  return /^[./]*$/.test(name) ? basename(path) : name;
}

/**
 * A run or one of its checkpoints, a Hugging Face directory, or the address of an OpenAI-style endpoint.
 *
 * @param name what answers and files call the place; the checkpoint that is taken of a run is added. Default: the place
 * @throws {ConfigError} when an endpoint has no model name, or `--chat` is asked of a directory
 * @throws {EndpointError} when the endpoint cannot score prompts
 */
export async function openEvaluated(place: string, options: ModelOptions, name = place): Promise<OpenedModel> {
  if (!isAddress(place)) {
    if (options.chat)
      throw new UsageError(
        `${place}: --chat is for endpoints, expected an address such as http://127.0.0.1:8000/v1. Leave --chat out.`,
      );
    const found = await locateModel(place, options.data);
    const below = relative(place, found.directory).split(sep).join("/");
    const model = await loadModel(found, options.device, below === "" ? name : `${name}/${below}`);
    const tokenizer = async () => (found.kind === "huggingface" ? "" : sha256File(found.tokenizer));
    const digest = async () => modelDirectoryDigest(found.directory, { tokenizer: await tokenizer(), kernels: nativeStatus().available, device: options.device });
    return { model, likelihood: true, source: "espalier", place: found.directory, digest, free: () => model.free() };
  }
  if (options.model === undefined)
    throw new UsageError(`${place}: an endpoint serves models by name, but --model is missing. Name one.`);
  const { maxLen, concurrency, model: served } = options;
  if (options.tokenizer !== undefined && options.chat) throw new UsageError(`${place}: --tokenizer is for scoring prompts, which a chat does not. Leave one of the two out.`);
  const codec = options.tokenizer === undefined ? undefined : await openCodec(options.tokenizer);
  const apiKey = process.env[options.apiKeyEnv];
  const endpoint = {
    baseUrl: place.replace(/\/+$/, ""),
    model: served,
    ...(apiKey && { apiKey }),
    ...(maxLen && { maxLen }),
    ...(concurrency && { concurrency }),
    ...(codec && {
      encode: (text: string) => Array.from(codec.encode(text)),
      encodeStart: (text: string) => Array.from(codec.encodeStart(text)),
      prefixToken: codec.startId,
    }),
  };
  const model = options.chat ? openAiChat(endpoint) : await openAiCompletions(endpoint);
  return {
    model,
    likelihood: !options.chat,
    digest: async () => sha256(JSON.stringify([endpoint.baseUrl, served, options.chat === true, ...(codec ? [codec.name] : [])])),
    place,
    source: options.chat ? "openai-chat-completions" : "openai-completions",
    free: () => undefined,
  };
}
