import { mkdtempSync, renameSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LanguageModel } from "@espalier/spec/languageModel";
import { afterEach, describe, expect, it } from "vitest";
import { createApp, type Listening, listen, reportFile } from "./index.ts";

/** Answers each prompt with the prompt backwards, so that order and content are visible. */
const backwards: LanguageModel = {
  name: "backwards",
  maxLen: 64,
  loglikelihood: () => Promise.reject(new Error("not asked for here")),
  rollingLoglikelihood: () => Promise.reject(new Error("not asked for here")),
  generate: (requests) =>
    Promise.resolve(
      requests.map(({ prompt, maxTokens }) => ({
        text: [...prompt].reverse().join("").slice(0, maxTokens),
        numTokens: Math.min(prompt.length, maxTokens),
        finish: prompt.length > maxTokens ? ("length" as const) : ("stop" as const),
      })),
    ),
};

const post = (app: ReturnType<typeof createApp>, body: unknown) =>
  app.request("/v1/completions", { method: "POST", body: typeof body === "string" ? body : JSON.stringify(body) });

describe("completions", () => {
  const app = createApp({ model: backwards });

  it("answers several prompts in their order", async () => {
    const response = await post(app, { prompt: ["abc", "xyz!"], max_tokens: 3 });
    const { choices, usage } = (await response.json()) as { choices: { text: string; finish_reason: string }[]; usage: unknown };
    expect(choices.map((choice) => choice.text)).toEqual(["cba", "!zy"]);
    expect(choices.map((choice) => choice.finish_reason)).toEqual(["stop", "length"]);
    expect(usage).toEqual({ completion_tokens: 6 });
  });

  it("puts the prompt first with echo", async () => {
    const response = await post(app, { prompt: "ab", echo: true });
    expect(((await response.json()) as { choices: { text: string }[] }).choices[0]!.text).toBe("abba");
  });

  it.each([
    ["{", /not JSON/],
    [{}, /prompt/],
    [{ prompt: "a", model: "other" }, /other is not served here, expected backwards/],
    [{ prompt: "a", logprobs: 1 }, /log-probabilities/],
    [{ prompt: "a", max_tokens: -1 }, /max_tokens/],
  ])("refuses %j with one sentence", async (body, sentence) => {
    const response = await post(app, body);
    expect(response.status).toBe(400);
    expect(((await response.json()) as { error: { message: string } }).error.message).toMatch(sentence);
  });
});

describe("listen", () => {
  let open: Listening[] = [];
  afterEach(async () => {
    for (const server of open) await server.close();
    open = [];
  });

  it("serves the page, and the report once it exists, and says when it changes", async () => {
    const directory = mkdtempSync(join(tmpdir(), "espalier-server-"));
    const file = join(directory, "report.json");
    const server = await listen(createApp({ page: "<h1>page</h1>", report: reportFile(file) }));
    open.push(server);

    expect(await (await fetch(server.url)).text()).toBe("<h1>page</h1>");
    expect((await fetch(`${server.url}/api/report`)).status).toBe(404);

    const events = await fetch(`${server.url}/api/events`);
    const reader = events.body!.pipeThrough(new TextDecoderStream()).getReader();
    expect((await reader.read()).value).toContain("heartbeat");
    writeFileSync(`${file}.new`, '{"arms":[]}');
    renameSync(`${file}.new`, file);
    expect((await reader.read()).value).toContain("event: report");
    await reader.cancel();
    expect(await (await fetch(`${server.url}/api/report`)).json()).toEqual({ arms: [] });
  });

  it("says which port is taken", async () => {
    const first = await listen(createApp({}));
    open.push(first);
    const port = Number(new URL(first.url).port);
    await expect(listen(createApp({}), port)).rejects.toThrow(`port ${port} is taken`);
  });
});
