import { closeSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { fileError } from "@espalier/core/node";

const BUFFER_BYTES = 1 << 16;

/**
 * Records of a fixed number of words (u32), written one after the other and then read in the same order: in memory while
 * they are few, behind one buffer in a file from there on.
 *
 * @throws {FileError} from `push` when the disk is full
 */
export class Records {
  readonly #path: string;
  readonly #words: number;
  readonly #buffer: Uint32Array;
  #used = 0;
  #file: number | undefined;
  length = 0;

  constructor(path: string, wordsPerRecord: number) {
    this.#path = path;
    this.#words = wordsPerRecord;
    this.#buffer = new Uint32Array(Math.floor(BUFFER_BYTES / 4 / wordsPerRecord) * wordsPerRecord);
  }

  push(...record: number[]): void {
    if (this.#used === this.#buffer.length) this.#flush();
    for (const word of record) this.#buffer[this.#used++] = word;
    this.length++;
  }

  /** Every record, valid until the next is asked for. Nothing may be pushed any more. */
  *[Symbol.iterator](): Generator<Uint32Array> {
    if (this.#file === undefined) return yield* this.#in(this.#buffer.subarray(0, this.#used));
    if (this.#used > 0) this.#flush();
    const buffer = new Uint32Array(this.#buffer.length);
    const bytes = new Uint8Array(buffer.buffer);
    for (let position = 0, left = this.length * this.#words * 4; left > 0; ) {
      const size = Math.min(left, bytes.length);
      for (let filled = 0; filled < size; ) {
        const got = readSync(this.#file, bytes, filled, size - filled, position + filled);
        if (got === 0) throw fileError("reading", this.#path, new Error("it was cut while it was in use"));
        filled += got;
      }
      yield* this.#in(buffer.subarray(0, size / 4));
      position += size;
      left -= size;
    }
  }

  /** Removes the file, if there is one. */
  close(): void {
    if (this.#file === undefined) return;
    closeSync(this.#file);
    this.#file = undefined;
    rmSync(this.#path, { force: true });
  }

  *#in(words: Uint32Array): Generator<Uint32Array> {
    for (let at = 0; at < words.length; at += this.#words) yield words.subarray(at, at + this.#words);
  }

  #flush(): void {
    try {
      this.#file ??= openSync(this.#path, "w+");
      const bytes = new Uint8Array(this.#buffer.buffer, 0, this.#used * 4);
      for (let from = 0; from < bytes.length; ) from += writeSync(this.#file, bytes, from);
      this.#used = 0;
    } catch (error) {
      throw fileError("writing", this.#path, error);
    }
  }
}
