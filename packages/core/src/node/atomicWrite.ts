import { dirname, basename, join } from "node:path";
import { disk, type FileSystem, fileError, renameDurably } from "./fileSystem.ts";

/** Takes the next bytes of a file; resolves when more may follow. */
export type WriteChunk = (chunk: Uint8Array | string) => Promise<void>;

type Content = Uint8Array | string | ((write: WriteChunk) => Promise<void>);

let serial = 0;

/**
 * Writes a file so that its name never holds anything but the whole old or the whole new content: a temporary name in
 * the same directory, fsync, rename, fsync of the directory (skipped on Windows). On any failure the temporary file is
 * removed and the old content stays.
 *
 * @param data the content, or a function that writes it piece by piece
 * @throws {FileError} naming the path and the reason (full disk, no permission, ...); what a writer function throws
 */
export async function atomicWrite(path: string, data: Content, fileSystem: FileSystem = disk): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.${serial++}.tmp`);
  try {
    await writeAndSync(temporary, data, fileSystem);
    await renameDurably(temporary, path, fileSystem);
  } catch (error) {
    await fileSystem.remove(temporary).catch(() => {});
    throw fileError("writing", path, error);
  }
}

/** Writes a new file and returns once its bytes are durable; its name is durable after `syncDirectory` of its folder. */
export async function writeAndSync(path: string, data: Content, fileSystem: FileSystem = disk): Promise<void> {
  const file = await fileSystem.open(path, "create");
  try {
    const write: WriteChunk = (chunk) => file.write(typeof chunk === "string" ? Buffer.from(chunk) : chunk);
    if (typeof data === "function") await data(write);
    else await write(data);
    await file.sync();
  } finally {
    await file.close();
  }
}
