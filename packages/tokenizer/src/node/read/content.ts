import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { pipeline, type Readable } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { FileError } from "@espalier/core";
import { fileError } from "@espalier/core/node";
import type { CorpusFile } from "./files.ts";

const CHUNK_BYTES = 1 << 20;
/** Chunks that are decompressed ahead, on a thread of their own, while the reader is busy. */
const CHUNKS_AHEAD = 4;

export interface ContentOptions {
  /** Bytes as stored that what came so far was made of, since the last call. */
  onBytes?: (bytes: number) => void;
  /** Of the pieces read and decompressed at a time; smaller ones tell `onBytes` more exactly. Default 1 MiB. */
  chunkBytes?: number;
  /** The compression is damaged or cut short: takes the reason and goes on with what came before. Absent: throws. */
  onDamaged?: (reason: string) => void;
}

/**
 * A file's content piece by piece, decompressed (all members of a gzip file), without a byte order mark.
 *
 * @throws {FileError} when the file cannot be read, or its compression is damaged
 */
export async function* contentOf(file: CorpusFile, { onBytes, onDamaged, chunkBytes = CHUNK_BYTES }: ContentOptions): AsyncGenerator<Buffer> {
  if (file.compression === "none" && file.bytes <= CHUNK_BYTES) {
    // A stream costs a millisecond a file: too much for thousands of source files.
    const content = await readFile(file.path).catch((error: unknown) => {
      throw fileError("reading", file.path, error);
    });
    onBytes?.(content.length);
    if (content.length > 0) yield withoutMark(content);
    return;
  }
  const stored = createReadStream(file.path, { highWaterMark: chunkBytes });
  let told = 0;
  const tell = (bytes: number) => {
    onBytes?.(bytes - told);
    told = bytes;
  };
  let first = true;
  let content: Readable & { bytesWritten?: number } = stored;
  try {
    content = decompressed(stored, file, chunkBytes);
    for await (const chunk of content as AsyncIterable<Buffer>) {
      tell(content.bytesWritten ?? told + chunk.length);
      yield first ? withoutMark(chunk) : chunk;
      first = false;
    }
    tell(file.bytes);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && /^(Z_|ZSTD_|ERR_)/.test(String(error.code)))) throw fileError("reading", file.path, error);
    const reason = `the ${file.compression} data are damaged or cut short (${error.message})`;
    if (!onDamaged) throw new FileError(`reading ${file.path}: ${reason}, expected a whole file. Copy or download it again.`, { cause: error });
    onDamaged(reason);
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
