export { atomicWrite, type WriteChunk, writeAndSync } from "./atomicWrite.ts";
export { sha256, sha256File } from "./digest.ts";
export { disk, type DiskOperation, type FileSystem, intercept, type WritableFile } from "./fileSystem.ts";
export { fileError, renameDurably } from "./fileSystem.ts";
export { appendLine, type LineWriter, openLines, readLines } from "./lines.ts";
export { acquireLock, type DirectoryLock } from "./lock.ts";
