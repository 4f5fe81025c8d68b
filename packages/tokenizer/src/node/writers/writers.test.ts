import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { ConfigError, DataError, FileError, random } from "@espalier/core";
import { disk, intercept } from "@espalier/core/node";
import { asyncBufferFromFile, parquetReadObjects } from "hyparquet";
import { describe, expect, it } from "vitest";
import { temporaryDirectory } from "../../testing/temporary.ts";
import type { CorpusFile } from "../read/files.ts";
import { writeLlmC } from "./llmC.ts";
import { writeMds } from "./mds.ts";
import { readTokens } from "./readTokens.ts";
import { mergeSlices, parseSlice, sliceFiles } from "./slices.ts";
import type { TokenDocument } from "./types.ts";
import { type TokenFormat, tokenFormats, writeTokens } from "./writeTokens.ts";

const formats = Object.keys(tokenFormats) as TokenFormat[];
const small: TokenDocument[] = [{ ids: Uint32Array.of(7, 1, 2) }, { ids: new Uint32Array(0) }, { ids: Uint32Array.of(300, 7), source: "a,b.jsonl:12" }];
const bytesOf = (path: string) => new Uint8Array(readFileSync(path));

describe("writeTokens", () => {
  it("writes Megatron's index as its reader takes it apart", async () => {
    const stem = join(temporaryDirectory(), "m");
    await writeTokens("megatron", stem, small, { vocabSize: 100_256 });
    const index = readFileSync(`${stem}.idx`);
    expect(index.length).toBe(34 + 12 * 3 + 8 * 4);
    expect(index.subarray(0, 9).toString("latin1")).toBe("MMIDIDX\0\0");
    expect(index.readBigUInt64LE(9)).toBe(1n);
    expect(index[17]).toBe(4); // int32
    expect([index.readBigUInt64LE(18), index.readBigUInt64LE(26)]).toEqual([3n, 4n]);
    expect([0, 1, 2].map((i) => index.readInt32LE(34 + 4 * i))).toEqual([3, 0, 2]);
    expect([0, 1, 2].map((i) => index.readBigInt64LE(46 + 8 * i))).toEqual([0n, 12n, 12n]); // bytes into .bin
    expect([0, 1, 2, 3].map((i) => index.readBigInt64LE(70 + 8 * i))).toEqual([0n, 1n, 2n, 3n]);
    expect([...new Uint32Array(bytesOf(`${stem}.bin`).buffer)]).toEqual([7, 1, 2, 300, 7]);
  });

  it("takes 16 bits an id where the format and the vocabulary allow it", async () => {
    const stem = join(temporaryDirectory(), "m");
    await writeTokens("megatron", stem, small, { vocabSize: 50257 });
    expect(readFileSync(`${stem}.idx`)[17]).toBe(8); // uint16
    expect([...new Uint16Array(bytesOf(`${stem}.bin`).buffer)]).toEqual([7, 1, 2, 300, 7]);
    await writeTokens("nanogpt", stem, small, { vocabSize: 65536 });
    expect(bytesOf(`${stem}.bin`).length).toBe(10);
    await writeTokens("nanogpt", stem, small, { vocabSize: 65537 });
    expect(bytesOf(`${stem}.bin`).length).toBe(20);
  });

  it("writes llm.c shards of a fixed length with its two headers", async () => {
    const directory = temporaryDirectory();
    await writeLlmC(join(directory, "x"), small, { vocabSize: 50257, shardTokens: 2 });
    expect(readdirSync(directory).sort()).toEqual(["x_train_000001.bin", "x_train_000002.bin", "x_val_000000.bin"]);
    const first = readFileSync(join(directory, "x_val_000000.bin"));
    expect([0, 4, 8, 12].map((at) => first.readInt32LE(at))).toEqual([20240520, 1, 2, 0]);
    expect([first.length, first.readUInt16LE(1024), first.readUInt16LE(1026)]).toEqual([1028, 7, 1]);
    const wide = await writeLlmC(join(directory, "y"), small, { vocabSize: 100_256 });
    expect([0, 4, 8].map((at) => readFileSync(wide[0]!.path).readInt32LE(at))).toEqual([20240801, 7, 5]);
    expect(wide[0]!.bytes).toBe(1024 + 20);
  });

  it("writes where documents end for datatrove, and rows for OLMo", async () => {
    const stem = join(temporaryDirectory(), "d");
    await writeTokens("datatrove", stem, small, { vocabSize: 100_256 });
    expect([...new BigUint64Array(bytesOf(`${stem}.ds.index`).buffer)]).toEqual([3n, 3n, 5n]);
    await writeTokens("olmo", stem, small, { vocabSize: 100_256 });
    expect(gunzipSync(readFileSync(`${stem}.csv.gz`)).toString()).toBe('0,3,0,,0\n3,3,1,,1\n3,5,2,"a,b.jsonl",12\n');
    expect(bytesOf(`${stem}.npy`)).toEqual(bytesOf(`${stem}.ds`));
  });

  it("writes MDS as its reader takes it apart", async () => {
    const directory = temporaryDirectory();
    const long = Uint32Array.from({ length: 300 }, (_, i) => i);
    const files = await writeMds(join(directory, "m"), [...small, { ids: long }], { vocabSize: 301, shardBytes: 250 });
    expect(readdirSync(join(directory, "m")).toSorted()).toEqual(["index.json", "shard.00000.mds", "shard.00001.mds"]);
    const index = JSON.parse(readFileSync(join(directory, "m/index.json"), "utf8")) as { shards: { samples: number; raw_data: { bytes: number } }[] };
    expect(Object.keys(index)).toEqual(["shards", "version"]);
    expect(Object.keys(index.shards[0]!)).toEqual(Object.keys(index.shards[0]!).toSorted());
    expect(index.shards.map(({ samples, raw_data: { bytes } }) => [samples, bytes])).toEqual([[3, files[0]!.bytes], [1, files[1]!.bytes]]);
    const shard = readFileSync(files[0]!.path);
    const offsets = [0, 1, 2, 3].map((i) => shard.readUInt32LE(4 + 4 * i));
    expect(offsets[3]).toBe(shard.length);
    expect(JSON.parse(shard.subarray(20, offsets[0]).toString())).toEqual({
      column_encodings: ["ndarray:int32"], column_names: ["tokens"], column_sizes: [null], compression: null, format: "mds", hashes: [], size_limit: 250, version: 2,
    });
    expect([...shard.subarray(offsets[0])]).toEqual([14, 0, 0, 0, 4, 3, 7, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 4, 0, 10, 0, 0, 0, 4, 2, 44, 1, 0, 0, 7, 0, 0, 0]);
    const second = readFileSync(files[1]!.path);
    const at = second.readUInt32LE(4);
    expect([second.readUInt32LE(at), second[at + 4], second.readUInt16LE(at + 5), second.readUInt32LE(at + 7 + 4 * 299)]).toEqual([3 + 1200, 5, 300, 299]);
  });

  it("writes Parquet whose rows another reader gives as lists", async () => {
    const stem = join(temporaryDirectory(), "p");
    await writeTokens("parquet", stem, small, { vocabSize: 301 });
    expect(await parquetReadObjects({ file: await asyncBufferFromFile(`${stem}.parquet`), compressors: { ZSTD: (input) => zstdDecompressSync(input) } })).toEqual([
      { input_ids: [7, 1, 2] }, { input_ids: [] }, { input_ids: [300, 7] },
    ]);
  });

  it.each(formats)("gives back the ids of %s", async (format) => {
    const stem = join(temporaryDirectory(), "x");
    const draw = random(5, "round trip");
    const documents = Array.from({ length: 400 }, (_, i) => ({ ids: Uint32Array.from({ length: draw.integer(i, i % 50 === 0 ? 70_000 : 300) }, (_, at) => draw.integer(1000 + i * 70_000 + at, 100_000)) }));
    await writeTokens(format, stem, documents, { vocabSize: 100_000 });
    const read: Uint32Array[] = [];
    for await (const { ids } of readTokens(format, stem, { vocabSize: 100_000 })) read.push(ids);
    const flat = (lists: readonly Uint32Array[]) => Buffer.concat(lists.map((ids) => Buffer.from(ids.buffer, ids.byteOffset, ids.byteLength)));
    expect(flat(read).equals(flat(documents.map(({ ids }) => ids)))).toBe(true);
    if (format !== "nanogpt" && format !== "llm.c") expect(read.map(({ length }) => length)).toEqual(documents.map(({ ids }) => ids.length));
  });

  it("refuses ids outside the vocabulary and formats it does not know, and leaves nothing half-written", async () => {
    const directory = temporaryDirectory();
    await expect(writeTokens("megatron", join(directory, "m"), small, { vocabSize: 300 })).rejects.toThrow(new DataError("token file: id 300, expected below the vocabulary size 300. Pass the tokenizer's vocabSize."));
    await expect(writeTokens("tfrecord" as TokenFormat, join(directory, "m"), small, { vocabSize: 301 })).rejects.toThrow(ConfigError);
    expect(readdirSync(directory)).toEqual([]);
  });

  it.each(formats)("leaves nothing of %s when the disk is full", async (format) => {
    const directory = temporaryDirectory();
    const full = intercept(disk, (operation) => {
      if (operation === "write") throw Object.assign(new Error("no space"), { code: "ENOSPC", syscall: "write" });
    });
    await expect(writeTokens(format, join(directory, "x"), small, { vocabSize: 301, fileSystem: full })).rejects.toThrow(/the disk is full/);
    expect(readdirSync(directory)).toEqual([]);
  });
});

describe("mergeSlices", () => {
  const draw = random(4, "slices");
  const documents: TokenDocument[] = Array.from({ length: 3000 }, (_, i) => ({
    ids: Uint32Array.from({ length: draw.integer(i, 900) }, (_, at) => draw.integer(4000 + i * 1000 + at, 60_000)),
    source: `f.jsonl:${i}`,
  }));

  it.each(formats)("gives the bytes of one %s run", async (format) => {
    const directory = temporaryDirectory();
    const options = { vocabSize: 60_000 };
    const whole = await writeTokens(format, join(directory, "whole"), documents, options);
    const stems = [documents.slice(0, 1000), documents.slice(1000, 1001), documents.slice(1001)].map((slice, i) => ({ slice, stem: join(directory, `part${i}`) }));
    for (const { slice, stem } of stems) await writeTokens(format, stem, slice, options);
    const merged = await mergeSlices(format, stems.map(({ stem }) => stem), join(directory, "merged"), options);
    expect(merged.map(({ sha256 }) => sha256)).toEqual(whole.map(({ sha256 }) => sha256));
  });

  it("refuses a slice that is cut short", async () => {
    const directory = temporaryDirectory();
    await writeTokens("datatrove", join(directory, "a"), documents.slice(0, 5), { vocabSize: 60_000 });
    await disk.remove(join(directory, "a.ds"));
    const drain = async () => {
      for await (const document of readTokens("datatrove", join(directory, "a"), { vocabSize: 60_000 })) expect(document.ids).toBeDefined();
    };
    await expect(drain()).rejects.toThrow(FileError);
  });
});

describe("sliceFiles", () => {
  const files = [5, 0, 20, 1, 1, 40, 3].map((bytes, i): CorpusFile => ({ path: `${i}`, name: `${i}`, bytes, kind: "jsonl", compression: "none" }));

  it.each([1, 2, 3, 5, 9])("cuts files into %i slices that are all files in order", (count) => {
    const all = Array.from({ length: count }, (_, index) => sliceFiles(files, { index, count })).flat();
    expect(all).toEqual(files);
  });

  it("reads i/n as people write it", () => {
    expect(parseSlice("1/4")).toEqual({ index: 0, count: 4 });
    for (const text of ["0/4", "5/4", "1", "a/b"]) expect(() => parseSlice(text)).toThrow(ConfigError);
  });
});
