import { mkdirSync, statSync } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { FileError } from "../errors.ts";

/** An open file that only grows. */
export interface WritableFile {
  write(bytes: Uint8Array): Promise<void>;
  sync(): Promise<void>;
  truncate(bytes: number): Promise<void>;
  size(): Promise<number>;
  close(): Promise<void>;
}

/**
 * The few operations that change a disk. Everything that must survive a crash goes through this interface, so that a
 * test can fail, or kill the process, before any one of them (`intercept`).
 */
export interface FileSystem {
  /** `create`: new or emptied; `append`: kept, writes go to the end. */
  open(path: string, mode: "create" | "append"): Promise<WritableFile>;
  rename(from: string, to: string): Promise<void>;
  /** A file or a whole directory; nothing happens when it is absent. */
  remove(path: string): Promise<void>;
  makeDirectory(path: string): Promise<void>;
  /** Makes renames inside a directory durable. Does nothing on Windows, which cannot. */
  syncDirectory(path: string): Promise<void>;
}

/** Virus scanners and indexers hold files open for moments on Windows: `rename` retries up to 1.3 s in all. */
const RETRY_MS = [10, 30, 60, 200, 400, 600];

/** The real disk. */
export const disk: FileSystem = {
  async open(path, mode) {
    const handle = await open(path, mode === "create" ? "w" : "a");
    return {
      write: (bytes) => handle.writeFile(bytes),
      sync: () => handle.sync(),
      truncate: (bytes) => handle.truncate(bytes),
      size: async () => (await handle.stat()).size,
      close: () => handle.close(),
    };
  },
  async rename(from, to) {
    for (const waitMs of [...RETRY_MS, 0]) {
      try {
        return await rename(from, to);
      } catch (error) {
        if (waitMs === 0 || !["EPERM", "EBUSY"].includes(codeOf(error))) throw error;
        await new Promise((resolve) => setTimeout(resolve, waitMs));
      }
    }
  },
  remove: (path) => rm(path, { recursive: true, force: true }),
  makeDirectory: async (path) => makeDirectory(path),
  async syncDirectory(path) {
    if (process.platform === "win32") return;
    const handle = await open(path, "r");
    await handle.sync().finally(() => handle.close());
  },
};

/** Creates a directory and its parents, one by one: Node's own recursion never returns below /proc. */
export function makeDirectory(path: string): void {
  const isThere = () => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  if (isThere()) return;
  makeDirectory(dirname(path));
  try {
    mkdirSync(path);
  } catch (error) {
    if (!isThere()) throw error; // another process may have been first
  }
}

/** A change that is about to happen to the disk. */
export type DiskOperation = Exclude<keyof FileSystem | keyof WritableFile, "size" | "close">;

/** The same file system with `before` called ahead of every change; what it throws is what the change throws. */
export function intercept(inner: FileSystem, before: (operation: DiskOperation, path: string) => void): FileSystem {
  const watch = <T extends object>(target: T, openPath?: string): T =>
    new Proxy(target, {
      get(_, name: DiskOperation | "size" | "close") {
        const method = Reflect.get(target, name) as ((...values: string[]) => Promise<unknown>) | undefined;
        if (!method || name === "size" || name === "close") return method; // undefined: `then` of an awaited file
        return async (...values: string[]) => {
          const path = openPath ?? (name === "rename" ? values[1]! : values[0]!);
          before(name, path);
          const result = await method(...values);
          return name === "open" ? watch(result as WritableFile, path) : result;
        };
      },
    });
  return watch(inner);
}

/** Renames a file or directory and returns once the new name is durable. */
export async function renameDurably(from: string, to: string, fileSystem: FileSystem = disk): Promise<void> {
  await fileSystem.rename(from, to);
  await fileSystem.syncDirectory(dirname(to));
}

const SENTENCES: Record<string, string> = {
  ENOSPC: "the disk is full. Free some space and run the same command again; nothing was left half-written.",
  EDQUOT: "the user's share of the disk is used up. Free some space and run the same command again; nothing was left half-written.",
  EFBIG: "the file would be larger than this file system, or the limit of this shell (ulimit -f), allows. Choose another directory, or raise the limit.",
  EROFS: "the disk can only be read. Choose another directory.",
  ENOENT: "it does not exist. Check the path.",
  EEXIST: "a file stands where a directory is needed. Name another path.",
  ENOTDIR: "a file stands where a directory is needed. Name another path.",
  EISDIR: "it is a directory, expected a file. Check the path.",
  EACCES: "permission denied. Check its owner and mode.",
};

/** A `FileError` in one sentence from what Node reports; errors of Espalier pass through unchanged. */
export function fileError(action: string, path: string, cause: unknown): Error {
  const code = codeOf(cause);
  if (!code && cause instanceof Error) return cause;
  return new FileError(`${action} ${path}: ${SENTENCES[code] ?? `${code || String(cause)}. Check the disk.`}`, { cause });
}

/** The operating system's error code, or nothing for errors that do not come from it. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error) || !("syscall" in error || "errno" in error)) return "";
  return "code" in error ? String(error.code) : "";
}
