import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { pipeline, type Readable } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { FileError } from "@espalier/core";
import { fileError } from "@espalier/core/node";
import type { CorpusFile } from "./files.ts";

const CHUNK_BYTES = 1 << 20;

export interface ContentOptions {
  /** Bytes as stored, read since the last call. */
  onBytes?: (bytes: number) => void;
  /** The compression is damaged or cut short: takes the reason and goes on with what came before. Absent: throws. */
  onDamaged?: (reason: string) => void;
}

/**
 * A file's content piece by piece, decompressed (all members of a gzip file), without a byte order mark.
 *
 * @throws {FileError} when the file cannot be read, or its compression is damaged
 */
export async function* contentOf(file: CorpusFile, { onBytes, onDamaged }: ContentOptions): AsyncGenerator<Buffer> {
  if (file.compression === "none" && file.bytes <= CHUNK_BYTES) {
    // A stream costs a millisecond a file: too much for thousands of source files.
    const content = await readFile(file.path).catch((error: unknown) => {
      throw fileError("reading", file.path, error);
    });
    onBytes?.(content.length);
    if (content.length > 0) yield withoutMark(content);
    return;
  }
  const stored = createReadStream(file.path, { highWaterMark: CHUNK_BYTES });
  if (onBytes) stored.on("data", (chunk) => onBytes(chunk.length));
  let first = true;
  try {
    for await (const chunk of decompressed(stored, file) as AsyncIterable<Buffer>) {
      yield first ? withoutMark(chunk) : chunk;
      first = false;
    }
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

function decompressed(stored: Readable, { compression }: CorpusFile): Readable {
  if (compression === "none") return stored;
  const options = { chunkSize: CHUNK_BYTES };
  return pipeline(stored, compression === "gzip" ? createGunzip(options) : createZstdDecompress(options), () => {}); // errors come out of the iteration
}
