import { existsSync } from "node:fs";
import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { FileError } from "@espalier/core";
import { fileError } from "@espalier/core/node";
import { idWidth, readInUnits } from "./tokenStream.ts";
import type { TokenDocument } from "./types.ts";
import type { TokenFormat } from "./writeTokens.ts";

/** Ids handed on at a time where a format does not say where documents end. */
const PIECE = 1 << 18;
const LLM_C_HEADER_BYTES = 1024;

/**
 * Documents of files that `writeTokens` wrote, streamed. nanoGPT's and llm.c's files do not say where documents end:
 * there a "document" is a piece of the stream.
 *
 * @throws {FileError} when a file is missing, cut short or not of the format
 */
export async function* readTokens(format: TokenFormat, stem: string, { vocabSize }: { vocabSize: number }): AsyncGenerator<TokenDocument> {
  if (format === "megatron") yield* megatron(stem);
  else if (format === "datatrove") yield* datatrove(stem, idWidth(vocabSize));
  else if (format === "olmo") yield* olmo(stem, idWidth(vocabSize));
  else if (format === "mds") yield* mds(stem);
  else if (format === "parquet") yield* (await import("../read/parquetFile.ts")).parquetIds(`${stem}.parquet`); // not at start
  else if (format === "nanogpt") yield* pieces(new IdReader(`${stem}.bin`, idWidth(vocabSize)));
  else yield* llmC(stem, idWidth(vocabSize));
}

/** Ids of a file, as many as asked for. */
export class IdReader {
  readonly #path: string;
  readonly #chunks: AsyncGenerator<Uint8Array>;
  readonly #width: 2 | 4;
  #ids = new Uint32Array(0);
  #at = 0;
  #skip: number;

  constructor(path: string, width: 2 | 4, skipBytes = 0) {
    this.#path = path;
    this.#chunks = readInUnits(path, width);
    this.#width = width;
    this.#skip = skipBytes / width;
  }

  /** Fewer than `count` only at the end of the file. */
  async upTo(count: number): Promise<Uint32Array> {
    const out = new Uint32Array(count);
    let length = 0;
    while (length < count) {
      if (this.#at === this.#ids.length) {
        const { value } = await this.#chunks.next();
        if (!value) break;
        const array = this.#width === 2 ? new Uint16Array(value.buffer as ArrayBuffer) : new Uint32Array(value.buffer as ArrayBuffer);
        this.#ids = Uint32Array.from(array);
        this.#at = Math.min(this.#skip, this.#ids.length);
        this.#skip -= this.#at;
        continue;
      }
      const piece = this.#ids.subarray(this.#at, this.#at + count - length);
      out.set(piece, length);
      this.#at += piece.length;
      length += piece.length;
    }
    return out.subarray(0, length);
  }

  async exactly(count: number): Promise<Uint32Array> {
    const ids = await this.upTo(count);
    if (ids.length < count) throw new FileError(`${this.#path}: ends ${count - ids.length} tokens early. It is cut short; write it again.`);
    return ids;
  }
}

async function* pieces(reader: IdReader): AsyncGenerator<TokenDocument> {
  for (let ids = await reader.upTo(PIECE); ids.length > 0; ids = await reader.upTo(PIECE)) yield { ids };
}

async function* llmC(stem: string, width: 2 | 4): AsyncGenerator<TokenDocument> {
  for (let i = 0; ; i++) {
    const path = `${stem}_${i === 0 ? "val" : "train"}_${String(i).padStart(6, "0")}.bin`;
    if (!existsSync(path)) return;
    yield* pieces(new IdReader(path, width, LLM_C_HEADER_BYTES));
  }
}

async function* datatrove(stem: string, width: 2 | 4): AsyncGenerator<TokenDocument> {
  const reader = new IdReader(`${stem}.ds`, width);
  let start = 0;
  for await (const chunk of readInUnits(`${stem}.ds.index`, 8)) {
    for (const end of new BigUint64Array(chunk.buffer)) {
      yield { ids: await reader.exactly(Number(end) - start) };
      start = Number(end);
    }
  }
}

async function* olmo(stem: string, width: 2 | 4): AsyncGenerator<TokenDocument> {
  const path = `${stem}.csv.gz`;
  const rows = gunzipSync(await readFile(path).catch((error: unknown) => Promise.reject(fileError("reading", path, error)))).toString("utf8");
  const reader = new IdReader(`${stem}.npy`, width);
  for (const [, start, end, source, quoted, line] of rows.matchAll(/^(\d+),(\d+),\d+,(?:([^",\n]*)|"((?:[^"]|"")*)"),(\d+)\n/gm)) {
    yield { ids: await reader.exactly(Number(end) - Number(start)), source: `${source ?? quoted!.replaceAll('""', '"')}:${line}` };
  }
}

async function* mds(stem: string): AsyncGenerator<TokenDocument> {
  const path = join(stem, "index.json");
  const { shards } = JSON.parse(await readFile(path, "utf8").catch((error: unknown) => Promise.reject(fileError("reading", path, error)))) as {
    shards: { raw_data: { basename: string; bytes: number }; samples: number }[];
  };
  for (const { raw_data: raw, samples } of shards) {
    const shard = join(stem, raw.basename);
    const bytes = await readFile(shard).catch((error: unknown) => Promise.reject(fileError("reading", shard, error)));
    if (bytes.length !== raw.bytes || bytes.readUInt32LE(0) !== samples) throw new FileError(`${shard}: ${bytes.length} bytes, expected ${raw.bytes} with ${samples} samples. It is cut short; write it again.`);
    for (let i = 0; i < samples; i++) {
      const start = bytes.readUInt32LE(4 + 4 * i) + 4; // behind the column's size
      const shapeBytes = 1 << (bytes[start]! & 3);
      const from = start + 1 + shapeBytes;
      const ids = new Uint32Array(bytes.readUIntLE(start + 1, shapeBytes));
      new Uint8Array(ids.buffer).set(bytes.subarray(from, from + ids.byteLength));
      yield { ids };
    }
  }
}

async function* megatron(stem: string): AsyncGenerator<TokenDocument> {
  const path = `${stem}.idx`;
  const handle = await open(path, "r").catch((error: unknown) => {
    throw fileError("reading", path, error);
  });
  try {
    const header = Buffer.alloc(34);
    await handle.read(header, 0, 34, 0);
    if (header.toString("latin1", 0, 9) !== "MMIDIDX\0\0" || header.readBigUInt64LE(9) !== 1n) {
      throw new FileError(`${path}: not a Megatron index of version 1. Check the path.`);
    }
    const numSequences = Number(header.readBigUInt64LE(18));
    const reader = new IdReader(`${stem}.bin`, header[17] === 8 ? 2 : 4);
    for (let first = 0; first < numSequences; first += PIECE) {
      const bytes = Buffer.alloc(Math.min(PIECE, numSequences - first) * 4);
      const { bytesRead } = await handle.read(bytes, 0, bytes.length, 34 + first * 4);
      if (bytesRead < bytes.length) throw new FileError(`${path}: ends early, expected ${numSequences} sequences. It is cut short; write it again.`);
      for (const length of new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)) yield { ids: await reader.exactly(length) };
    }
  } finally {
    await handle.close();
  }
}
