import { accessSync, constants } from "node:fs";
import { join } from "node:path";
import { LockError } from "../errors.ts";
import { fileError, makeDirectory } from "./fileSystem.ts";

/** A directory held by this process. */
export interface DirectoryLock {
  release(): void;
}

const SQLITE_BUSY = 5;

/**
 * Takes a directory for this process, or refuses at once. The lock is the operating system's (an exclusive SQLite
 * transaction on `<directory>/.lock`: fcntl locks, LockFileEx on Windows), so it ends with the process however that
 * ends, and no stale lock is left. Shared network file systems must support byte-range locks.
 *
 * @throws {LockError} when another holder, in any process, has it
 * @throws {FileError} when the directory cannot be written
 */
export function acquireLock(directory: string): DirectoryLock {
  // Looked up at run time: importing node:sqlite prints an experimental warning, and bundlers strip its prefix.
  const { DatabaseSync } = process.getBuiltinModule("node:sqlite");
  try {
    makeDirectory(directory);
    accessSync(directory, constants.W_OK); // SQLite says no more than that it cannot
    const database = new DatabaseSync(join(directory, ".lock"));
    database.exec("PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE");
    return { release: () => database.isOpen && database.close() };
  } catch (cause) {
    if (cause instanceof Error && "errcode" in cause && cause.errcode === SQLITE_BUSY) {
      throw new LockError(`${directory}: another process is working in this directory. Wait for it, or choose another.`);
    }
    throw fileError("locking", directory, cause instanceof Error && "errcode" in cause ? `${cause.message}, expected a directory to write in` : cause);
  }
}
