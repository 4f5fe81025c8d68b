import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { FileError } from "@espalier/core";
import { fileError, sha256File } from "@espalier/core/node";
import type { DocumentEnds } from "../../data/packedBatches.ts";
import { endsPath, readHeader } from "../shard.ts";

/** Ends of a shard's documents that stay on disk. */
export interface DocumentEndsFile extends DocumentEnds {
  /** Closing again does nothing. */
  close(): void;
}

/**
 * Opens where the documents of a shard end, without reading it whole.
 *
 * @param path   of the shard
 * @param digest whether the sha256 of all bytes is checked as well
 * @throws {FileError} when the file or the shard's header is missing, truncated or damaged
 */
export async function openDocumentEnds(path: string, { digest = true }: { digest?: boolean } = {}): Promise<DocumentEndsFile> {
  const { numDocuments, endsSha256 } = await readHeader(path);
  const own = endsPath(path);
  if (digest) {
    const found = await sha256File(own);
    if (found !== endsSha256) throw new FileError(`${own}: sha256 is ${found}, expected ${endsSha256}. It is damaged; tokenize the corpus again.`);
  }
  return new OpenDocumentEnds(own, numDocuments);
}

class OpenDocumentEnds implements DocumentEndsFile {
  readonly length: number;
  readonly #path: string;
  readonly #descriptor: number;
  #isOpen = true;

  constructor(path: string, length: number) {
    this.length = length;
    this.#path = path;
    try {
      this.#descriptor = openSync(path, "r");
    } catch (error) {
      throw fileError("reading", path, error);
    }
    const { size } = fstatSync(this.#descriptor);
    if (size === length * 8) return;
    this.close();
    throw new FileError(`${path}: ${size} bytes, expected ${length * 8} (${length} documents). It is truncated or foreign; tokenize the corpus again.`);
  }

  slice(from: number, to: number): Float64Array {
    const ends = new BigUint64Array(to - from); // every platform of Node is little endian
    const bytes = new Uint8Array(ends.buffer);
    for (let at = 0; at < bytes.length; ) {
      let bytesRead: number;
      try {
        bytesRead = readSync(this.#descriptor, bytes, at, bytes.length - at, from * 8 + at);
      } catch (error) {
        throw fileError("reading", this.#path, error);
      }
      if (bytesRead === 0) throw new FileError(`${this.#path}: ends before document ${to}, expected ${this.length}. Something cut it while it was read; tokenize the corpus again.`);
      at += bytesRead;
    }
    return Float64Array.from(ends, Number);
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    closeSync(this.#descriptor);
  }
}
