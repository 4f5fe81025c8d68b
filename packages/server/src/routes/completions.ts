import type { LanguageModel } from "@espalier/spec/languageModel";
import { Hono } from "hono";
import { z } from "zod";

const requestSchema = z.object({
  model: z.string().optional(),
  prompt: z.union([z.string(), z.array(z.string()).min(1)]),
  max_tokens: z.int().nonnegative().default(16),
  temperature: z.number().nonnegative().default(1),
  seed: z.int().optional(),
  stop: z.union([z.string(), z.array(z.string())]).nullish(),
  echo: z.boolean().default(false),
  logprobs: z.int().nonnegative().nullish(),
});

/**
 * OpenAI's `/completions` and `/models` over a `LanguageModel`.
 *
 * Prompts are text. `echo` with `logprobs` needs per-token scores, which `LanguageModel` does not promise yet; it is
 * refused with that sentence instead of answered with something else.
 *
 * @see https://platform.openai.com/docs/api-reference/completions
 */
export function completionRoutes(model: LanguageModel): Hono {
  const app = new Hono();
  app.get("/models", (context) => context.json({ object: "list", data: [{ id: model.name, object: "model", owned_by: "espalier" }] }));
  app.post("/completions", async (context) => {
    const refuse = (message: string) => context.json({ error: { message, type: "invalid_request_error" } }, 400);
    let body: unknown;
    try {
      body = await context.req.json();
    } catch {
      return refuse("The body is not JSON. Send an object with `prompt`.");
    }
    const parsed = requestSchema.safeParse(body);
    if (!parsed.success) {
      const issue = parsed.error.issues[0]!;
      return refuse(`${issue.path.join(".") || "body"}: ${issue.message}.`);
    }
    const request = parsed.data;
    if (request.model !== undefined && request.model !== model.name) {
      return refuse(`model: ${request.model} is not served here, expected ${model.name}.`);
    }
    if (request.logprobs != null) return refuse("logprobs: per-token log-probabilities are not served yet. Leave it out.");

    const prompts = typeof request.prompt === "string" ? [request.prompt] : request.prompt;
    const until = request.stop == null ? [] : typeof request.stop === "string" ? [request.stop] : request.stop;
    const generations = await model.generate(
      prompts.map((prompt) => ({
        prompt,
        until,
        maxTokens: request.max_tokens,
        temperature: request.temperature,
        ...(request.seed === undefined ? {} : { seed: request.seed }),
      })),
    );
    return context.json({
      id: `cmpl-${crypto.randomUUID()}`,
      object: "text_completion",
      created: Math.floor(Date.now() / 1000),
      model: model.name,
      choices: generations.map(({ text, finish }, index) => ({
        index,
        text: request.echo ? prompts[index]! + text : text,
        finish_reason: finish,
        logprobs: null,
      })),
      usage: { completion_tokens: generations.reduce((sum, { numTokens }) => sum + numTokens, 0) },
    });
  });
  return app;
}
