import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { openAiCompletions } from "@espalier/evals";
import { cpuExecutor } from "@espalier/kernels";
import { createApp, listen } from "@espalier/server";
import { modelConfig } from "@espalier/spec/model";
import { trainTokenizer, writeTokenizerJson } from "@espalier/tokenizer";
import { initialParameters, loadLanguageModel } from "@espalier/trainer";
import { afterAll, describe, expect, it } from "vitest";
import { openEvaluated } from "../evaluation/model.ts";

const text = "the cat sat on the mat and the dog sat on the log, 北京下了大雪 ".repeat(20);
const tokenizer = trainTokenizer([new TextEncoder().encode(text)], { vocabSize: 300 });
const config = modelConfig({ family: "flm", vocabSize: 304, seqLen: 48, numLayers: 2, residualDim: 24, numKvHeads: 2, initStd: 0.3 });
const state = { config, parameters: initialParameters(config, 4) };

describe("a served model", async () => {
  const direct = await loadLanguageModel({ model: state, tokenizer, executor: cpuExecutor({ numThreads: 1 }), encoding: "joint" });
  const server = await listen(createApp({ model: direct }));
  afterAll(async () => {
    await server.close();
    direct.free();
  });
  const endpoint = { baseUrl: `${server.url}/v1`, model: direct.name, maxLen: 48, retryMs: 1 };
  const encode = (input: string) => [...tokenizer.encode(input)];
  const prefixToken = tokenizer.specialId("<|endoftext|>");

  const requests = [
    { context: "the cat", continuation: " sat on" },
    { context: "the cat", continuation: " dog" },
    { context: "", continuation: "the dog" },
    { context: "the dog sat on the log with ".repeat(6), continuation: "the cat" },
    { context: "on the log,", continuation: " 北京" },
    { context: "北京", continuation: "下了大雪" }, // one token with its context: nothing is left to score
    { context: "the cat ", continuation: "sat" },
    ...Array.from("abcdefghij", (letter) => ({ context: "on the mat and", continuation: ` ${letter}` })),
  ];

  it("gives our own client the log-likelihoods that it gives directly, to the last bit, as token ids", async () => {
    const client = await openAiCompletions({ ...endpoint, encode, prefixToken });
    const served = await client.loglikelihood(requests);
    // The client keeps 47 tokens of a request, for the one that it makes the server generate.
    const sent = requests.map(({ context, continuation }) => ({ context, continuation, fits: encode(context + continuation).length < 47 }));
    const expected = await direct.loglikelihood(requests);
    sent.forEach(({ fits }, i) => {
      if (fits && expected[i]!.numTokens > 0) expect(served[i], JSON.stringify(requests[i])).toEqual(expected[i]);
      else expect(served[i]!.numTokens).toBe(expected[i]!.numTokens);
    });
    expect(expected.filter(({ numTokens }, i) => numTokens > 0 && sent[i]!.fits).length).toBe(requests.length - 2);
    const [greedy] = await direct.generate([{ prompt: "the cat", until: [], maxTokens: 3 }]);
    const chosen = [{ context: "the cat", continuation: greedy!.text }];
    if (encode("the cat" + greedy!.text).length === encode("the cat").length + 3) {
      expect((await client.loglikelihood(chosen))[0]).toEqual((await direct.loglikelihood(chosen))[0]);
    }
  });

  it("does so through the command line's --tokenizer, which splits as the engine does and learns the length from the server", async () => {
    const directory = mkdtempSync(join(tmpdir(), "espalier-serve-"));
    const separate = await loadLanguageModel({ model: state, tokenizer, executor: cpuExecutor({ numThreads: 1 }) });
    try {
      writeFileSync(join(directory, "tokenizer.json"), writeTokenizerJson(tokenizer));
      const options = { model: direct.name, tokenizer: directory, apiKeyEnv: "ESPALIER_NO_KEY", device: "cpu" as const };
      const { model: client } = await openEvaluated(endpoint.baseUrl, options, { path: resolve, output: { line: () => {} } });
      expect(client.maxLen).toBe(48);
      const comparable = requests.filter(({ context, continuation }) => encode(context + continuation).length < 47);
      expect(comparable.length).toBe(requests.length - 1);
      expect(await client.loglikelihood(comparable)).toEqual(await separate.loglikelihood(comparable));
      const tooLong = { context: "the cat", continuation: " sat on the mat".repeat(20) };
      expect(await client.loglikelihood([tooLong])).toEqual(await separate.loglikelihood([tooLong]));
      const prompts = ["the cat", "the dog sat on the log with ".repeat(6), ""].map((prompt) => ({ prompt, until: [], maxTokens: 7 }));
      const generated = await separate.generate(prompts);
      expect(generated.map(({ numTruncated = 0 }) => numTruncated > 0)).toEqual([false, true, false]);
      expect(await client.generate(prompts)).toEqual(generated);
      await expect(openEvaluated(endpoint.baseUrl, { ...options, chat: true }, { path: resolve, output: { line: () => {} } })).rejects.toThrow(/--tokenizer is for scoring prompts/);
    } finally {
      separate.free();
      rmSync(directory, { recursive: true });
    }
  });

  it("does so as text, where tokens do not straddle the boundary", async () => {
    const client = await openAiCompletions(endpoint);
    const separable = requests.filter(({ context, continuation }) => {
      const [before, whole] = [encode(context), encode(context + continuation)];
      return context !== "" && context === context.trimEnd() && whole.length < 47 && before.every((id, n) => whole[n] === id);
    });
    expect(separable.length).toBeGreaterThan(10);
    expect(await client.loglikelihood(separable)).toEqual(await direct.loglikelihood(separable));
  });

  it("generates what it generates directly: greedy, sampled by seed, up to a stop text, streamed", async () => {
    const client = await openAiCompletions({ ...endpoint, generationOnly: true });
    const prompts = [
      { prompt: "the cat", until: [], maxTokens: 7 },
      { prompt: "the dog", until: ["t"], maxTokens: 9, temperature: 1, seed: 3 },
    ];
    const expected = await direct.generate(prompts);
    expect(await client.generate(prompts)).toEqual(expected);
    const response = await fetch(`${endpoint.baseUrl}/completions`, {
      method: "POST",
      body: JSON.stringify({ prompt: "the dog", stop: ["t"], max_tokens: 9, temperature: 1, seed: 3, stream: true }),
    });
    const pieces = [...(await response.text()).matchAll(/^data: (\{.*\})$/gm)].map(([, json]) => JSON.parse(json!) as { choices: { text: string }[] });
    expect(pieces.map(({ choices }) => choices[0]!.text).join("")).toBe(expected[1]!.text);
  });

  it("names a prompt that is too long, empty, or of another vocabulary", async () => {
    const ask = async (body: object) => {
      const response = await fetch(`${endpoint.baseUrl}/completions`, { method: "POST", body: JSON.stringify(body) });
      return [response.status, ((await response.json()) as { error: { message: string } }).error.message];
    };
    expect(await ask({ prompt: encode(text).slice(0, 48), echo: true, logprobs: 1, max_tokens: 1 })).toEqual([400, expect.stringMatching(/has 48 tokens and max_tokens is 1, expected at most 48/)]);
    expect(await ask({ prompt: "", echo: true, logprobs: 1 })).toEqual([400, expect.stringMatching(/is empty/)]);
    expect(await ask({ prompt: [303] })).toEqual([400, expect.stringMatching(/token id 303/)]);
  });

  it("scores the tokens of an answer as it scores them in a prompt", async () => {
    const [answer] = await direct.complete([{ prompt: "the cat", until: [], maxTokens: 6, numLogprobs: 3 }]);
    const ids = [...encode("the cat"), ...encode(answer!.text)];
    const [scored] = await direct.complete([{ prompt: ids, until: [], maxTokens: 0, echo: true, numLogprobs: 1 }]);
    const ends = scored!.tokens.slice(encode("the cat").length);
    expect(answer!.tokens.every(({ logprob, top }) => top.length === 3 && top[0]!.logprob === logprob)).toBe(true); // greedy
    if (ends.length === answer!.tokens.length) ends.forEach(({ logprob }, n) => expect(logprob).toBeCloseTo(answer!.tokens[n]!.logprob!, 4));
    expect(scored!.text).toBe("the cat" + answer!.text);
    expect(scored!.tokens[0]!.logprob).toBeNull();
    scored!.tokens.slice(1).forEach(({ logprob, top }) => expect(top[0]!.logprob).toBeGreaterThanOrEqual(logprob!));
  });
});
