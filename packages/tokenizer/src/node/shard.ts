import { readFile, stat } from "node:fs/promises";
import { basename } from "node:path";
import { DataError, FileError } from "@espalier/core";
import { atomicWrite, disk, fileError, type FileSystem, sha256, sha256File } from "@espalier/core/node";
import { AppendFile } from "./appendFile.ts";
import { IdReader } from "./writers/readTokens.ts";
import { readInUnits } from "./writers/tokenStream.ts";

const FORMAT = "espalier-tokens";
const VERSION = 2;
/** What Node reads in one piece. */
const MOST_BYTES_READ = 2 ** 31 - 1;

/**
 * What stands beside a shard, in `<shard>.json`. The shard itself is token ids back to back, unsigned 32 bits, little
 * endian (cl100k ids do not fit 16), without a header: any program can read it. `<shard>.ends` says where documents end:
 * the index behind each document's separator, unsigned 64 bits, little endian.
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
  /** Of the bytes of `<shard>.ends`. */
  endsSha256: string;
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

/** How far a shard has come; durable once `ShardWriter.checkpoint` gave it. */
export interface ShardProgress {
  numTokens: number;
  numDocuments: number;
  textBytes: number;
}

/** A shard that grows document by document in constant memory; one that was interrupted goes on from a checkpoint. */
export class ShardWriter {
  readonly #tokens: AppendFile;
  readonly #ends: AppendFile;
  readonly #origin: ShardOrigin;
  readonly #fileSystem: FileSystem;
  readonly progress: ShardProgress;

  private constructor(tokens: AppendFile, ends: AppendFile, origin: ShardOrigin, progress: ShardProgress, fileSystem: FileSystem) {
    this.#tokens = tokens;
    this.#ends = ends;
    this.#origin = origin;
    this.#fileSystem = fileSystem;
    this.progress = { ...progress };
  }

  /**
   * Begins a shard, or goes on with one; nothing when less of it is there than `from` says.
   *
   * @throws {FileError} when the path cannot be written
   */
  static async open(path: string, origin: ShardOrigin, fileSystem: FileSystem = disk, from: ShardProgress = { numTokens: 0, numDocuments: 0, textBytes: 0 }): Promise<ShardWriter | undefined> {
    await fileSystem.remove(headerPath(path)).catch((error: unknown) => {
      throw fileError("writing", path, error);
    });
    const tokens = await AppendFile.open(path, from.numTokens * 4, fileSystem);
    if (!tokens) return undefined;
    const ends = await AppendFile.open(endsPath(path), from.numDocuments * 8, fileSystem).catch(async (error: unknown) => {
      await tokens.close();
      throw error;
    });
    if (ends) return new ShardWriter(tokens, ends, origin, from, fileSystem);
    await tokens.close();
    return undefined;
  }

  async append(ids: Uint32Array, textBytes: number): Promise<void> {
    await this.appendAll(ids, [ids.length], textBytes);
  }

  /**
   * Adds documents that lie end to end.
   *
   * @param ends       of the documents, counted from the beginning of `ids`
   * @param textBytes  of all together
   */
  async appendAll(ids: Uint32Array, ends: ArrayLike<number>, textBytes: number): Promise<void> {
    await this.#tokens.write(new Uint8Array(ids.buffer, ids.byteOffset, ids.byteLength)); // every platform of Node is little endian
    const words = new Uint32Array(2 * ends.length);
    for (let i = 0; i < ends.length; i++) {
      const end = this.progress.numTokens + ends[i]!;
      words[2 * i] = end; // its low 32 bits
      words[2 * i + 1] = end / 2 ** 32;
    }
    this.progress.numTokens += ids.length;
    this.progress.numDocuments += ends.length;
    this.progress.textBytes += textBytes;
    await this.#ends.write(new Uint8Array(words.buffer));
  }

  /** Makes all that was appended before the call durable, and says how much that is; more may be appended meanwhile. */
  async checkpoint(): Promise<ShardProgress> {
    const reached = { ...this.progress };
    await Promise.all([this.#tokens.sync(), this.#ends.sync()]);
    return reached;
  }

  /** Header last: until that is there the shard does not count. */
  async finish(): Promise<ShardHeader> {
    const [sha256, endsSha256] = await Promise.all([this.#tokens.finish(), this.#ends.finish()]);
    const header: ShardHeader = { format: FORMAT, version: VERSION, ...this.progress, ...this.#origin, sha256, endsSha256 };
    await atomicWrite(headerPath(this.#tokens.path), `${JSON.stringify(header)}\n`, this.#fileSystem);
    return header;
  }

  async close(): Promise<void> {
    await Promise.all([this.#tokens.close(), this.#ends.close()]);
  }
}

/**
 * Writes a whole shard.
 *
 * @param fill adds the documents, in order
 * @throws {FileError} when the disk is full or the path cannot be written; nothing half-written stays
 */
export async function writeShard(path: string, origin: ShardOrigin, fill: (append: AppendDocument) => Promise<void>, fileSystem: FileSystem = disk): Promise<ShardHeader> {
  try {
    const writer = (await ShardWriter.open(path, origin, fileSystem))!;
    try {
      await fill((ids, textBytes) => writer.append(ids, textBytes));
      return await writer.finish();
    } finally {
      await writer.close();
    }
  } catch (error) {
    for (const partial of [`${path}.partial`, `${endsPath(path)}.partial`]) await fileSystem.remove(partial).catch(() => {});
    throw error;
  }
}

/**
 * Documents of a shard one after the other, in constant memory, each with its separator.
 *
 * @throws {FileError} when the shard is missing, truncated or of another format
 */
export async function* shardDocuments(path: string): AsyncGenerator<{ ids: Uint32Array }> {
  const { numTokens, numDocuments } = await readHeader(path);
  const reader = new IdReader(path, 4);
  let start = 0;
  let number = 0;
  for await (const chunk of readInUnits(endsPath(path), 8)) {
    for (const end of new BigUint64Array(chunk.buffer as ArrayBuffer)) {
      yield { ids: await reader.exactly(Number(end) - start) };
      start = Number(end);
      number++;
    }
  }
  if (start !== numTokens || number !== numDocuments) {
    throw new FileError(`${endsPath(path)}: ${number} documents of ${start} tokens, expected ${numDocuments} of ${numTokens}. It is truncated or foreign; tokenize the corpus again.`);
  }
}

/**
 * Index behind each document's separator `[numDocuments]`.
 *
 * @throws {FileError} when the file is missing, truncated or damaged
 */
export async function readDocumentEnds({ path, header }: Pick<Shard, "path" | "header">): Promise<Float64Array> {
  const bytes = await read(endsPath(path));
  if (bytes.length !== header.numDocuments * 8 || sha256(bytes) !== header.endsSha256) {
    throw new FileError(`${endsPath(path)}: ${bytes.length} bytes, expected ${header.numDocuments * 8} with sha256 ${header.endsSha256}. It is damaged; tokenize the corpus again.`);
  }
  return Float64Array.from(new BigUint64Array(bytes.buffer, bytes.byteOffset, header.numDocuments), Number);
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
  expectOrigin(path, header, expected);
  if (header.numTokens * 4 > MOST_BYTES_READ) throw new FileError(`${path}: ${header.numTokens * 4} bytes, expected at most ${MOST_BYTES_READ} to be read into memory. Open it on disk instead (openTokenFile, openCorpusOnDisk).`);
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

/**
 * Checks a shard of any size as `readShard` does, its document ends included, in constant memory.
 *
 * @throws what `readShard` throws
 */
export async function checkShard(path: string, expected: Partial<ShardOrigin> = {}): Promise<ShardHeader> {
  const header = await readHeader(path);
  expectOrigin(path, header, expected);
  await checkFile(path, header.numTokens * 4, header.sha256);
  await checkFile(endsPath(path), header.numDocuments * 8, header.endsSha256);
  return header;
}

async function checkFile(path: string, bytes: number, sha256: string): Promise<void> {
  const { size } = await stat(path).catch((error: unknown) => {
    throw fileError("reading", path, error);
  });
  if (size !== bytes) throw new FileError(`${path}: ${size} bytes, expected ${bytes}. It is truncated or foreign; tokenize the corpus again.`);
  const found = await sha256File(path);
  if (found !== sha256) throw new FileError(`${path}: sha256 is ${found}, expected ${sha256}. It is damaged; tokenize the corpus again.`);
}

/** @throws {DataError} when a shard was made with another tokeniser or from another source */
export function expectOrigin(path: string, header: ShardHeader, expected: Partial<ShardOrigin>): void {
  if (expected.tokenizerDigest !== undefined && header.tokenizerDigest !== expected.tokenizerDigest) {
    throw new DataError(`${path}: made with tokenizer ${header.tokenizerDigest.slice(0, 12)}, expected ${expected.tokenizerDigest.slice(0, 12)}. Tokenize the corpus again.`);
  }
  if (expected.sourceDigest !== undefined && header.sourceDigest !== expected.sourceDigest) {
    throw new DataError(`${path}: made from source ${header.sourceDigest.slice(0, 12)}, expected ${expected.sourceDigest.slice(0, 12)}. Tokenize the corpus again.`);
  }
}

const headerPath = (path: string): string => `${path}.json`;
export const endsPath = (path: string): string => `${path}.ends`;

/** Reads and checks the header of a shard; throws `FileError`. */
export async function readHeader(path: string): Promise<ShardHeader> {
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

/** Has a buffer of its own, so that arrays of wider numbers can stand over it. */
async function read(path: string): Promise<Buffer<ArrayBuffer>> {
  return await readFile(path).catch((error: unknown) => {
    throw fileError("reading", path, error);
  });
}
