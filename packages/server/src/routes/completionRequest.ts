import type { CompletionRequest } from "@espalier/spec/languageModel";
import { z } from "zod";

const ids = z.array(z.int().nonnegative()).min(1);
const only = (value: number | string, reason: string) => z.literal(value, { error: `expected ${JSON.stringify(value)}: ${reason}` }).nullish();

const requestSchema = z.object({
  model: z.string().optional(),
  prompt: z.union([z.string(), ids, z.array(z.string()).min(1), z.array(ids).min(1)]),
  max_tokens: z.int().nonnegative().nullish().transform((value) => value ?? 16),
  temperature: z.number().min(0).nullish().transform((value) => value ?? 1),
  n: z.int().min(1).max(128).nullish().transform((value) => value ?? 1),
  seed: z.int().nullish(),
  stop: z.union([z.string(), z.array(z.string())]).nullish(),
  echo: z.boolean().nullish(),
  logprobs: z.int().min(0).max(20).nullish(),
  stream: z.boolean().nullish(),
  // Accepted where they say what is done anyway, so that a request is never answered with something else.
  top_p: only(1, "sampling is over the whole vocabulary"),
  presence_penalty: only(0, "penalties are not offered"),
  frequency_penalty: only(0, "penalties are not offered"),
  suffix: only("", "insertion is not offered"),
  best_of: z.int().nullish(),
});

/** A body as it was understood. */
export interface ParsedRequest {
  model: string | undefined;
  stream: boolean;
  /** One a choice: `n` for each prompt, in order. */
  completions: CompletionRequest[];
  /** `n` */
  numEach: number;
}

/**
 * Reads the body of `/v1/completions`.
 *
 * @returns a sentence that names the field, when the body is not a request that can be answered as it is
 */
export function parseCompletionRequest(body: unknown): ParsedRequest | string {
  const parsed = requestSchema.safeParse(body);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    return `${issue.path.join(".") || "body"}: ${issue.message}.`;
  }
  const { prompt, max_tokens: maxTokens, temperature, n, seed, stop, echo, logprobs, stream, best_of: bestOf, model } = parsed.data;
  if (bestOf != null && bestOf !== n) return `best_of: expected ${n}, as n: choices are not ranked.`;
  if (stream && logprobs != null) return "logprobs: not sent while streaming. Leave out stream or logprobs.";
  const prompts = typeof prompt === "string" || typeof prompt[0] === "number" ? [prompt as string | number[]] : (prompt as (string | number[])[]);
  const until = stop == null ? [] : typeof stop === "string" ? [stop] : stop;
  const firstSeed = seed ?? Math.floor(Math.random() * 2 ** 31);
  return {
    model,
    stream: stream === true,
    numEach: n,
    completions: prompts.flatMap((each) =>
      Array.from({ length: n }, (_, k): CompletionRequest => ({
        prompt: each,
        until,
        maxTokens,
        temperature,
        seed: firstSeed + k, // every choice is drawn by itself; the first is what the seed alone gives
        echo: echo === true,
        ...(logprobs == null ? {} : { numLogprobs: logprobs }),
      })),
    ),
  };
}
