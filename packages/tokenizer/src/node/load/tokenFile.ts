import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { FileError } from "@espalier/core";
import { fileError, sha256File } from "@espalier/core/node";
import type { TokenReader } from "../../data/batch.ts";
import { expectOrigin, readHeader, type ShardHeader, type ShardOrigin } from "../shard.ts";

/** A shard that stays on disk: any piece of it is read where and when it is needed (`pread`). */
export interface TokenFile extends TokenReader {
  readonly path: string;
  readonly header: ShardHeader;
  /** Closing again does nothing. */
  close(): void;
}

export interface OpenTokenFileOptions {
  /** What the shard must have been made with; left out, anything is accepted. */
  expected?: Partial<ShardOrigin>;
  /** Whether the sha256 of all bytes is checked as well, in constant memory. Default true. */
  digest?: boolean;
}

/**
 * Opens a shard without reading it into memory. Reads hold up the calling thread; what the operating system has cached
 * comes at memory speed, and `openLoader` reads ahead on a thread of its own.
 *
 * @throws {FileError} when the shard or its header is missing, of another format, truncated or damaged
 * @throws {DataError} when it was made with another tokeniser or from another source
 */
export async function openTokenFile(path: string, { expected = {}, digest = true }: OpenTokenFileOptions = {}): Promise<TokenFile> {
  const header = await readHeader(path);
  expectOrigin(path, header, expected);
  if (digest) {
    const found = await sha256File(path);
    if (found !== header.sha256) throw new FileError(`${path}: sha256 is ${found}, expected ${header.sha256}. It is damaged; tokenize the corpus again.`);
  }
  return new OpenTokenFile(path, header);
}

class OpenTokenFile implements TokenFile {
  readonly path: string;
  readonly header: ShardHeader;
  readonly length: number;
  readonly #descriptor: number;
  #isOpen = true;

  constructor(path: string, header: ShardHeader) {
    this.path = path;
    this.header = header;
    this.length = header.numTokens;
    try {
      this.#descriptor = openSync(path, "r");
    } catch (error) {
      throw fileError("reading", path, error);
    }
    const { size } = fstatSync(this.#descriptor);
    if (size === header.numTokens * 4) return;
    this.close();
    throw new FileError(`${path}: ${size} bytes, expected ${header.numTokens * 4} (${header.numTokens} tokens). It is truncated or foreign; tokenize the corpus again.`);
  }

  read(start: number, into: Int32Array): void {
    const bytes = new Uint8Array(into.buffer, into.byteOffset, into.byteLength); // every platform of Node is little endian
    for (let at = 0; at < bytes.length; ) {
      let bytesRead: number;
      try {
        bytesRead = readSync(this.#descriptor, bytes, at, bytes.length - at, start * 4 + at);
      } catch (error) {
        throw fileError("reading", this.path, error);
      }
      if (bytesRead === 0) throw new FileError(`${this.path}: ends before token ${start + into.length}, expected ${this.length} tokens. Something cut it while it was read; tokenize the corpus again.`);
      at += bytesRead;
    }
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    closeSync(this.#descriptor);
  }
}
