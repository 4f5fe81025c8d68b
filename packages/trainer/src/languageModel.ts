import { ConfigError } from "@espalier/core";
import type { Executor } from "@espalier/graph";
import type { CompletionModel, Loglikelihood, LoglikelihoodRequest } from "@espalier/spec/languageModel";
import type { Tokenizer } from "@espalier/tokenizer";
import { expectTokenizer, openCheckpoint, readModelState } from "./checkpoint.ts";
import { complete } from "./complete.ts";
import { DeviceModel, type ModelState } from "./deviceModel.ts";
import { generate } from "./generate.ts";
import { RowEngine, type RowEngineOptions } from "./inference/rowEngine.ts";
import { type ScoredTokens, scoreSequences, type Sequence } from "./score.ts";
import { codecOf, type TextCodec } from "./textCodec.ts";

export interface LanguageModelOptions extends RowEngineOptions {
  /** Checkpoint directory of a run, or a model in memory. */
  model: string | ModelState;
  tokenizer: Tokenizer | TextCodec;
  executor: Executor;
  name?: string;
  /**
   * How a context and its continuation become tokens. `separate` (the default of our tokenizers): each on its own, so that the tokens of a
   * continuation never depend on the context. `joint` (the default of Hugging Face's), as lm-evaluation-harness does it:
   * the context's trailing blanks move to the continuation, both are encoded as one text, and the first
   * `encode(context).length` tokens are context. A merge over the boundary may leave the continuation no token of its own.
   */
  encoding?: "separate" | "joint";
}

/** A `LanguageModel` that holds device memory, and can also be asked token by token. */
export interface LoadedLanguageModel extends CompletionModel {
  free(): void;
}

/**
 * The inference engine over a checkpoint or a model in memory.
 *
 * A text without context is scored after the tokenizer's end-of-text token. Requests run together over a cache of keys
 * and values, and what they have in common at their beginning is computed once; an answer depends on its own request
 * only, to the last bit. Calls are answered one after the other.
 *
 * A context that is too long loses its beginning, counted in `numTruncated`. A continuation that the model's length does
 * not hold, or that lost all its tokens at the boundary to its context, has `numTokens` 0.
 *
 * @throws {FileError} when the checkpoint is missing or damaged
 * @throws {ConfigError} when a checkpoint was trained with another tokenizer, or the tokenizer has more ids than the
 *   model's vocabulary, or no end-of-text token
 */
export async function loadLanguageModel(options: LanguageModelOptions): Promise<LoadedLanguageModel> {
  const { model, tokenizer, executor, name = "espalier" } = options;
  const codec = "encodeStart" in tokenizer ? tokenizer : codecOf(tokenizer);
  const { encoding = codec.encoding } = options;
  const checkpoint = typeof model === "string" ? await openCheckpoint(model) : undefined;
  if (checkpoint && "digest" in tokenizer) expectTokenizer(checkpoint, tokenizer);
  const state = checkpoint ? await readModelState(checkpoint, false) : (model as ModelState);
  const { vocabSize, seqLen: maxLen } = state.config;
  if (codec.vocabSize > vocabSize) {
    throw new ConfigError(
      `language model: tokenizer ${codec.name} has ${codec.vocabSize} ids, expected at most the model's ` +
        `${vocabSize}. Use the tokenizer that it was trained with.`,
    );
  }
  const device = new DeviceModel(executor, state);
  const engine = new RowEngine(device, options);
  const oneAtATime = queue();

  /**
   * Context and continuation as one sequence of at most maxLen predictions; the context loses its beginning. Undefined
   * for a continuation that does not fit even alone.
   */
  const sequenceOf = ({ context, continuation }: LoglikelihoodRequest): (Sequence & { numTruncated: number }) | undefined => {
    const joint = encoding === "joint";
    const [before, scored] = joint ? encodeJointly(codec, context, continuation) : encodeSeparately(codec, context, continuation);
    const longest = joint ? maxLen : maxLen - 1;
    if (scored.length > longest) return undefined;
    const tokens = [...before, ...scored];
    // lm-evaluation-harness reads maxLen tokens and predicts one more than the context reaches.
    const kept = tokens.slice(-(longest + 1));
    return { tokens: kept, numScored: scored.length, numTruncated: tokens.length - kept.length };
  };

  /**
   * Windows of maxLen predicted tokens, each after the last token of the one before. In `joint` encoding the last one
   * keeps as much context as fits, as lm-evaluation-harness does.
   */
  const windowsOf = (text: string): Sequence[] => {
    const ids = [codec.startId, ...Array.from(codec.encodeStart(text))];
    const windows: Sequence[] = [];
    for (let first = 0; first + 1 < ids.length; first += maxLen) {
      const numScored = Math.min(maxLen, ids.length - 1 - first);
      const end = first + numScored + 1;
      windows.push({ tokens: ids.slice(encoding === "joint" ? Math.max(0, end - maxLen - 1) : first, end), numScored });
    }
    return windows;
  };

  return {
    name,
    maxLen,
    loglikelihood: (requests) =>
      oneAtATime(async () => {
        const sequences = requests.map(sequenceOf);
        const fitting = sequences.filter((sequence) => sequence !== undefined);
        const scores = await scoreSequences(engine, fitting);
        let next = 0;
        return sequences.map((sequence) => (sequence === undefined ? UNSCORED : { ...total([scores[next++]!]), ...truncated(sequence.numTruncated) }));
      }),
    rollingLoglikelihood: (texts) =>
      oneAtATime(async () => {
        const windows = texts.map(windowsOf);
        const scores = await scoreSequences(engine, windows.flat());
        let next = 0;
        return windows.map(({ length }) => total(scores.slice(next, (next += length))));
      }),
    generate: (requests) => oneAtATime(() => generate(engine, codec, requests)),
    complete: (requests) => oneAtATime(() => complete(engine, codec, requests)),
    free: () => device.free(),
  };
}

/** One request that cannot be scored must not end the others. */
const UNSCORED: Loglikelihood = { logprob: Number.NaN, numTokens: 0, isGreedy: false };

/** Said only where it happened. */
const truncated = (numTruncated: number): { numTruncated?: number } => (numTruncated > 0 ? { numTruncated } : {});

function total(parts: readonly ScoredTokens[]): Loglikelihood {
  return {
    logprob: parts.reduce((sum, { logprob }) => sum + logprob, 0),
    numTokens: parts.reduce((sum, { numTokens }) => sum + numTokens, 0),
    isGreedy: parts.every(({ isGreedy }) => isGreedy),
  };
}

type Encoded = [context: number[], continuation: number[]];

function encodeSeparately(codec: TextCodec, context: string, continuation: string): Encoded {
  const before = Array.from(codec.encodeStart(context));
  return [before.length > 0 ? before : [codec.startId], Array.from(codec.encode(continuation))];
}

function encodeJointly(codec: TextCodec, context: string, continuation: string): Encoded {
  if (context === "") {
    const ids = Array.from(codec.encode(continuation));
    return ids[0] === codec.startId ? [ids.slice(0, 1), ids.slice(1)] : [[codec.startId], ids];
  }
  const stem = context.replace(TRAILING_BLANKS, "");
  const before = Array.from(codec.encodeStart(stem));
  const whole = Array.from(codec.encodeStart(context + continuation));
  return [before.length > 0 ? before : [codec.startId], whole.slice(before.length)];
}

/** What Python's `str.rstrip` takes off: `trimEnd` would take U+FEFF, and leave U+001C to U+001F and U+0085. */
const TRAILING_BLANKS = /(?:(?!\uFEFF)[\s\u001c-\u001f\u0085])+$/u;

/** Runs work in the order it was asked for: the programs' host buffers serve one run at a time. */
function queue(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const next = last.then(work);
    last = next.catch(() => {});
    return next;
  };
}
