import { readFile } from "node:fs/promises";
import { FileError } from "../errors.ts";
import { disk, type FileSystem, fileError } from "./fileSystem.ts";

/** An open JSON Lines file that only grows. */
export interface LineWriter {
  /** Adds one line; durable after the next `sync`. */
  append(value: unknown): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens a JSON Lines file for appending. A last line without its newline, left by a crash, is cut off first, so that
 * the file stays one value a line. A line that cannot be written whole is taken back.
 *
 * @throws {FileError} naming the path and the reason
 */
export async function openLines(path: string, fileSystem: FileSystem = disk): Promise<LineWriter> {
  const guard = <T>(work: () => Promise<T>): Promise<T> =>
    work().catch((error: unknown) => {
      throw fileError("appending to", path, error);
    });
  return guard(async () => {
    const file = await fileSystem.open(path, "append");
    let size = 0;
    try {
      size = (await readFile(path)).lastIndexOf("\n") + 1;
      if (size < (await file.size())) await file.truncate(size);
    } catch (error) {
      await file.close();
      throw error;
    }
    return {
      append: (value) =>
        guard(async () => {
          const line = Buffer.from(`${JSON.stringify(value)}\n`);
          try {
            await file.write(line);
            size += line.byteLength;
          } catch (error) {
            await file.truncate(size).catch(() => {}); // readers drop a torn line all the same
            throw error;
          }
        }),
      sync: () => guard(() => file.sync()),
      close: () => guard(() => file.close()),
    };
  });
}

/** Adds one durable line to a JSON Lines file. */
export async function appendLine(path: string, value: unknown, fileSystem: FileSystem = disk): Promise<void> {
  const writer = await openLines(path, fileSystem);
  await writer.append(value).then(() => writer.sync()).finally(() => writer.close());
}

/**
 * Reads a JSON Lines file; a torn last line (no newline) is dropped, a missing file is empty.
 *
 * @throws {FileError} naming the first line that is not JSON
 */
export async function readLines<T>(path: string): Promise<T[]> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "";
    throw fileError("reading", path, error);
  });
  return text.split("\n").slice(0, -1).map((line, i) => {
    try {
      return JSON.parse(line) as T;
    } catch (cause) {
      throw new FileError(`${path}: line ${i + 1} is not JSON. Restore the file, or remove this line.`, { cause });
    }
  });
}
