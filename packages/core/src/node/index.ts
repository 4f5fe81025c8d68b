export { atomicWrite, type WriteChunk, writeAndSync } from "./atomicWrite.ts";
export { sha256, sha256File } from "./digest.ts";
export { disk, type DiskOperation, fileError, type FileSystem, intercept, renameDurably, type WritableFile } from "./fileSystem.ts";
export { appendLine, type LineWriter, openLines, readLines } from "./lines.ts";
export { acquireLock, type DirectoryLock } from "./lock.ts";
