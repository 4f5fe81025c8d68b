import { truncate } from "node:fs/promises";
import { join } from "node:path";
import { ConfigError, DataError, FileError } from "@espalier/core";
import { afterEach, describe, expect, it } from "vitest";
import { batchAt } from "../../data/batch.ts";
import { documentIndices } from "../../data/documentIndices.ts";
import { packedBatches } from "../../data/packedBatches.ts";
import { temporaryDirectory } from "../../testing/temporary.ts";
import { writeShard } from "../shard.ts";
import { type Loader, type LoaderOptions, openLoader } from "./loader.ts";
import { openTokenFile } from "./tokenFile.ts";

const SEPARATOR = 0;
const origin = { tokenizerDigest: "a".repeat(64), sourceDigest: "b".repeat(64) };

/** A shard of documents of 1 to 40 ids from `first` on, each ending in the separator. */
async function shard(name: string, numTokens: number, first: number): Promise<{ name: string; path: string; tokens: Uint32Array }> {
  const tokens = Uint32Array.from({ length: numTokens }, (_, i) => first + i);
  for (let i = 0, document = 0; i < numTokens; i += 1 + (++document % 40)) tokens[i] = SEPARATOR;
  const path = join(temporaryDirectory(), `${name}.bin`);
  await writeShard(path, origin, (append) => append(tokens, numTokens));
  return { name, path, tokens };
}

const open: Loader[] = [];
const opened = async (options: LoaderOptions): Promise<Loader> => {
  const loader = await openLoader(options);
  open.push(loader);
  return loader;
};
afterEach(async () => {
  await Promise.all(open.splice(0).map((loader) => loader.close()));
});

describe("openTokenFile", () => {
  it("reads any piece, and refuses truncated, changed and foreign shards", async () => {
    const { path, tokens } = await shard("text", 1000, 1);
    const file = await openTokenFile(path);
    const piece = new Int32Array(37);
    file.read(500, piece);
    expect([...piece]).toEqual([...tokens.subarray(500, 537)]);
    expect(() => file.read(990, piece)).toThrow(FileError);
    file.close();
    file.close();
    await expect(openTokenFile(path, { expected: { tokenizerDigest: "c".repeat(64) } })).rejects.toThrow(new DataError(`${path}: made with tokenizer aaaaaaaaaaaa, expected cccccccccccc. Tokenize the corpus again.`));
    await truncate(path, 3996);
    await expect(openTokenFile(path)).rejects.toThrow(/sha256 is/);
    await expect(openTokenFile(path, { digest: false })).rejects.toThrow(`${path}: 3996 bytes, expected 4000 (1000 tokens)`);
  });
});

describe("openLoader", () => {
  it("gives the batches of batchAt, with the documents of their rows, over epochs", async () => {
    const shards = [await shard("text", 2005, 1), await shard("tasks", 705, 10_000)];
    const weights = [0.75, 0.25];
    const sources = shards.map(({ name, path }, i) => ({ name, path, weight: weights[i]! }));
    const inMemory = shards.map(({ name, tokens }, i) => ({ name, tokens, weight: weights[i]! }));
    const loader = await opened({ sources, state: { seed: 9, tokenOffset: 0 }, batchSize: 7, seqLen: 20, separator: SEPARATOR, prefetch: 3 });
    for (let i = 0; i < 60; i++) {
      const expected = batchAt({ sources: inMemory, seed: 9, tokenOffset: i * 140, batchSize: 7, seqLen: 20 });
      const { tokens, targets, documents } = loader.next();
      expect([...tokens]).toEqual([...expected.tokens]);
      expect([...targets]).toEqual([...expected.targets]);
      expect([...documents!]).toEqual([...documentIndices(expected.tokens, 20, SEPARATOR)]);
    }
    expect(loader.state).toEqual({ seed: 9, tokenOffset: 60 * 140 });
  });

  it("packs whole documents as packedBatches does, and goes on from its two numbers", async () => {
    const path = join(temporaryDirectory(), "packed.bin");
    const tokens = new Uint32Array(3000);
    const ends: number[] = [];
    await writeShard(path, origin, async (append) => {
      for (let at = 0, i = 0; at < tokens.length; i++) {
        const end = Math.min(tokens.length, at + 1 + ((i * 7) % 41));
        for (let t = at; t < end - 1; t++) tokens[t] = t + 1;
        await append(tokens.subarray(at, end), 1);
        ends.push((at = end));
      }
    });
    const options: LoaderOptions = { sources: [{ name: "text", path, weight: 1 }], state: { seed: 2, tokenOffset: 0 }, batchSize: 4, seqLen: 24, separator: SEPARATOR, packing: "bestFit" };
    const fill = packedBatches({ sources: [{ name: "text", weight: 1, tokens, ends }], seed: 2, seqLen: 24, separator: SEPARATOR });
    let loader = await opened(options);
    for (let i = 0; i < 80; i++) {
      if (i === 33) loader = await opened({ ...options, state: loader.state });
      const expected = { tokens: new Int32Array(96), targets: new Int32Array(96) };
      fill(i * 96, expected);
      const { tokens: found, targets, documents } = loader.next();
      expect([...found]).toEqual([...expected.tokens]);
      expect([...targets]).toEqual([...expected.targets]);
      expect([...documents!]).toEqual([...documentIndices(expected.tokens, 24, SEPARATOR)]);
    }
    const { separator: _, ...without } = options;
    await expect(openLoader(without)).rejects.toThrow(ConfigError);
    await truncate(`${path}.ends`, 8);
    await expect(openLoader(options)).rejects.toThrow(FileError);
  });

  it("goes on from its two numbers", async () => {
    const { name, path } = await shard("text", 5000, 1);
    const options = { sources: [{ name, path, weight: 1 }], batchSize: 4, seqLen: 16 };
    const through = await opened({ ...options, state: { seed: 1, tokenOffset: 0 } });
    const all = Array.from({ length: 20 }, () => [...through.next().tokens]);
    const first = await opened({ ...options, state: { seed: 1, tokenOffset: 0 } });
    for (let i = 0; i < 7; i++) first.next();
    const second = await opened({ ...options, state: JSON.parse(JSON.stringify(first.state)) as { seed: number; tokenOffset: number } });
    expect(Array.from({ length: 13 }, () => [...second.next().tokens])).toEqual(all.slice(7));
  });

  it("keeps a batch until the next call, however far the thread has read", async () => {
    const { name, path } = await shard("text", 5000, 1);
    const loader = await opened({ sources: [{ name, path, weight: 1 }], state: { seed: 1, tokenOffset: 0 }, batchSize: 4, seqLen: 16, prefetch: 2 });
    const { tokens } = loader.next();
    const before = [...tokens];
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect([...tokens]).toEqual(before);
  });

  it("says what is wrong before the first batch, and when a shard is cut while it is read", async () => {
    const { name, path } = await shard("text", 200_000, 1);
    const options = { sources: [{ name, path, weight: 1 }], state: { seed: 1, tokenOffset: 0 }, batchSize: 4, seqLen: 16 };
    await expect(openLoader({ ...options, state: { seed: 1, tokenOffset: 8 } })).rejects.toThrow(ConfigError);
    await expect(openLoader({ ...options, batchSize: 0 })).rejects.toThrow("loader: batchSize is 0, expected a whole number from 1 on");
    await expect(openLoader({ ...options, seqLen: 200_000 })).rejects.toThrow(DataError);
    await expect(openLoader({ ...options, sources: [{ name, path, weight: 1, expected: { tokenizerDigest: "c".repeat(64) } }] })).rejects.toThrow(/made with tokenizer/);
    const loader = await opened(options);
    loader.next();
    await truncate(path, 4);
    const untilItFails = () => {
      for (let i = 0; i < 100; i++) loader.next();
    };
    expect(untilItFails).toThrow(FileError);
    expect(untilItFails).toThrow(/Something cut it while it was read/);
  });
});
