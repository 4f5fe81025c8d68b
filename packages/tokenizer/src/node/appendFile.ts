import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import { fileError, type FileSystem, type WritableFile } from "@espalier/core/node";

const BUFFER_BYTES = 1 << 20;

/**
 * A file that grows under the name `<path>.partial` and gets its own in the end. What a checkpoint has made durable
 * survives a kill: `open` with its length goes on from there.
 */
export class AppendFile {
  readonly path: string;
  readonly #fileSystem: FileSystem;
  readonly #file: WritableFile;
  readonly #hash = createHash("sha256");
  #buffer = new Uint8Array(BUFFER_BYTES);
  #used = 0;
  #written = 0;
  #isOpen = true;

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
    const partial = `${path}.partial`;
    try {
      if (bytes > 0 && (await stat(partial).catch(() => ({ size: 0 }))).size < bytes) return undefined;
      const file = await fileSystem.open(partial, bytes === 0 ? "create" : "append");
      const opened = new AppendFile(path, file, fileSystem);
      try {
        if (bytes > 0) {
          await file.truncate(bytes);
          for await (const chunk of createReadStream(partial, { highWaterMark: BUFFER_BYTES }) as AsyncIterable<Buffer>) opened.#hash.update(chunk);
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

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#used + bytes.length > BUFFER_BYTES) await this.#flush();
    if (bytes.length > BUFFER_BYTES) return await this.#put(bytes);
    this.#buffer.set(bytes, this.#used);
    this.#used += bytes.length;
  }

  /** Returns once all bytes are durable. */
  async sync(): Promise<void> {
    await this.#flush();
    await this.#file.sync().catch((error: unknown) => this.#fail(error));
  }

  /** Gives the file its name; returns its sha256. */
  async finish(): Promise<string> {
    await this.sync();
    await this.close();
    await this.#fileSystem.rename(`${this.path}.partial`, this.path).catch((error: unknown) => this.#fail(error));
    await this.#fileSystem.syncDirectory(dirname(this.path)).catch((error: unknown) => this.#fail(error));
    return this.#hash.digest("hex");
  }

  /** Closing again does nothing. */
  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await this.#file.close();
  }

  async #flush(): Promise<void> {
    const used = this.#used;
    this.#used = 0;
    if (used > 0) await this.#put(this.#buffer.subarray(0, used));
  }

  async #put(bytes: Uint8Array): Promise<void> {
    this.#hash.update(bytes);
    await this.#file.write(bytes).catch((error: unknown) => this.#fail(error));
    this.#written += bytes.length;
  }

  #fail(error: unknown): never {
    throw fileError("writing", this.path, error);
  }
}
