import { EspalierError } from "@espalier/core";
import type { Completion, CompletionModel, TokenLogprob } from "@espalier/spec/languageModel";
import { type Context, Hono } from "hono";
import { streamSSE } from "hono/streaming";
import { type ParsedRequest, parseCompletionRequest } from "./completionRequest.ts";

/**
 * OpenAI's `/completions` and `/models` over a `CompletionModel`.
 *
 * Prompts are texts or token ids. `echo` with `logprobs` scores prompts; `top_logprobs` holds the likeliest tokens,
 * `text_offset` counts code points. There is no `/chat/completions`: these models have no chat template.
 *
 * @see https://platform.openai.com/docs/api-reference/completions
 */
export function completionRoutes(model: CompletionModel, onFailure: (error: unknown) => void): Hono {
  const app = new Hono();
  app.get("/models", (context) => context.json({ object: "list", data: [{ id: model.name, object: "model", created: 0, owned_by: "espalier", max_model_len: model.maxLen }] }));
  app.post("/chat/completions", (context) =>
    refuse(context, "Chat is not served: this model has no chat template. Send the text of the conversation to /v1/completions."),
  );
  app.post("/completions", async (context) => {
    let body: unknown;
    try {
      body = await context.req.json();
    } catch {
      return refuse(context, "The body is not JSON. Send an object with `prompt`.");
    }
    const request = parseCompletionRequest(body);
    if (typeof request === "string") return refuse(context, request);
    if (request.model !== undefined && request.model !== model.name) {
      return refuse(context, `model: ${request.model} is not served here, expected ${model.name}.`);
    }
    const head = { id: `cmpl-${crypto.randomUUID()}`, object: "text_completion", created: Math.floor(Date.now() / 1000), model: model.name };
    if (request.stream) return answerInPieces(context, model, request, head, onFailure);
    try {
      const completions = await model.complete(request.completions);
      return context.json({ ...head, choices: completions.map(choice), usage: usage(completions, request) });
    } catch (error) {
      if (isBadRequest(error)) return refuse(context, error.message);
      throw error;
    }
  });
  return app;
}

function refuse(context: Context, message: string) {
  return context.json({ error: { message, type: "invalid_request_error" } }, 400);
}

/** An error that the request itself is the cause of. */
function isBadRequest(error: unknown): error is EspalierError {
  return error instanceof EspalierError && error.code === "BAD_DATA";
}

function choice({ text, finish, tokens }: Completion, index: number) {
  return { index, text, finish_reason: finish, logprobs: tokens.length > 0 ? logprobs(tokens) : null };
}

function logprobs(tokens: readonly TokenLogprob[]) {
  return {
    tokens: tokens.map(({ text }) => text),
    token_logprobs: tokens.map(({ logprob }) => logprob),
    // Tokens that show as the same text, such as halves of characters: the likelier one stays.
    top_logprobs: tokens.map(({ top }) => (top.length > 0 ? Object.fromEntries(top.toReversed().map(({ text, logprob }) => [text, logprob])) : null)),
    text_offset: tokens.map(({ textOffset }) => textOffset),
  };
}

function usage(completions: readonly Completion[], { numEach }: ParsedRequest) {
  const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
  const prompt = sum(completions.filter((_, i) => i % numEach === 0).map(({ numPromptTokens }) => numPromptTokens));
  const completion = sum(completions.map(({ numTokens }) => numTokens));
  return { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion };
}

/** Server-sent events: pieces of the choices as they become certain, the end of each choice, `[DONE]`. */
function answerInPieces(context: Context, model: CompletionModel, { completions }: ParsedRequest, head: object, onFailure: (error: unknown) => void) {
  return streamSSE(context, async (stream) => {
    let gone = false;
    stream.onAbort(() => void (gone = true));
    let written: Promise<unknown> = Promise.resolve();
    const send = (data: object | string) => {
      const text = typeof data === "string" ? data : JSON.stringify(data);
      written = written.then(() => stream.writeSSE({ data: text }));
    };
    const piece = (index: number, text: string, finish: string | null) =>
      send({ ...head, choices: [{ index, text, finish_reason: finish, logprobs: null }] });
    try {
      const answers = await model.complete(
        completions.map((request, index) => ({
          ...request,
          onText(text) {
            if (gone) throw new Error("the client has gone"); // ends the work for it
            piece(index, text, null);
          },
        })),
      );
      answers.forEach(({ finish }, index) => piece(index, "", finish));
      send("[DONE]");
    } catch (error) {
      if (!gone && !isBadRequest(error)) onFailure(error);
      if (!gone) send({ error: { message: (error as Error).message, type: isBadRequest(error) ? "invalid_request_error" : "server_error" } });
    }
    await written;
  });
}
