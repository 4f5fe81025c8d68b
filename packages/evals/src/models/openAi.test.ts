import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it, vi } from "vitest";
import { evaluate } from "../evaluate.ts";
import { tasksNamed } from "../tasks/table.ts";
import { directLoglikelihood, type ServerFault, type SpoiltChoice, startServer, tokenLogprob } from "../testing/completionsServer.ts";
import { cachedModel, memoryCache } from "./cache.ts";
import { EndpointError, retryAfter } from "./endpoint.ts";
import { openAiChat, openAiCompletions } from "./openAi.ts";

let server: Awaited<ReturnType<typeof startServer>>;
const start = async (fault: ServerFault = {}) => {
  server = await startServer(fault);
  return { baseUrl: server.baseUrl, model: "test", retryMs: 1 };
};
afterEach(() => server.close());

const pairs = [
  { context: "the cat sat on", continuation: " the mat" },
  { context: "in 北京 there", continuation: " is 大雪 now" },
  { context: "𝒳 is", continuation: " math" },
  { context: "a trailing space ", continuation: "joins" },
];

describe("openAiCompletions", () => {
  it.each([["complete", {}], ["without text offsets", { noOffsets: true }], ["that shows its first token", { showsBos: true }]] as const)(
    "adds up the tokens of the continuation on a server %s",
    async (_, fault) => {
      const model = await openAiCompletions(await start(fault));
      const results = await model.loglikelihood(pairs);
      pairs.forEach(({ context, continuation }, k) => {
        const expected = directLoglikelihood(context + continuation, context.length);
        expect(results[k].logprob, continuation).toBeCloseTo(expected.logprob, 10);
        expect(results[k].numTokens).toBe(expected.numTokens);
      });
    },
  );

  it("is greedy only where every token is the server's first choice", async () => {
    const model = await openAiCompletions(await start());
    const results = await model.loglikelihood([" a c", " a b"].map((continuation) => ({ context: "x y", continuation })));
    expect(results.map(({ isGreedy }) => isGreedy)).toEqual([true, false]);
  });

  it("sends token ids and splits by count when it has an encoder", async () => {
    const encode = (text: string) => [...text].map((character) => character.codePointAt(0)!);
    const model = await openAiCompletions({ ...(await start()), encode, maxLen: 12 });
    const [result] = await model.loglikelihood([{ context: "abcdefghijkl", continuation: " mn" }]);
    expect(server.requests.at(-1)!.prompt).toEqual(encode("efghijkl mn")); // the beginning is lost, 11 remain
    const expected = tokenLogprob("jkl", " ") + tokenLogprob("kl ", "m") + tokenLogprob("l m", "n");
    expect(result).toMatchObject({ numTokens: 3, logprob: expect.closeTo(expected, 10) });
  });

  it("cuts the beginning of a prompt that leaves no room for its answer, and says so; a continuation that never fits is not scored", async () => {
    const encode = (text: string) => [...text].map((character) => character.codePointAt(0)!);
    const model = await openAiCompletions({ ...(await start()), encode, maxLen: 12 });
    const [answer] = await model.generate([{ prompt: "abcdefghijkl", until: [], maxTokens: 4 }]);
    expect(server.requests.at(-1)!.prompt).toEqual(encode("efghijkl"));
    expect(answer).toMatchObject({ numTruncated: 4 });
    const [whole, lost] = await model.loglikelihood(["0123456789", "0123456789a"].map((continuation) => ({ context: "abc", continuation })));
    expect(whole).toMatchObject({ numTokens: 10, numTruncated: 2 });
    expect(lost).toEqual({ logprob: Number.NaN, numTokens: 0, isGreedy: false });
  });

  it("takes the context's length from the server's list of models, unless it is given or the list says none", async () => {
    const encode = (text: string) => [...text].map((character) => character.codePointAt(0)!);
    const lengthOf = async (maxModelLen: unknown, more: { encode?: typeof encode; maxLen?: number }) => {
      const { maxLen } = await openAiCompletions({ ...(await start({ maxModelLen })), ...more });
      await server.close();
      return maxLen;
    };
    expect(await lengthOf(64, { encode })).toBe(64);
    expect(await lengthOf(64, { encode, maxLen: 32 })).toBe(32);
    expect(await lengthOf(64, {})).toBe(2048);
    expect(await lengthOf("64", { encode })).toBe(2048);
    expect(await lengthOf(undefined, { encode })).toBe(2048);
  });

  it("predicts each token of a long text once, window by window", async () => {
    const encode = (text: string) => [...text].map((character) => character.codePointAt(0)!);
    const model = await openAiCompletions({ ...(await start()), encode, maxLen: 10 });
    const text = "abcdefghijklmnopqrstu";
    const [{ numTokens }] = await model.rollingLoglikelihood([text]);
    expect(numTokens).toBe(text.length - 1); // the first has nothing before it
    expect(Math.max(...server.requests.map(({ prompt }) => (prompt as number[]).length).slice(1))).toBeLessThanOrEqual(9);
  });

  it("generates up to the stop string", async () => {
    const model = await openAiCompletions(await start());
    const [stopped, cut] = await model.generate([
      { prompt: "Count", until: ["\n"], maxTokens: 20 },
      { prompt: "Count", until: [], maxTokens: 3 },
    ]);
    expect(stopped).toMatchObject({ text: " 1, 2", finish: "stop" });
    expect(cut).toMatchObject({ text: " 1,", finish: "length" });
  });

  it.each([
    ["echo", { refusesEcho: true }, /does not echo the prompt/],
    ["echo", { ignoresEcho: true }, /does not echo the prompt/],
    ["logprobs", { noLogprobs: true }, /returned no logprobs/],
    ["logprobs", { refusesLogprobs: true }, /status 400.*per-token log-probabilities are not served.*It refuses log-probabilities, so likelihoods cannot be scored/],
    ["well-formed answers", { notJson: true }, /answered "<html>.*expected JSON/],
  ] as const)("fails at once naming %s when the server lacks it", async (lacks, fault, sentence) => {
    const error = await openAiCompletions(await start(fault)).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(EndpointError);
    expect(error).toMatchObject({ lacks, code: "ENDPOINT", message: expect.stringMatching(sentence) });
    expect(server.requests).toHaveLength(1);
  });

  it("waits out a rate limit and gives up when it lasts", async () => {
    const options = await start({ rateLimited: 2 });
    expect((await openAiCompletions(options)).name).toBe("test");
    expect(server.requests).toHaveLength(3);
    await server.close();
    await expect(openAiCompletions({ ...(await start({ rateLimited: 99, retryAfter: null })), attempts: 3 })).rejects.toThrow(/status 429/);
    expect(server.requests).toHaveLength(3);
    await server.close();
    await expect(openAiCompletions({ ...(await start({ rateLimited: 999 })), attempts: 3, patienceMs: 20 })).rejects.toThrow(/status 429.*limits the rate/);
    expect(server.requests.length).toBeGreaterThan(3); // waits that the server asked for are no attempts
  });

  it("says once that a server asks to be left alone for long", async () => {
    const waits: number[] = [];
    const options = await start({ rateLimited: 2, retryAfter: "60" });
    const model = await openAiCompletions({ ...options, generationOnly: true, concurrency: 2, patienceMs: 90_000, onWait: (seconds) => waits.push(seconds) });
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
    try {
      const generating = model.generate([1, 2].map(() => ({ prompt: "Count", until: [], maxTokens: 3 })));
      while (server.requests.length < 2 || waits.length < 1 || vi.getTimerCount() < 2) await new Promise(setImmediate);
      await vi.advanceTimersByTimeAsync(60_000);
      expect(await generating).toHaveLength(2);
      expect(waits).toEqual([60]);
    } finally {
      vi.useRealTimers();
    }
  });

  it("stopped by its signal it gives up a wait at once, and what was answered is in the cache", async () => {
    const waits: number[] = [];
    const controller = new AbortController();
    const answering = await openAiCompletions({ ...(await start()), generationOnly: true });
    const cache = memoryCache("stopped");
    const ask = (prompt: string) => ({ prompt, until: [], maxTokens: 3 });
    await cachedModel(answering, cache).generate([ask("Count")]);
    await server.close();
    const options = await start({ rateLimited: 9, retryAfter: "60" });
    const model = await openAiCompletions({ ...options, generationOnly: true, signal: controller.signal, onWait: (seconds) => { waits.push(seconds); controller.abort(); } });
    await expect(cachedModel(model, cache).generate([ask("Count"), ask("Go on")])).rejects.toThrow(/was not waited for any longer/);
    expect(waits).toEqual([60]);
  });

  it("is not kept waiting by a list of models when it is stopped", async () => {
    server = await startServer();
    const controller = new AbortController();
    const silent = createServer(() => controller.abort()); // never answers
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const started = performance.now();
    const opening = openAiCompletions({ baseUrl: `http://127.0.0.1:${(silent.address() as AddressInfo).port}/v1`, model: "test", encode: () => [1], signal: controller.signal });
    await expect(opening).rejects.toThrow();
    expect(performance.now() - started).toBeLessThan(4000); // the list alone is waited for 5 s
    silent.closeAllConnections();
    silent.close();
  });

  it("ends what waits when a request has failed for good; answers before it are in the cache", async () => {
    server = await startServer();
    let asked = 0;
    const moody = createServer((request, response) => {
      request.resume();
      const n = asked++;
      if (n < 4) response.end(JSON.stringify({ choices: [{ text: `answer ${n}`, finish_reason: "stop" }] }));
      else if (n < 6) response.writeHead(429, { "retry-after": "60" }).end("{}");
      else setTimeout(() => response.writeHead(401).end("{}"), 20);
    });
    await new Promise<void>((resolve) => moody.listen(0, "127.0.0.1", resolve));
    const model = await openAiCompletions({ baseUrl: `http://127.0.0.1:${(moody.address() as AddressInfo).port}/v1`, model: "test", generationOnly: true, concurrency: 3 });
    const cache = memoryCache("moody");
    const requests = Array.from({ length: 12 }, (_, k) => ({ prompt: `Question ${k}`, until: [], maxTokens: 5 }));
    const began = Date.now();
    await expect(cachedModel(model, cache).generate(requests)).rejects.toThrow(/status 401/);
    expect(Date.now() - began).toBeLessThan(5000);
    const silent = cachedModel({ ...model, generate: async (left) => left.map(() => ({ text: "", numTokens: 0, finish: "stop" })) }, cache);
    const texts = (await silent.generate(requests)).map(({ text }) => text);
    expect(texts.filter((text) => text !== "").sort()).toEqual(["answer 0", "answer 1", "answer 2", "answer 3"]);
    moody.close();
  });

  it("comes back when the server says, with all its requests, and loses none", async () => {
    const model = await openAiCompletions(await start());
    await server.close();
    const options = await start({ rateLimited: 1, retryAfter: "0.3" });
    const limited = await openAiCompletions({ ...options, generationOnly: true, concurrency: 4 });
    const began = Date.now();
    const prompts = Array.from({ length: 12 }, () => ({ prompt: "Count", until: ["\n"], maxTokens: 20 }));
    expect(await limited.generate(prompts)).toHaveLength(12);
    expect(Date.now() - began).toBeGreaterThanOrEqual(295);
    // Three others were under way when the limit was hit; nobody asks in the time that it named.
    expect(server.times.filter((at) => at > server.times[0]! + 100 && at < server.times[0]! + 280)).toEqual([]);
    expect(model.name).toBe("test");
  });

  it.each([
    ["dropped connections", { drops: 2 }],
    ["connections dropped in the middle of an answer", { cutsShort: 2 }],
    ["answers cut off", { tears: 2 }],
    ["answers that never come", { hangs: 1 }],
    ["internal errors", { failures: 3 }],
    ["slow answers", { delayMs: 60 }],
  ] as const)("survives %s with the same results", async (_, fault) => {
    const whole = await (await openAiCompletions(await start())).loglikelihood(pairs);
    await server.close();
    const model = await openAiCompletions({ ...(await start(fault)), timeoutMs: 300 });
    expect(await model.loglikelihood(pairs)).toEqual(whole);
  });

  it.each([
    ["drops", { drops: 99 }, "connection", /did not answer in 3 attempts/],
    ["tears", { tears: 99 }, "well-formed answers", /answered "\{"choices".*expected JSON/],
  ] as const)("gives up in one sentence when a server only %s", async (_, fault, lacks, message) => {
    await expect(openAiCompletions({ ...(await start(fault)), attempts: 3 })).rejects.toMatchObject({ lacks, message: expect.stringMatching(message) as string });
    expect(server.requests).toHaveLength(3);
  });

  const spoilt = (change: (logprobs: SpoiltChoice["logprobs"]) => object): ServerFault["spoils"] => (choice) => ({ choices: [{ ...choice, logprobs: change(choice.logprobs) }] });
  const values = (change: (value: number | null, k: number) => unknown) => spoilt((logprobs) => ({ ...logprobs, token_logprobs: logprobs.token_logprobs.map(change) }));
  it.each<[string, string, RegExp, ServerFault["spoils"]]>([
    ["fewer numbers than tokens", "well-formed answers", /returned \d log-probabilities of \d tokens, expected one each/, spoilt((logprobs) => ({ ...logprobs, token_logprobs: logprobs.token_logprobs.slice(3) }))],
    ["no numbers", "logprobs", /no log-probability of token \d of \d+, expected a number for each but the first/, values(() => null)],
    ["texts for numbers", "well-formed answers", /the log-probability "-[\d.]+", expected numbers of at most 0/, values((value) => (value === null ? null : String(value)))],
    ["negated numbers", "well-formed answers", /the log-probability \d[\d.]*, expected numbers of at most 0/, values((value) => (value === null ? null : -value))],
    ["places beyond the text", "well-formed answers", /places \d+ tokens at 0, .*expected rising places within it/, spoilt(({ tokens, ...rest }) => ({ ...rest, tokens: tokens.map(() => "?"), text_offset: rest.text_offset.map((at) => 2 * at) }))],
    ["falling places", "well-formed answers", /places \d+ tokens/, spoilt(({ tokens, ...rest }) => ({ ...rest, tokens: tokens.map(() => "?"), text_offset: rest.text_offset.toReversed() }))],
    ["places that are no numbers", "well-formed answers", /text offsets that are "none", expected whole numbers/, spoilt((logprobs) => ({ ...logprobs, text_offset: "none" }))],
    ["tokens that are no list", "well-formed answers", /tokens that are nothing, expected a list of texts/, spoilt(({ token_logprobs }) => ({ token_logprobs }))],
    ["no text", "well-formed answers", /a choice whose text is nothing, expected text/, ({ logprobs }) => ({ choices: [{ logprobs }] })],
    ["no logprobs", "logprobs", /returned no logprobs/, ({ text }) => ({ choices: [{ text }] })],
    ["another text", "echo", /echoed "other", expected the prompt/, ({ logprobs }) => ({ choices: [{ text: "other", logprobs }] })],
    ["no choice", "well-formed answers", /gave an answer that has no choices, expected one: \{"choices":\[null\]\}/, () => ({ choices: [null] })],
    ["null", "well-formed answers", /answered null, expected a JSON object/, () => null],
    ["a list", "well-formed answers", /answered \[\], expected a JSON object/, () => []],
    ["an error", "well-formed answers", /no choices, expected one: \{"error":"no model"\}/, () => ({ error: "no model" })],
  ])("refuses %s in one sentence that names the server", async (_, lacks, message, spoils) => {
    const model = await openAiCompletions(await start({ spoils }));
    const error = await model.loglikelihood(pairs).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ lacks, message: expect.stringMatching(message) as string });
    expect((error as Error).message).toContain(server.baseUrl);
  });

  it("trusts tokens that make up the text before places that do not fit", async () => {
    const model = await openAiCompletions(await start({ spoils: spoilt((logprobs) => ({ ...logprobs, text_offset: logprobs.text_offset.map((at) => 2 * at) })) }));
    const results = await model.loglikelihood(pairs);
    pairs.forEach(({ context, continuation }, k) => expect(results[k]!.logprob).toBeCloseTo(directLoglikelihood(context + continuation, context.length).logprob, 10));
  });

  it.each([["more", (values: (number | null)[]) => [null, ...values, -1]], ["fewer", (values: (number | null)[]) => values.slice(2)]] as const)("refuses %s scored tokens than ids that were sent", async (_, change) => {
    const encode = (text: string) => [...text].map((character) => character.codePointAt(0)!);
    const spoils = spoilt((logprobs) => {
      const token_logprobs = change(logprobs.token_logprobs);
      return { ...logprobs, token_logprobs, tokens: token_logprobs.map(() => "t") };
    });
    const model = await openAiCompletions({ ...(await start({ spoils })), encode });
    await expect(model.loglikelihood([{ context: "abc", continuation: "de" }])).rejects.toMatchObject({ lacks: "echo", message: expect.stringMatching(/scored \d tokens of the 5 that were sent/) as string });
  });

  it("reads Retry-After as seconds or a date", () => {
    const now = Date.parse("Wed, 25 Nov 2026 04:00:00 GMT");
    expect(["2", "0", "-5", "1.5", "Wed, 25 Nov 2026 04:00:10 GMT", "Wed, 25 Nov 2026 03:00:00 GMT", "soon", "", null].map((header) => retryAfter(header, now))).toEqual([2000, 0, 0, 1500, 10_000, 0, undefined, undefined, undefined]);
  });

  it("names the address of a server that is not there", async () => {
    const options = await start();
    await server.close();
    await expect(openAiCompletions({ ...options, attempts: 2 })).rejects.toMatchObject({ lacks: "connection", message: expect.stringContaining(options.baseUrl) });
    await start();
  });

  it("says how a server that only chats is used", async () => {
    await start();
    const chat = createServer((_, response) => void response.writeHead(404).end('{"error":{"message":"Not Found"}}'));
    await new Promise<void>((resolve) => chat.listen(0, "127.0.0.1", resolve));
    const { port } = chat.address() as AddressInfo;
    const asked = openAiCompletions({ baseUrl: `http://127.0.0.1:${port}/v1`, model: "m" });
    await expect(asked).rejects.toThrow(/status 404.*A server that only chats is used for generation: --chat, or openAiChat\.$/);
    chat.close();
  });

  it("generates without a probe on a server that cannot score, when told so", async () => {
    const model = await openAiCompletions({ ...(await start({ refusesEcho: true })), generationOnly: true });
    expect(server.requests).toHaveLength(0);
    expect((await model.generate([{ prompt: "Count", until: ["\n"], maxTokens: 20 }]))[0].text).toBe(" 1, 2");
    await expect(model.loglikelihood(pairs)).rejects.toThrow(/generation only, so likelihoods cannot be scored/);
  });

  it("carries a whole evaluation", async () => {
    const model = await openAiCompletions(await start());
    const { tasks } = await evaluate(model, { tasks: tasksNamed(["induction", "counting"]), items: 6 });
    for (const { prompt, choices, logprobs } of tasks.flatMap(({ samples }) => samples)) {
      choices.forEach((choice, c) => expect(logprobs[c]).toBeCloseTo(directLoglikelihood(`${prompt} ${choice}`, prompt.length).logprob, 10));
    }
  });
});

describe("openAiChat", () => {
  it("generates and refuses likelihoods in one sentence", async () => {
    const model = openAiChat(await start());
    expect(await model.generate([{ prompt: "Count", until: ["\n"], maxTokens: 20 }])).toEqual([{ text: "1, 2", numTokens: 5, finish: "stop" }]);
    await expect(model.loglikelihood(pairs)).rejects.toMatchObject({ lacks: "logprobs", message: expect.stringContaining("chat completions") });
    const { tasks } = await evaluate(model, { tasks: tasksNamed(["counting"]), items: 4, likelihood: false });
    expect(tasks[0].scores.map(({ scoring }) => scoring)).toEqual(["exact match"]);
    expect(tasks[0].samples.every(({ generated, logprobs }) => generated === "1, 2" && logprobs.length === 0)).toBe(true);
  });
});
