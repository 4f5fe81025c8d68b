import { mkdirSync, mkdtempSync, renameSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Completion, CompletionModel } from "@espalier/spec/languageModel";
import { DataError } from "@espalier/core";
import { afterEach, describe, expect, it } from "vitest";
import { createApp, type Listening, listen, reportFile } from "./index.ts";

/** Answers each prompt with the prompt backwards, a character a token, so that order and content are visible. */
const backwards: CompletionModel = {
  name: "backwards",
  maxLen: 64,
  loglikelihood: () => Promise.reject(new Error("not asked for here")),
  rollingLoglikelihood: () => Promise.reject(new Error("not asked for here")),
  generate: () => Promise.reject(new Error("not asked for here")),
  complete: async (requests) =>
    requests.map(({ prompt, maxTokens, echo, numLogprobs, seed, onText }): Completion => {
      const text = typeof prompt === "string" ? prompt : String.fromCodePoint(...prompt);
      if (text === "long") throw new DataError("prompt: has 4 tokens, expected fewer. Shorten it.");
      if (text === "broken") throw new Error("out of order");
      const answer = [...text].reverse().join("").slice(0, maxTokens) + (text === "seed" ? seed : "");
      const whole = (echo ? text : "") + answer;
      for (const character of whole) onText?.(character);
      const tokens = [...whole].map((character, k) => ({
        text: character,
        textOffset: k,
        logprob: k === 0 ? null : -k,
        top: k === 0 ? [] : [{ text: "x", logprob: -0.5 }, { text: character, logprob: -k }].slice(0, numLogprobs),
      }));
      return {
        text: whole,
        numTokens: answer.length,
        finish: text.length > maxTokens ? "length" : "stop",
        tokens: numLogprobs === undefined ? [] : tokens,
        numPromptTokens: text.length,
      };
    }),
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
    expect(usage).toEqual({ prompt_tokens: 7, completion_tokens: 6, total_tokens: 13 });
  });

  it("puts the prompt first with echo", async () => {
    const response = await post(app, { prompt: "ab", echo: true });
    expect(((await response.json()) as { choices: { text: string }[] }).choices[0]!.text).toBe("abba");
  });

  it("scores an echoed prompt in OpenAI's form", async () => {
    const response = await post(app, { prompt: "ab", echo: true, logprobs: 2, max_tokens: 1 });
    const { choices } = (await response.json()) as { choices: { logprobs: unknown }[] };
    expect(choices[0]!.logprobs).toEqual({
      tokens: ["a", "b", "b"],
      token_logprobs: [null, -1, -2],
      top_logprobs: [null, { x: -0.5, b: -1 }, { x: -0.5, b: -2 }],
      text_offset: [0, 1, 2],
    });
  });

  it("takes token ids, and draws n choices from seeds in turn", async () => {
    const response = await post(app, { prompt: [[115, 101, 101, 100], [97]], n: 2, seed: 5, max_tokens: 4 });
    const { choices, usage } = (await response.json()) as { choices: { index: number; text: string }[]; usage: unknown };
    expect(choices.map(({ index, text }) => [index, text])).toEqual([[0, "dees5"], [1, "dees6"], [2, "a"], [3, "a"]]);
    expect(usage).toMatchObject({ prompt_tokens: 5 });
  });

  it("streams pieces, the end of every choice and [DONE]", async () => {
    const response = await post(app, { prompt: ["ab", "c"], stream: true, echo: true });
    expect(response.headers.get("content-type")).toContain("text/event-stream");
    const events = (await response.text()).split("\n\n").filter((event) => event !== "").map((event) => event.replace(/^data: /, ""));
    expect(events.at(-1)).toBe("[DONE]");
    const pieces = events.slice(0, -1).map((event) => (JSON.parse(event) as { choices: { index: number; text: string; finish_reason: string | null }[] }).choices[0]!);
    const textOf = (index: number) => pieces.filter((piece) => piece.index === index).map(({ text }) => text).join("");
    expect([textOf(0), textOf(1)]).toEqual(["abba", "cc"]);
    expect(pieces.filter(({ finish_reason }) => finish_reason !== null).map(({ index, finish_reason }) => [index, finish_reason])).toEqual([[0, "stop"], [1, "stop"]]);
    expect(await (await post(app, { prompt: "long", stream: true })).text()).toContain("has 4 tokens");
  });

  it("lists the model, refuses chat in one sentence, and tells a bad prompt from a failure", async () => {
    expect(await (await app.request("/v1/models")).json()).toMatchObject({ data: [{ id: "backwards" }] });
    const chat = await app.request("/v1/chat/completions", { method: "POST", body: "{}" });
    expect(chat.status).toBe(400);
    expect(await chat.text()).toContain("no chat template");
    expect((await post(app, { prompt: "long" })).status).toBe(400);
    const failures: unknown[] = [];
    const told = createApp({ model: backwards, onFailure: (error) => failures.push((error as Error).message) });
    expect((await post(told, { prompt: "broken" })).status).toBe(500);
    expect(await (await post(told, { prompt: "broken", stream: true })).text()).toContain("out of order");
    await post(told, { prompt: "long" });
    expect(failures).toEqual(["out of order", "out of order"]);
  });

  it.each([
    ["{", /not JSON/],
    [{}, /prompt/],
    [{ prompt: "a", model: "other" }, /other is not served here, expected backwards/],
    [{ prompt: "a", logprobs: 21 }, /logprobs/],
    [{ prompt: "a", logprobs: 1, stream: true }, /not sent while streaming/],
    [{ prompt: "a", top_p: 0.9 }, /top_p: expected 1: sampling is over the whole vocabulary/],
    [{ prompt: "a", presence_penalty: 1 }, /presence_penalty: expected 0/],
    [{ prompt: "a", best_of: 2 }, /best_of: expected 1, as n/],
    [{ prompt: [] }, /prompt/],
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
    const file = join(directory, "later", "report.json");
    const server = await listen(createApp({ page: "<h1>page</h1>", report: reportFile(file) }));
    open.push(server);

    expect(await (await fetch(server.url)).text()).toBe("<h1>page</h1>");
    expect((await fetch(`${server.url}/api/report`)).status).toBe(404);

    const events = await fetch(`${server.url}/api/events`);
    const reader = events.body!.pipeThrough(new TextDecoderStream()).getReader();
    expect((await reader.read()).value).toContain("heartbeat");
    mkdirSync(join(directory, "later")); // the page may be there before the run
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
