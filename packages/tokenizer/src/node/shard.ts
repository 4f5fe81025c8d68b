import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { DataError, FileError } from "@espalier/core";
import { atomicWrite, disk, fileError, type FileSystem, sha256 } from "@espalier/core/node";

const FORMAT = "espalier-tokens";
const VERSION = 1;
/** Tokens collected before a write. */
const BUFFER_TOKENS = 1 << 18;

/**
 * What stands beside a shard, in `<shard>.json`. The shard itself is token ids back to back, unsigned 32 bits, little
 * endian (cl100k ids do not fit 16), without a header: any program can read it.
 */
export interface ShardHeader {
  format: typeof FORMAT;
  version: typeof VERSION;
  numTokens: number;
  numDocuments: number;
  /** UTF-8 bytes of the documents, separators not counted. */
  textBytes: number;
  tokenizerDigest: string;
  /** Digest of whatever the shard was made from. */
  sourceDigest: string;
  /** Of the shard's bytes. */
  sha256: string;
  /** Index behind each document's separator, rising; the last equals `numTokens`. */
  documentEnds: number[];
}

/** A shard in memory. */
export interface Shard {
  path: string;
  header: ShardHeader;
  tokens: Uint32Array;
}

/** Adds one document: its ids with the separator, and the bytes of its text. */
export type AppendDocument = (ids: Uint32Array, textBytes: number) => Promise<void>;

export interface ShardOrigin {
  tokenizerDigest: string;
  sourceDigest: string;
}

/**
 * Writes a shard and its header, each atomically, header last: until that is there the shard does not count.
 *
 * @param fill adds the documents, in order
 * @throws {FileError} when the disk is full or the path cannot be written; nothing half-written stays
 */
export async function writeShard(
  path: string,
  { tokenizerDigest, sourceDigest }: ShardOrigin,
  fill: (append: AppendDocument) => Promise<void>,
  fileSystem: FileSystem = disk,
): Promise<ShardHeader> {
  const hash = createHash("sha256");
  const documentEnds: number[] = [];
  let numTokens = 0;
  let textBytes = 0;

  await fileSystem.remove(headerPath(path)).catch((error: unknown) => {
    throw fileError("writing", path, error);
  });
  await atomicWrite(
    path,
    async (write) => {
      const buffer = new Uint32Array(BUFFER_TOKENS);
      let buffered = 0;
      const put = async (ids: Uint32Array) => {
        const bytes = new Uint8Array(ids.buffer, ids.byteOffset, ids.byteLength); // every platform of Node is little endian
        hash.update(bytes);
        await write(bytes);
      };
      await fill(async (ids, documentBytes) => {
        if (buffered + ids.length > BUFFER_TOKENS) {
          await put(buffer.subarray(0, buffered));
          buffered = 0;
        }
        if (ids.length > BUFFER_TOKENS) await put(ids);
        else {
          buffer.set(ids, buffered);
          buffered += ids.length;
        }
        numTokens += ids.length;
        textBytes += documentBytes;
        documentEnds.push(numTokens);
      });
      await put(buffer.subarray(0, buffered));
    },
    fileSystem,
  );
  const header: ShardHeader = {
    format: FORMAT,
    version: VERSION,
    numTokens,
    numDocuments: documentEnds.length,
    textBytes,
    tokenizerDigest,
    sourceDigest,
    sha256: hash.digest("hex"),
    documentEnds,
  };
  await atomicWrite(headerPath(path), `${JSON.stringify(header)}\n`, fileSystem);
  return header;
}

/**
 * Reads a shard whole and checks it: format, length, sha256, and where it comes from.
 *
 * @param expected what the shard must have been made with; left out, anything is accepted
 * @throws {FileError} when the shard or its header is missing, of another format, truncated or damaged
 * @throws {DataError} when it was made with another tokeniser or from another source
 */
export async function readShard(path: string, expected: Partial<ShardOrigin> = {}): Promise<Shard> {
  const header = await readHeader(path);
  if (expected.tokenizerDigest !== undefined && header.tokenizerDigest !== expected.tokenizerDigest) {
    throw new DataError(`${path}: made with tokenizer ${header.tokenizerDigest.slice(0, 12)}, expected ${expected.tokenizerDigest.slice(0, 12)}. Tokenize the corpus again.`);
  }
  if (expected.sourceDigest !== undefined && header.sourceDigest !== expected.sourceDigest) {
    throw new DataError(`${path}: made from source ${header.sourceDigest.slice(0, 12)}, expected ${expected.sourceDigest.slice(0, 12)}. Tokenize the corpus again.`);
  }
  const bytes = await read(path);
  if (bytes.length !== header.numTokens * 4) {
    throw new FileError(`${path}: ${bytes.length} bytes, expected ${header.numTokens * 4} (${header.numTokens} tokens). It is truncated or foreign; tokenize the corpus again.`);
  }
  const found = sha256(bytes);
  if (found !== header.sha256) {
    throw new FileError(`${path}: sha256 is ${found}, expected ${header.sha256}. It is damaged; tokenize the corpus again.`);
  }
  return { path, header, tokens: new Uint32Array(bytes.buffer, bytes.byteOffset, header.numTokens) };
}

const headerPath = (path: string): string => `${path}.json`;

async function readHeader(path: string): Promise<ShardHeader> {
  const text = (await read(headerPath(path))).toString("utf8");
  let header: Partial<ShardHeader> | null = null;
  try {
    header = JSON.parse(text) as Partial<ShardHeader> | null;
  } catch {
    // said below
  }
  if (header?.format !== FORMAT || header.version !== VERSION || !Number.isSafeInteger(header.numTokens)) {
    throw new FileError(`${headerPath(path)}: format ${header?.format ?? "unknown"}, expected ${FORMAT} version ${VERSION}. ${basename(path)} is foreign; tokenize the corpus again.`);
  }
  return header as ShardHeader;
}

async function read(path: string): Promise<Buffer<ArrayBuffer>> {
  return await readFile(path).catch((error: unknown) => {
    throw fileError("reading", path, error);
  });
}
