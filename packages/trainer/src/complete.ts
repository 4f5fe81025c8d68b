import { DataError } from "@espalier/core";
import type { Completion, CompletionRequest, TokenLogprob } from "@espalier/spec/languageModel";
import { continueTexts, type Continuation } from "./generate.ts";
import type { RowEngine } from "./inference/rowEngine.ts";
import { scoreTokens, type TokenScore } from "./score.ts";
import type { TextCodec } from "./textCodec.ts";

/** A token with its score; null: nothing predicts it. */
interface Scored {
  id: number;
  logprob: number | null;
  top: readonly { id: number; logprob: number }[];
}

/**
 * Answers completion requests. The log-probability of a token of the prompt is the same bits as in `loglikelihood`, and
 * the token is the likeliest at its place exactly when that calls it greedy.
 *
 * @throws {DataError} when a prompt does not fit in front of its answer, is empty, or has an id that no token has
 */
export async function complete(engine: RowEngine, codec: TextCodec, requests: readonly CompletionRequest[]): Promise<Completion[]> {
  const given = requests.map((request) => promptOf(engine, codec, request));
  const prompts = given.map(({ kept }) => kept);
  const wantsPrompt = requests.map(({ echo, numLogprobs }) => echo === true && numLogprobs !== undefined);
  const scored = requests.map((): Scored[] => []);
  const echoed = requests.flatMap((_, i) => (wantsPrompt[i] ? [i] : []));
  const needsLogits = echoed.some((i) => requests[i]!.numLogprobs! > 0);
  const scores = await scoreTokens(engine, echoed.map((i) => ({ tokens: prompts[i]!, numScored: prompts[i]!.length - 1 })), needsLogits);
  echoed.forEach((i, k) => {
    const prompt = prompts[i]!;
    const isToken = (id: number) => codec.isToken(id);
    scored[i] = prompt.map((id, n) => (n === 0 ? { id, logprob: null, top: [] } : ofPrompt(id, scores[k]![n - 1]!, requests[i]!.numLogprobs!, isToken)));
  });
  const before = requests.map(({ echo }, i) => (echo ? codec.decodeText(prompts[i]!) : ""));
  requests.forEach(({ onText }, i) => void (before[i] !== "" && onText?.(before[i]!)));
  const generations = await continueTexts(
    engine,
    codec,
    requests.map((request, i): Continuation => {
      const { numLogprobs, prompt: _, echo: __, ...rest } = request;
      if (numLogprobs === undefined) return { ...rest, prompt: prompts[i]! };
      return { ...rest, prompt: prompts[i]!, onToken: (id, logits) => scored[i]!.push(ofAnswer(id, logits, numLogprobs, (other) => codec.isToken(other))) };
    }),
  );
  return generations.map((generation, i) => {
    return {
      ...generation,
      text: before[i]! + generation.text,
      tokens: requests[i]!.numLogprobs === undefined ? [] : withText(codec, scored[i]!),
      numPromptTokens: prompts[i]!.length,
      ...(given[i]!.numTruncated > 0 && { numTruncated: given[i]!.numTruncated }),
    };
  });
}

function promptOf(engine: RowEngine, codec: TextCodec, { prompt, echo, maxTokens, numLogprobs }: CompletionRequest): { kept: number[]; numTruncated: number } {
  const { seqLen } = engine.model.config;
  const ids = typeof prompt === "string" ? Array.from(codec.encodeStart(prompt)) : [...prompt];
  const unknown = ids.find((id) => !Number.isInteger(id) || id < 0 || !codec.isToken(id));
  if (unknown !== undefined) throw new DataError(`prompt: has token id ${unknown}, which this model's tokenizer does not have. Encode with the model's tokenizer.`);
  if (ids.length === 0) {
    if (echo && numLogprobs !== undefined) throw new DataError("prompt: is empty, expected at least one token to echo with log-probabilities. Put the end-of-text token there.");
    return { kept: [codec.startId], numTruncated: 0 };
  }
  if (ids.length + maxTokens <= seqLen) return { kept: ids, numTruncated: 0 };
  if (echo) throw new DataError(`prompt: has ${ids.length} tokens and max_tokens is ${maxTokens}, expected at most ${seqLen} together. Shorten the prompt.`);
  const kept = ids.slice(-Math.max(1, seqLen - maxTokens));
  return { kept, numTruncated: ids.length - kept.length };
}

/** A token of the prompt, in the fp32 of the device: loss = lse - logit. */
function ofPrompt(id: number, { logprob, isGreedy, lse, logits }: TokenScore, numTop: number, isToken: (id: number) => boolean): Scored {
  const top = logits === undefined ? [] : likeliest(logits, numTop, isToken).map((other) => {
    const found = -Math.fround(lse - logits[other]!);
    return { id: other, logprob: other === id ? logprob : isGreedy ? Math.min(found, logprob) : found };
  });
  return { id, logprob, top };
}

/** A token of the answer, in fp64 over the logits that it was chosen from. */
function ofAnswer(id: number, logits: Float32Array, numTop: number, isToken: (id: number) => boolean): Scored {
  let largest = -Infinity;
  for (const logit of logits) largest = Math.max(largest, logit);
  let sum = 0;
  for (const logit of logits) sum += Math.exp(logit - largest);
  const lse = largest + Math.log(sum);
  return { id, logprob: logits[id]! - lse, top: likeliest(logits, numTop, isToken).map((other) => ({ id: other, logprob: logits[other]! - lse })) };
}

/** Ids of the largest logits, largest first, the smaller id first of equals. */
function likeliest(logits: Float32Array, count: number, isToken: (id: number) => boolean): number[] {
  const best: number[] = [];
  if (count === 0) return best;
  for (let id = 0; id < logits.length; id++) {
    const logit = logits[id]!;
    if ((best.length === count && logit <= logits[best[count - 1]!]!) || !isToken(id)) continue;
    let at = best.length;
    while (at > 0 && logits[best[at - 1]!]! < logit) at--;
    best.splice(at, 0, id);
    if (best.length > count) best.pop();
  }
  return best;
}

/** Texts and offsets: a token begins where the characters that were complete before it end. */
function withText(codec: TextCodec, tokens: readonly Scored[]): TokenLogprob[] {
  const ids = tokens.map(({ id }) => id);
  const text = (of: number) => codec.decodeText([of]);
  return tokens.map(({ id, logprob, top }, n) => ({
    text: text(id),
    textOffset: [...codec.decodeText(ids.slice(0, n)).replace(/\uFFFD+$/, "")].length,
    logprob,
    top: top.map((each) => ({ text: text(each.id), logprob: each.logprob })),
  }));
}
