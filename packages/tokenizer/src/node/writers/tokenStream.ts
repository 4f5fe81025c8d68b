import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { DataError } from "@espalier/core";
import { atomicWrite, fileError, type FileSystem, type WriteChunk } from "@espalier/core/node";
import type { WrittenFile } from "./types.ts";

const BUFFER_BYTES = 1 << 20;

/** Bytes collected to large writes. */
export interface ByteSink {
  write(bytes: Uint8Array): Promise<void>;
}

/** Writes a file atomically in constant memory; `fill` gets a sink that collects small pieces. */
export async function writeStreamed(path: string, fileSystem: FileSystem, fill: (sink: ByteSink) => Promise<void>): Promise<WrittenFile> {
  const hash = createHash("sha256");
  let bytes = 0;
  await atomicWrite(
    path,
    async (write: WriteChunk) => {
      const buffer = new Uint8Array(BUFFER_BYTES);
      let used = 0;
      const put = async (piece: Uint8Array) => {
        hash.update(piece);
        bytes += piece.length;
        await write(piece);
      };
      const flush = async () => {
        if (used > 0) await put(buffer.subarray(0, used));
        used = 0;
      };
      await fill({
        async write(piece) {
          if (used + piece.length > BUFFER_BYTES) await flush();
          if (piece.length > BUFFER_BYTES) return await put(piece);
          buffer.set(piece, used);
          used += piece.length;
        },
      });
      await flush();
    },
    fileSystem,
  );
  return { path, bytes, sha256: hash.digest("hex") };
}

/** Bytes of an id in files whose width follows from the vocabulary: 2 below `limit` ids, else 4. */
export const idWidth = (vocabSize: number, limit = 65536): 2 | 4 => (vocabSize <= limit ? 2 : 4);

/** @throws {DataError} when an id does not fit the vocabulary */
export function expectFits(ids: Uint32Array, vocabSize: number): void {
  for (const id of ids) {
    if (id >= vocabSize) throw new DataError(`token file: id ${id}, expected below the vocabulary size ${vocabSize}. Pass the tokenizer's vocabSize.`);
  }
}

/**
 * Ids as little-endian bytes.
 *
 * @throws {DataError} when an id does not fit the vocabulary
 */
export function idBytes(ids: Uint32Array, width: 2 | 4, vocabSize: number): Uint8Array {
  expectFits(ids, vocabSize);
  const array = width === 4 ? ids : Uint16Array.from(ids); // every platform of Node is little endian
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/** Numbers as unsigned 64-bit little-endian bytes. */
export const u64Bytes = (...values: number[]): Uint8Array => new Uint8Array(BigUint64Array.from(values, BigInt).buffer);

/** The file's bytes in pieces whose length is a multiple of `unit`. */
export async function* readInUnits(path: string, unit: number): AsyncGenerator<Uint8Array> {
  let rest: Buffer = Buffer.alloc(0);
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: BUFFER_BYTES }) as AsyncIterable<Buffer>) {
      const all = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
      const whole = all.length - (all.length % unit);
      if (whole > 0) yield new Uint8Array(all.subarray(0, whole)); // copied: typed arrays over it need alignment
      rest = all.subarray(whole);
    }
  } catch (error) {
    throw fileError("reading", path, error);
  }
}

/** Writes a scratch file beside `path` while `work` runs, and removes it in the end. */
export async function withScratch<T>(path: string, fileSystem: FileSystem, work: (scratch: string) => Promise<T>): Promise<T> {
  const scratch = `${path}.${process.pid}.scratch`;
  try {
    return await work(scratch);
  } finally {
    await fileSystem.remove(scratch);
  }
}
