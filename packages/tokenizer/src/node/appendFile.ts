import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import { fileError, type FileSystem, type WritableFile } from "@espalier/core/node";
import { createDigest } from "./digest.ts";

const BUFFER_BYTES = 1 << 20;
/** Buffers on their way to the disk before whoever writes has to wait. */
const MAX_PENDING = 4;

/** Where a file lies while it grows. */
export const partialPath = (path: string): string => `${path}.partial`;

/**
 * A file that grows under the name `<path>.partial` and gets its own in the end. What a checkpoint has made durable
 * survives a kill: `open` with its length goes on from there. Writes to the disk happen behind those who write here, in
 * their order; one that fails makes a later call fail.
 */
export class AppendFile {
  readonly path: string;
  readonly #fileSystem: FileSystem;
  readonly #file: WritableFile;
  readonly #digest = createDigest();
  readonly #free: Uint8Array<ArrayBuffer>[] = [];
  #buffer = new Uint8Array(BUFFER_BYTES);
  #used = 0;
  #written = 0;
  #isOpen = true;
  /** Of all that left the buffer. */
  #pending: Promise<void> = Promise.resolve();
  #numPending = 0;

  private constructor(path: string, file: WritableFile, fileSystem: FileSystem) {
    this.path = path;
    this.#file = file;
    this.#fileSystem = fileSystem;
  }

  /**
   * Opens the partial file and cuts it to `bytes`; nothing when it is shorter.
   *
   * @throws {FileError} when it cannot be written
   */
  static async open(path: string, bytes: number, fileSystem: FileSystem): Promise<AppendFile | undefined> {
    const partial = partialPath(path);
    try {
      if (bytes > 0 && (await stat(partial).catch(() => ({ size: 0 }))).size < bytes) return undefined;
      const file = await fileSystem.open(partial, bytes === 0 ? "create" : "append");
      const opened = new AppendFile(path, file, fileSystem);
      try {
        if (bytes > 0) {
          await file.truncate(bytes);
          for await (const chunk of createReadStream(partial, { highWaterMark: BUFFER_BYTES }) as AsyncIterable<Buffer>) await opened.#digest.update(chunk);
        }
      } catch (error) {
        await file.close();
        throw error;
      }
      opened.#written = bytes;
      return opened;
    } catch (error) {
      throw fileError("writing", path, error);
    }
  }

  get bytes(): number {
    return this.#written + this.#used;
  }

  /** The bytes may be written over once this returns. */
  async write(bytes: Uint8Array): Promise<void> {
    for (let from = 0; from < bytes.length; ) {
      const part = bytes.subarray(from, from + BUFFER_BYTES - this.#used);
      this.#buffer.set(part, this.#used);
      this.#used += part.length;
      from += part.length;
      if (this.#used === BUFFER_BYTES) this.#flush();
    }
    if (this.#numPending > MAX_PENDING) await this.#pending;
  }

  /** Returns once all bytes written before the call are durable; more may be written meanwhile. */
  async sync(): Promise<void> {
    this.#flush();
    await this.#pending;
    await this.#file.sync().catch((error: unknown) => this.#fail(error));
  }

  /** Gives the file its name; returns its sha256. */
  async finish(): Promise<string> {
    await this.sync();
    await this.close();
    await this.#fileSystem.rename(partialPath(this.path), this.path).catch((error: unknown) => this.#fail(error));
    await this.#fileSystem.syncDirectory(dirname(this.path)).catch((error: unknown) => this.#fail(error));
    return this.#digest.hex();
  }

  /** Closing again does nothing. */
  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await this.#pending.catch(() => {}); // said to whoever wrote
    await this.#file.close();
  }

  #flush(): void {
    if (this.#used === 0) return;
    const buffer = this.#buffer;
    const bytes = buffer.subarray(0, this.#used);
    this.#written += bytes.length;
    this.#numPending++;
    this.#pending = this.#pending.then(async () => {
      await Promise.all([this.#digest.update(bytes), this.#file.write(bytes).catch((error: unknown) => this.#fail(error))]);
      this.#numPending--;
      this.#free.push(buffer);
    });
    this.#pending.catch(() => {}); // seen by the next write or sync
    this.#buffer = this.#free.pop() ?? new Uint8Array(BUFFER_BYTES);
    this.#used = 0;
  }

  #fail(error: unknown): never {
    throw fileError("writing", this.path, error);
  }
}
