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
  /** Stands for everything that decides its answers. An endpoint says only its address and a name. */
  digest(): Promise<string>;
  free(): void;
}

export const isAddress = (text: string): boolean => /^https?:\/\//.test(text);

/**
 * A run or one of its checkpoints, a Hugging Face directory, or the address of an OpenAI-style endpoint.
 *
 * @throws {ConfigError} when an endpoint has no model name, or `--chat` is asked of a directory
 * @throws {EndpointError} when the endpoint cannot score prompts
 */
export async function openEvaluated(place: string, options: ModelOptions): Promise<OpenedModel> {
  if (!isAddress(place)) {
    if (options.chat)
      throw new UsageError(
        `${place}: --chat is for endpoints, expected an address such as http://127.0.0.1:8000/v1. Leave --chat out.`,
      );
    const found = await locateModel(place, options.data);
    const model = await loadModel(found, options.device);
    const tokenizer = async () => (found.kind === "huggingface" ? "" : sha256File(found.tokenizer));
    const digest = async () => modelDirectoryDigest(found.directory, { tokenizer: await tokenizer(), kernels: nativeStatus().available, device: options.device });
    return { model, likelihood: true, source: "espalier", digest, free: () => model.free() };
  }
  if (options.model === undefined)
    throw new UsageError(`${place}: an endpoint serves models by name, but --model is missing. Name one.`);
  const { maxLen, concurrency, model: name } = options;
  if (options.tokenizer !== undefined && options.chat) throw new UsageError(`${place}: --tokenizer is for scoring prompts, which a chat does not. Leave one of the two out.`);
  const codec = options.tokenizer === undefined ? undefined : await openCodec(options.tokenizer);
  const apiKey = process.env[options.apiKeyEnv];
  const endpoint = {
    baseUrl: place.replace(/\/+$/, ""),
    model: name,
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
    digest: async () => sha256(JSON.stringify([endpoint.baseUrl, name, options.chat === true, ...(codec ? [codec.name] : [])])),
    source: options.chat ? "openai-chat-completions" : "openai-completions",
    free: () => undefined,
  };
}
