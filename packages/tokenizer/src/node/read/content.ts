import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { pipeline, type Readable } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { FileError } from "@espalier/core";
import { fileError } from "@espalier/core/node";
import type { MemoryPool } from "../memoryPool.ts";
import type { CorpusFile } from "./files.ts";
import { DamagedGzip, gunzipFile } from "./gunzip.ts";

const CHUNK_BYTES = 1 << 20;
/** Chunks that are decompressed ahead, on a thread of their own, while the reader is busy. */
const CHUNKS_AHEAD = 4;

export interface ContentOptions {
  /** Bytes as stored that what came so far was made of, since the last call. */
  onBytes?: (bytes: number) => void;
  /** Of the pieces read and decompressed at a time; smaller ones tell `onBytes` more exactly. Default 1 MiB. */
  chunkBytes?: number;
  /** Whether a piece is used no more once the next is asked for: memory is used again then, where it can be. */
  reuse?: boolean;
  /** Gives memory for such pieces, and has it back behind the last. Default: memory of its own for each file. */
  memory?: MemoryPool;
  /** The compression is damaged or cut short: takes the reason and goes on with what came before. Absent: throws. */
  onDamaged?: (reason: string) => void;
}

/**
 * A file's content piece by piece, decompressed (all members of a gzip file), without a byte order mark.
 *
 * @throws {FileError} when the file cannot be read, or its compression is damaged
 */
export async function* contentOf(file: CorpusFile, { onBytes, onDamaged, chunkBytes = CHUNK_BYTES, reuse = false, memory }: ContentOptions): AsyncGenerator<Buffer> {
  if (file.compression === "none" && file.bytes <= CHUNK_BYTES) {
    // A stream costs a millisecond a file: too much for thousands of source files.
    const content = await readFile(file.path).catch((error: unknown) => {
      throw fileError("reading", file.path, error);
    });
    onBytes?.(content.length);
    if (content.length > 0) yield withoutMark(content);
    return;
  }
  let told = 0;
  const tell = (bytes: number) => {
    onBytes?.(bytes - told);
    told = bytes;
  };
  let first = true;
  try {
    const unzipped = file.compression === "gzip" ? gunzipFile(file.path, { chunkBytes, onConsumed: tell, reuse, ...(memory && { memory }) }) : undefined;
    for await (const chunk of unzipped ?? streamed(file, chunkBytes, tell, reuse)) {
      yield first ? withoutMark(chunk) : chunk;
      first = false;
    }
    tell(file.bytes);
  } catch (error) {
    if (!isDamage(error)) throw fileError("reading", file.path, error);
    const reason = `the ${file.compression} data are damaged or cut short (${error.message})`;
    if (!onDamaged) throw new FileError(`reading ${file.path}: ${reason}, expected a whole file. Copy or download it again.`, { cause: error });
    onDamaged(reason);
  }
}

function isDamage(error: unknown): error is Error {
  return error instanceof DamagedGzip || (error instanceof Error && "code" in error && /^(Z_|ZSTD_|ERR_)/.test(String(error.code)));
}

async function* streamed(file: CorpusFile, chunkBytes: number, tell: (bytes: number) => void, reuse: boolean): AsyncGenerator<Buffer> {
  const stored = createReadStream(file.path, { highWaterMark: chunkBytes });
  let read = 0;
  try {
    const content: Readable & { bytesWritten?: number } = decompressed(stored, file, chunkBytes);
    for await (const chunk of content as AsyncIterable<Buffer>) {
      tell((read = content.bytesWritten ?? read + chunk.length));
      yield chunk;
      if (reuse) release(chunk);
    }
  } finally {
    stored.destroy();
  }
}

function withoutMark(chunk: Buffer): Buffer {
  return chunk[0] === 0xef && chunk[1] === 0xbb && chunk[2] === 0xbf ? chunk.subarray(3) : chunk;
}

function decompressed(stored: Readable, { compression }: CorpusFile, chunkSize: number): Readable {
  if (compression === "none") return stored;
  const options = { chunkSize, highWaterMark: CHUNKS_AHEAD * chunkSize };
  return pipeline(stored, compression === "gzip" ? createGunzip(options) : createZstdDecompress(options), () => {}); // errors come out of the iteration
}

/**
 * Frees a chunk's memory now: left to the collector, a compressed file's chunks make it go through the whole heap every few
 * dozen megabytes. Only where the chunk is the end of a buffer of its own: a decompressor still fills one that has room left.
 */
function release({ buffer, byteOffset, length }: Buffer): void {
  if (buffer instanceof ArrayBuffer && byteOffset + length === buffer.byteLength && length >= MIN_RELEASED_BYTES) buffer.transfer(0);
}

/** Above what Node's pools hold. */
const MIN_RELEASED_BYTES = 1 << 18;
