import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DataError, FileError } from "@espalier/core";
import { disk, intercept } from "@espalier/core/node";
import type { LanguageModel } from "@espalier/spec/languageModel";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { evaluate } from "../evaluate.ts";
import { cachedModel } from "../models/cache.ts";
import { randomModel } from "../models/mock.ts";
import { tasksNamed } from "../tasks/table.ts";
import { evaluateUntilKilled } from "../testing/evaluateUntilKilled.ts";
import { modelDirectoryDigest, openRequestCache } from "./requestCache.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "espalier-cache-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A model that counts what reaches it. */
function counted(): { model: LanguageModel; asked: () => number } {
  const inner = randomModel(2);
  let asked = 0;
  const seen = <R, A>(ask: (requests: readonly R[]) => Promise<A>) => (requests: readonly R[]) => ((asked += requests.length), ask(requests));
  return { model: { ...inner, loglikelihood: seen(inner.loglikelihood), rollingLoglikelihood: seen(inner.rollingLoglikelihood), generate: seen(inner.generate) }, asked: () => asked };
}

const options = { tasks: tasksNamed(["counting", "copying"]), items: 8, batchItems: 3 };

describe("openRequestCache", () => {
  it("asks nothing twice, in one run or the next, and changes no result", async () => {
    const path = join(folder, "cache.jsonl");
    const plain = await evaluate(randomModel(2), options);
    const first = counted();
    const cache = await openRequestCache(path, "weights");
    expect(await evaluate(first.model, { ...options, cache })).toEqual(plain);
    await cache.close();
    expect(first.asked()).toBeGreaterThan(40);
    expect(readFileSync(path, "utf8").split("\n").length - 1).toBe(first.asked());
    const second = counted();
    const again = await openRequestCache(path, "weights");
    expect(again.numRead).toBe(first.asked());
    expect(await evaluate(second.model, { ...options, batchItems: 64, cache: again })).toEqual(plain);
    expect(second.asked()).toBe(0);
    await again.close();
    const other = counted();
    const shared = await openRequestCache(path, "other weights");
    await evaluate(other.model, { ...options, cache: shared });
    await shared.close();
    expect(other.asked()).toBe(first.asked());
  });

  it("keeps numbers to the last bit, those that JSON lacks included", async () => {
    const path = join(folder, "cache.jsonl");
    const answers = [Number.NaN, -Infinity, -0.1 - 0.2, -5e-324, 0].map((logprob, i) => [`k${i}`, { logprob, numTokens: i, isGreedy: i > 2, ...(i === 1 && { numTruncated: 7 }) }] as const);
    const cache = await openRequestCache(path, "m");
    await cache.put([...answers, ["text", { text: 'a "b"\n\u2028', numTokens: 3, finish: "length" }]]);
    await cache.close();
    const again = await openRequestCache(path, "m");
    for (const [key, answer] of answers) expect(again.get(key)).toEqual(answer);
    expect(again.get("text")).toEqual({ text: 'a "b"\n\u2028', numTokens: 3, finish: "length" });
    await again.close();
  });

  it("asks again what a torn last line held, wherever it was torn", async () => {
    const path = join(folder, "cache.jsonl");
    const requests = ["x", "yy"].map((continuation) => ({ context: "c", continuation }));
    const whole = await openRequestCache(path, "m");
    const expected = await cachedModel(counted().model, whole).loglikelihood(requests);
    await whole.close();
    const bytes = readFileSync(path);
    const firstEnd = bytes.indexOf("\n") + 1;
    for (let cut = firstEnd; cut < bytes.length; cut++) {
      writeFileSync(path, bytes.subarray(0, cut));
      const { model, asked } = counted();
      const cache = await openRequestCache(path, "m");
      expect(await cachedModel(model, cache).loglikelihood(requests)).toEqual(expected);
      await cache.close();
      expect(asked()).toBe(1);
      expect(readFileSync(path).equals(bytes)).toBe(true);
    }
  });

  it("leaves the same bytes and asks nothing again after SIGKILL at changes of the disk", () => {
    const whole = evaluateUntilKilled(join(folder, "whole"), 0);
    expect(whole).toMatchObject({ killed: false, askedAgain: 0 });
    for (const share of [0.02, 0.35, 0.6, 0.93]) {
      const directory = join(folder, `killed-${share}`);
      const kill = Math.ceil(whole.operations * share);
      expect(evaluateUntilKilled(directory, kill).killed).toBe(true);
      appendFileSync(join(directory, "cache.jsonl"), '{"key":"torn'); // what a power cut leaves
      const resumed = evaluateUntilKilled(directory, 0);
      expect(resumed).toMatchObject({ killed: false, digest: whole.digest, askedAgain: 0 });
      expect(resumed.asked).toBeLessThanOrEqual(whole.asked);
    }
  }, 120_000);

  it("says when the disk is full, and loses no earlier answer", async () => {
    const path = join(folder, "cache.jsonl");
    let writes = 0;
    const full = intercept(disk, (operation) => {
      if (operation === "write" && ++writes === 5) throw Object.assign(new Error("no space"), { code: "ENOSPC", errno: -28 });
    });
    const cache = await openRequestCache(path, "m", full);
    await expect(evaluate(randomModel(2), { ...options, cache })).rejects.toThrow(FileError);
    await cache.close();
    const again = await openRequestCache(path, "m");
    expect(again.numRead).toBe(4);
    await again.close();
  });

  it.each(['{"loss": 3}\n', '{"key":"a","answer":null}\n', '{"key":"a","answer":{"logprob":"x","numTokens":1}}\n', "null\n"])("refuses %s, naming the line", async (line) => {
    const path = join(folder, "cache.jsonl");
    writeFileSync(path, `{"key":"a","answer":{"logprob":-1,"numTokens":1,"isGreedy":true}}\n${line}`);
    await expect(openRequestCache(path, "m")).rejects.toThrow(DataError);
    await expect(openRequestCache(path, "m")).rejects.toThrow(/line 2 of .* is not a cached answer/);
  });
});

describe("cachedModel", () => {
  it("asks again for samples that no seed decides", async () => {
    const { model, asked } = counted();
    const cache = await openRequestCache(join(folder, "cache.jsonl"), "m");
    const cached = cachedModel(model, cache);
    const request = { prompt: "p", until: ["\n"], maxTokens: 4 };
    await cached.generate([{ ...request, temperature: 1 }, { ...request, temperature: 1 }]);
    expect(asked()).toBe(2);
    await cached.generate([{ ...request, temperature: 1, seed: 1 }, { ...request, temperature: 1, seed: 2 }, { ...request, temperature: 1, seed: 1 }, request, { ...request, temperature: 0, seed: 3 }]);
    expect(asked()).toBe(5); // two seeds, and one greedy answer whatever the seed
    const [scored, rolled] = [await cached.loglikelihood([{ context: "", continuation: "p" }]), await cached.rollingLoglikelihood(["p"])];
    expect(asked()).toBe(7); // other kinds of request
    expect([await cached.loglikelihood([{ context: "", continuation: "p" }]), await cached.rollingLoglikelihood(["p"])]).toEqual([scored, rolled]);
    expect(cached.counts).toEqual({ hits: 4, misses: 7 });
    await cache.close();
  });
});

describe("modelDirectoryDigest", () => {
  it("changes with any byte, name or setting, and with nothing else", async () => {
    const directory = join(folder, "model");
    mkdirSync(join(directory, "deep"), { recursive: true });
    writeFileSync(join(directory, "a"), "1");
    writeFileSync(join(directory, "deep", "b"), "2");
    const digests = [await modelDirectoryDigest(directory), await modelDirectoryDigest(directory, { encoding: "joint" })];
    expect(await modelDirectoryDigest(`${directory}/`)).toBe(digests[0]);
    writeFileSync(join(directory, "deep", "b"), "3");
    digests.push(await modelDirectoryDigest(directory));
    rmSync(join(directory, "a"));
    digests.push(await modelDirectoryDigest(directory));
    expect(new Set(digests).size).toBe(4);
    await expect(modelDirectoryDigest(join(folder, "absent"))).rejects.toThrow(FileError);
  });
});
