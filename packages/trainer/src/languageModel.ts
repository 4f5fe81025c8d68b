import { ConfigError, DataError, random } from "@espalier/core";
import type { Executor } from "@espalier/graph";
import type {
  GenerateRequest,
  Generation,
  LanguageModel,
  Loglikelihood,
  LoglikelihoodRequest,
} from "@espalier/spec/languageModel";
import { END_OF_TEXT, type Tokenizer } from "@espalier/tokenizer";
import { openCheckpoint, readModelState } from "./checkpoint.ts";
import { type Decoding, nextTokens } from "./decode.ts";
import { DeviceModel, type ModelState } from "./deviceModel.ts";
import { type ScoredTokens, scoreSequences, type Sequence } from "./score.ts";

export interface LanguageModelOptions {
  /** Checkpoint directory of a run, or a model in memory. */
  model: string | ModelState;
  tokenizer: Tokenizer;
  executor: Executor;
  name?: string;
  /**
   * How a context and its continuation become tokens. `separate` (the default): each on its own, so that the tokens of a
   * continuation never depend on the context. `joint`, as lm-evaluation-harness does it: the context's trailing blanks
   * move to the continuation, both are encoded as one text, and the first `encode(context).length` tokens are context.
   */
  encoding?: "separate" | "joint";
}

/** A `LanguageModel` that holds device memory. */
export interface LoadedLanguageModel extends LanguageModel {
  free(): void;
}

/**
 * The inference engine over a checkpoint or a model in memory.
 *
 * A text without context is scored after the tokenizer's end-of-text token. Requests are batched by length; an answer
 * depends on its own request only. Calls are answered one after the other.
 *
 * @throws {FileError} when the checkpoint is missing or damaged
 * @throws {ConfigError} when the tokenizer has more ids than the model's vocabulary, or no end-of-text token
 */
export async function loadLanguageModel(options: LanguageModelOptions): Promise<LoadedLanguageModel> {
  const { model, tokenizer, executor, name = "espalier", encoding = "separate" } = options;
  const state = typeof model === "string" ? await readModelState(await openCheckpoint(model), false) : model;
  const { vocabSize, seqLen: maxLen } = state.config;
  if (tokenizer.vocabSize > vocabSize) {
    throw new ConfigError(
      `language model: tokenizer ${tokenizer.name} has ${tokenizer.vocabSize} ids, expected at most the model's ` +
        `${vocabSize}. Use the tokenizer that it was trained with.`,
    );
  }
  const endOfText = tokenizer.specialId(END_OF_TEXT);
  const device = new DeviceModel(executor, state);
  const oneAtATime = queue();

  /** Context and continuation as one sequence of at most maxLen tokens; the context loses its beginning. */
  const sequenceOf = ({ context, continuation }: LoglikelihoodRequest): Sequence => {
    const [before, scored] = encoding === "joint" ? encodeJointly(tokenizer, context, continuation) : [tokenizer.encode(context), tokenizer.encode(continuation)];
    if (scored.length >= maxLen) {
      throw new DataError(`loglikelihood: continuation of ${scored.length} tokens, expected fewer than ${maxLen}. Shorten it.`);
    }
    const ids = [...(before.length > 0 ? before : [endOfText]), ...scored];
    const kept = ids.slice(-maxLen);
    return { tokens: kept, numScored: scored.length };
  };

  /** Windows of maxLen predicted tokens, each after the last token of the one before. */
  const windowsOf = (text: string): Sequence[] => {
    const ids = [endOfText, ...tokenizer.encode(text)];
    const windows: Sequence[] = [];
    for (let first = 0; first + 1 < ids.length; first += maxLen) {
      const tokens = ids.slice(first, first + maxLen + 1);
      windows.push({ tokens, numScored: tokens.length - 1 });
    }
    return windows;
  };

  return {
    name,
    maxLen,
    loglikelihood: (requests) =>
      oneAtATime(async () => (await scoreSequences(device, requests.map(sequenceOf))).map((scored) => total([scored]))),
    rollingLoglikelihood: (texts) =>
      oneAtATime(async () => {
        const windows = texts.map(windowsOf);
        const scores = await scoreSequences(device, windows.flat());
        let next = 0;
        return windows.map(({ length }) => total(scores.slice(next, (next += length))));
      }),
    generate: (requests) => oneAtATime(() => generate(device, tokenizer, endOfText, requests)),
    free: () => device.free(),
  };
}

function total(parts: readonly ScoredTokens[]): Loglikelihood {
  return {
    logprob: parts.reduce((sum, { logprob }) => sum + logprob, 0),
    numTokens: parts.reduce((sum, { numTokens }) => sum + numTokens, 0),
    isGreedy: parts.every(({ isGreedy }) => isGreedy),
  };
}

function encodeJointly(tokenizer: Tokenizer, context: string, continuation: string): [Uint32Array, Uint32Array] {
  const stem = context.trimEnd();
  const before = tokenizer.encode(stem);
  const whole = tokenizer.encode(context + continuation);
  return [before, whole.subarray(before.length)];
}

/** Runs work in the order it was asked for: the programs' host buffers serve one run at a time. */
function queue(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const next = last.then(work);
    last = next.catch(() => {});
    return next;
  };
}

/** 1 for every id that stands for a token. */
function tokenMask(tokenizer: Tokenizer, vocabSize: number): Uint8Array {
  const mask = new Uint8Array(vocabSize).fill(1, 0, tokenizer.ranks.offsets.length - 1);
  for (const id of tokenizer.specialTokens.values()) mask[id] = 1;
  return mask;
}

/** Decodes all requests together, a token of each at a time, until each has ended. */
async function generate(
  device: DeviceModel,
  tokenizer: Tokenizer,
  endOfText: number,
  requests: readonly GenerateRequest[],
): Promise<Generation[]> {
  const maxLen = device.config.seqLen;
  const isToken = tokenMask(tokenizer, device.config.vocabSize);
  const answers = requests.map((): Generation => ({ text: "", numTokens: 0, finish: "length" }));
  const running = new Map<number, Decoding & { written: number[] }>();
  requests.forEach(({ prompt, maxTokens, temperature = 0, seed = 0 }, i) => {
    // A prompt keeps as much of its end as leaves room for the answer.
    const room = Math.max(1, maxLen - maxTokens);
    const ids = tokenizer.encode(prompt);
    const tokens = [...(ids.length > 0 ? ids.subarray(-room) : [endOfText])];
    const draw = random(seed, "generate");
    if (maxTokens > 0) running.set(i, { tokens, temperature, uniform: (n) => draw.uniform(n), written: [] });
  });
  while (running.size > 0) {
    const entries = [...running];
    const next = await nextTokens(device, entries.map(([, decoding]) => decoding), isToken);
    entries.forEach(([i, decoding], row) => {
      const id = next[row]!;
      const { until, maxTokens } = requests[i]!;
      const end = (finish: Generation["finish"], text: string) => {
        answers[i] = { text, numTokens: decoding.written.length, finish };
        running.delete(i);
      };
      if (id === endOfText) return end("stop", tokenizer.decodeText(decoding.written));
      decoding.written.push(id);
      decoding.tokens.push(id);
      const text = tokenizer.decodeText(decoding.written);
      const stop = Math.min(...until.filter((mark) => mark !== "").map((mark) => text.indexOf(mark)).filter((at) => at >= 0));
      if (Number.isFinite(stop)) end("stop", text.slice(0, stop));
      else if (decoding.written.length >= maxTokens || decoding.tokens.length >= maxLen) end("length", text);
    });
  }
  return answers;
}
