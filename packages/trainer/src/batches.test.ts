import { rmSync, truncateSync } from "node:fs";
import { CancelledError, DataError, FileError } from "@espalier/core";
import { batchAt, type TokenSource } from "@espalier/tokenizer";
import type { TokenFile } from "@espalier/tokenizer/node";
import { afterEach, describe, expect, it } from "vitest";
import { type BatchStream, openBatches } from "./batches.ts";
import type { TrainData } from "./data.ts";
import { testedExecutors } from "./testing/executors.ts";
import { onDisk, temporaryDirectory, tinyData, tinyModel, tinyPlan, tinyRun } from "./testing/runs.ts";
import { train } from "./train.ts";

const directories: string[] = [];
afterEach(() => directories.splice(0).forEach((directory) => rmSync(directory, { recursive: true, force: true })));
function fresh(): string {
  directories.push(temporaryDirectory());
  return directories.at(-1)!;
}

const executor = testedExecutors().at(-1)!.make();
const inMemory = tinyData();
const fileOf = ({ sources }: TrainData, i: number) => sources[i]!.tokens as TokenFile;

/** The source behind a reader that is no shard. */
const behindReader = ({ name, tokens, weight }: TokenSource): TokenSource => ({
  name,
  weight,
  tokens: { length: tokens.length, read: (start, into) => into.set((tokens as Uint32Array).subarray(start, start + into.length)) },
});

describe("openBatches", () => {
  it.each([0, 8, 8 * 7, 2 * 8 * 500])("gives what batchAt gives from token offset %i on: in memory, on disk, behind a reader", async (tokenOffset) => {
    for (const microBatchSize of [1, 3]) {
      const plan = tinyPlan({ microBatchSize, seed: 11 });
      const data = [inMemory, await onDisk(inMemory, fresh()), { ...inMemory, sources: inMemory.sources.map(behindReader) }];
      const streams: BatchStream[] = [];
      for (const each of data) streams.push(await openBatches(each, plan, tokenOffset));
      for (let i = 0; i < 300; i++) { // several epochs of both sources
        const expected = batchAt({ sources: inMemory.sources, seed: 11, tokenOffset: tokenOffset + i * microBatchSize * 8, batchSize: microBatchSize, seqLen: 8 });
        for (const stream of streams) {
          const { tokens, targets } = stream.next();
          expect(Buffer.compare(bytesOf(tokens), bytesOf(expected.tokens))).toBe(0);
          expect(Buffer.compare(bytesOf(targets), bytesOf(expected.targets))).toBe(0);
        }
      }
      for (const stream of streams) await stream.close();
    }
  });

  it("refuses shards that are cut, of another corpus, or shorter than a window", async () => {
    const data = await onDisk(inMemory, fresh());
    await expect(openBatches({ ...data, digest: "e".repeat(64) }, tinyPlan(), 0)).rejects.toThrow(DataError);
    const long = tinyModel({ seqLen: 5000 });
    const plan = { ...tinyPlan(), stages: tinyPlan().stages.map((stage) => ({ ...stage, model: long })) };
    await expect(openBatches(data, plan, 0)).rejects.toThrow(DataError);
    truncateSync(fileOf(data, 0).path, 400);
    await expect(openBatches(data, tinyPlan(), 0)).rejects.toThrow(FileError);
  });
});

describe("a run over shards on disk", () => {
  it.each(["plain", "masked", "packed"] as const)("has every checkpoint and loss of the run in memory, stopped or not: %s", async (kind) => {
    const { plan, data } = await tinyRun(kind, fresh());
    const onDiskToo = await tinyRun(({ plain: "onDisk", masked: "maskedOnDisk", packed: "packedOnDisk" } as const)[kind], fresh());
    const losses = async (data: TrainData, directory: string, stopAt?: number) => {
      const seen: number[] = [];
      const stop = new AbortController();
      const onMetric = ({ step, loss }: { step: number; loss: number }) => {
        seen.push(loss);
        if (step === stopAt) stop.abort();
      };
      const run = train({ plan, data, directory, executor }, { onMetric, signal: stop.signal });
      if (stopAt === undefined) return { seen, result: await run };
      await expect(run).rejects.toThrow(CancelledError);
      return { seen };
    };
    const expected = await losses(data, fresh());
    const whole = await losses(onDiskToo.data, fresh());
    expect(whole.seen).toEqual(expected.seen);
    expect(whole.result!.digest).toBe(expected.result!.digest);
    // Begun in memory, gone on from disk, and from memory again: the bits do not tell.
    const directory = fresh();
    const parts = [await losses(data, directory, 4), await losses(onDiskToo.data, directory, 9), await losses(data, directory)];
    expect(parts.flatMap(({ seen }) => seen)).toEqual(expected.seen);
    expect(parts[2]!.result!.digest).toBe(expected.result!.digest);
  });

  it("is refused for an id outside the vocabulary, wherever the shard has it", async () => {
    const PIECE_TOKENS = 1 << 20; // read at once
    for (const bad of [0, PIECE_TOKENS - 1, PIECE_TOKENS, PIECE_TOKENS + 40]) {
      const tokens = new Uint32Array(PIECE_TOKENS + 41);
      tokens[bad] = 24;
      const data = await onDisk({ ...inMemory, sources: [{ name: "text", tokens, weight: 1 }] }, fresh());
      await expect(train({ plan: tinyPlan(), data, directory: fresh(), executor })).rejects.toThrow(`text: token ${bad} has id 24, expected one below the model's vocabulary of 24`);
    }
  });

  it("is forked, from memory to disk, with the bits of a run from the start", async () => {
    const parent = tinyPlan();
    const data = { ...inMemory };
    const base = fresh();
    await train({ plan: parent, data, directory: base, executor });
    const [small, middle, large] = parent.stages;
    const plan = { ...parent, name: "child", stages: [small!, middle!, { ...large!, growth: { ...large!.growth!, operators: { depth: "zeroDepth" } } }] };
    const expected = await train({ plan, data, directory: fresh(), executor });
    const forked = await train({ plan, data: await onDisk(data, fresh()), directory: fresh(), executor, fork: { run: base } });
    expect(forked.digest).toBe(expected.digest);
  });
});

const bytesOf = ({ buffer, byteOffset, byteLength }: Int32Array): Buffer => Buffer.from(new Uint8Array(buffer, byteOffset, byteLength));
