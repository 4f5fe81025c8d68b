import { basename, join, normalize, relative, sep } from "node:path";
import { sha256, sha256File } from "@espalier/core/node";
import { openAiChat, openAiCompletions, type RequestCache } from "@espalier/evals";
import { modelDirectoryDigest, openRequestCache } from "@espalier/evals/node";
import { nativeStatus } from "@espalier/kernels";
import type { LanguageModel } from "@espalier/spec/languageModel";
import type { Context } from "../command.ts";
import { loadModel, locateModel, openCodec } from "../model.ts";
import { UsageError } from "../usage.ts";
import { isAddress } from "../files.ts";
import type { ModelOptions } from "./modelOptions.ts";

/** What is evaluated, and what files say of it. */
export interface OpenedModel {
  model: LanguageModel;
  /** False for models that only generate, or are asked only that. */
  likelihood: boolean;
  source: string;
  /** The directory of its weights, absolute, or the endpoint's address. */
  place: string;
  cache?: RequestCache;
  /** Items or documents between two writes of samples; undefined where the evaluation may choose. */
  batch?: number;
  free(): Promise<void>;
}

/**
 * What result files call a model: its place as the user typed it, so that they do not depend on where the project lies.
 * A place without a name of its own, such as `.`, is called after its directory.
 */
export function placeName(typed: string, path: string): string {
  const name = normalize(typed).split(sep).join("/").replace(/\/+$/, "");
  return /^[./]*$/.test(name) ? basename(path) : name;
}

/**
 * Refuses what only generates where likelihoods are wanted.
 *
 * @throws {UsageError}
 */
export function expectScored(command: string, place: string, { chat, generationOnly }: ModelOptions): void {
  if (chat || generationOnly)
    throw new UsageError(`eval ${command}: ${place} is asked for generation only (${chat ? "--chat" : "--generation-only"}), but --scoring wants likelihoods. Choose --scoring "exact match".`);
}

/**
 * A run or one of its checkpoints, a Hugging Face directory, or the address of an OpenAI-style endpoint, with the answers of
 * earlier evaluations.
 *
 * @param around makes paths of the user absolute, and says what an endpoint is waited for
 * @param name what answers and files call the place; the checkpoint that is taken of a run is added. Default: the place
 * @throws {UsageError} when an endpoint has no model name, or `--chat` is asked of a directory
 * @throws {EndpointError} when the endpoint cannot score prompts
 */
export async function openEvaluated(given: string, options: ModelOptions, { path, output, signal }: Around, name?: string): Promise<OpenedModel> {
  const { digest, ...opened } = isAddress(given) ? await openEndpoint(given, options, path, output, signal) : await openDirectory(path(given), options, path, name);
  try {
    const cache = options.cache === undefined ? undefined : await openRequestCache(path(options.cache), await digest());
    return {
      ...opened,
      cache,
      free: async () => {
        try {
          await cache?.close();
        } finally {
          await opened.free();
        }
      },
    };
  } catch (error) {
    await opened.free();
    throw error;
  }
}

/** What opening needs of a command. */
type Around = Pick<Context, "path"> & { output: Pick<Context["output"], "line">; signal?: AbortSignal };

interface Opened extends Omit<OpenedModel, "cache"> {
  /** Stands for everything that decides its answers; of an endpoint that is known only by its address and a name, and by how prompts are sent. */
  digest(): Promise<string>;
}

async function openDirectory(place: string, options: ModelOptions, path: Context["path"], name = place): Promise<Opened> {
  if (options.chat)
    throw new UsageError(
      `${place}: --chat is for endpoints, expected an address such as http://127.0.0.1:8000/v1. Leave --chat out.`,
    );
  const found = await locateModel(place, options.data === undefined ? undefined : path(options.data));
  const below = relative(place, found.directory).split(sep).join("/");
  const model = await loadModel(found, options.device, below === "" ? name : `${name}/${below}`);
  const tokenizer = async () => (found.kind === "huggingface" ? "" : sha256File(found.tokenizer));
  const digest = async () => modelDirectoryDigest(found.directory, { tokenizer: await tokenizer(), kernels: nativeStatus().available, device: options.device });
  return { model, likelihood: options.generationOnly !== true, source: "espalier", place: found.directory, digest, free: async () => model.free() };
}

async function openEndpoint(place: string, options: ModelOptions, path: Context["path"], output: Around["output"], signal?: AbortSignal): Promise<Opened> {
  const { maxLen, concurrency = 4, timeout, attempts, model: served, chat = false, generationOnly = false, tokenizer } = options;
  if (served === undefined)
    throw new UsageError(`${place}: an endpoint serves models by name, but --model is missing. Name one.`);
  if (tokenizer !== undefined && (chat || generationOnly))
    throw new UsageError(`${place}: --tokenizer is for scoring prompts, which ${chat ? "a chat" : "--generation-only"} does not. Leave one of the two out.`);
  const codec = tokenizer === undefined ? undefined : await openCodec(path(tokenizer));
  const apiKey = process.env[options.apiKeyEnv];
  const endpoint = {
    baseUrl: place.replace(/\/+$/, ""),
    model: served,
    ...(apiKey && { apiKey }),
    ...(maxLen && { maxLen }),
    concurrency,
    ...(signal && { signal }),
    onWait: (seconds: number) => output.line(`${place} limits the rate: it is asked again in ${Math.ceil(seconds)} s.`),
    ...(timeout && { timeoutMs: 1000 * timeout }),
    ...(attempts && { attempts }),
    ...(codec && {
      encode: (text: string) => Array.from(codec.encode(text)),
      encodeStart: (text: string) => Array.from(codec.encodeStart(text)),
      prefixToken: codec.startId,
      encoding: codec.encoding,
    }),
  };
  const model = chat ? openAiChat(endpoint) : await openAiCompletions({ ...endpoint, generationOnly });
  return {
    model,
    likelihood: !chat && !generationOnly,
    digest: async () => sha256(JSON.stringify([endpoint.baseUrl, served, chat, ...(tokenizer === undefined ? [] : [await sha256File(join(path(tokenizer), "tokenizer.json")), codec!.startId, codec!.encoding, model.maxLen])])),
    place,
    // An engine answers large batches fastest; a server that fails must not take many paid answers with it.
    batch: Math.max(16, 4 * concurrency),
    source: chat ? "openai-chat-completions" : "openai-completions",
    free: async () => undefined,
  };
}
