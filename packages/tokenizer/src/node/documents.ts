import { isUtf8 } from "node:buffer";
import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { pipeline, type Readable } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { FileError } from "@espalier/core";
import { fileError } from "@espalier/core/node";
import type { CorpusFile } from "./files.ts";

/** Valid UTF-8 text; `source` is `file` or `file:line`. */
export interface Document {
  bytes: Uint8Array;
  source: string;
}

export interface ReadOptions {
  /** Bytes of files as stored, read so far over all files. */
  onBytes?: (bytes: number) => void;
  /** A line of a JSONL file that is not an object with a string `text`; it is passed over. */
  onMalformed?: (source: string, reason: string) => void;
}

/** A text file is one document up to this size; longer ones are cut at a blank line before it. */
const MAX_TEXT_DOCUMENT_BYTES = 64 * 1024;
const CHUNK_BYTES = 1 << 20;
const LF = 0x0a;

/**
 * Documents of files in their order, streamed. Bytes that are not valid UTF-8 and lone surrogates become U+FFFD; a byte
 * order mark at the start of a file is dropped; text that is empty or only white space is passed over.
 *
 * JSONL: one object with a string `text` a line. Anything else is one document a file, except that files over 64 KiB
 * are cut at blank lines (or line ends, where there are none), so that a single book still splits into training and
 * validation text.
 *
 * @throws {FileError} when a file cannot be read, its compression is damaged, or it is binary
 */
export async function* readDocuments(files: readonly CorpusFile[], options: ReadOptions = {}): AsyncGenerator<Document> {
  for (const file of files) {
    const documents = file.kind === "jsonl" ? jsonlDocuments(file, options) : textDocuments(file, options);
    for await (const document of documents) if (!isBlank(document.bytes)) yield document;
  }
}

/** The file's content piece by piece, decompressed, without a byte order mark. */
async function* chunksOf(file: CorpusFile, { onBytes }: ReadOptions): AsyncGenerator<Buffer> {
  if (file.compression === "none" && file.bytes <= CHUNK_BYTES) {
    // A stream costs a millisecond a file: too much for thousands of source files.
    const content = await readFile(file.path).catch((error: unknown) => {
      throw fileError("reading", file.path, error);
    });
    onBytes?.(content.length);
    if (content.length > 0) yield withoutMark(content);
    return;
  }
  const stored = createReadStream(file.path, { highWaterMark: CHUNK_BYTES });
  if (onBytes) stored.on("data", (chunk) => onBytes(chunk.length));
  const content: Readable = decompressed(stored, file);
  let first = true;
  try {
    for await (const chunk of content as AsyncIterable<Buffer>) {
      yield first ? withoutMark(chunk) : chunk;
      first = false;
    }
  } catch (error) {
    if (error instanceof Error && "code" in error && /^(Z_|ZSTD_|ERR_)/.test(String(error.code))) {
      throw new FileError(`reading ${file.path}: the ${file.compression} data are damaged or cut short (${error.message}), expected a whole file. Copy or download it again.`, { cause: error });
    }
    throw fileError("reading", file.path, error);
  } finally {
    stored.destroy();
  }
}

function withoutMark(chunk: Buffer): Buffer {
  return chunk[0] === 0xef && chunk[1] === 0xbb && chunk[2] === 0xbf ? chunk.subarray(3) : chunk;
}

function decompressed(stored: Readable, { compression }: CorpusFile): Readable {
  if (compression === "none") return stored;
  return pipeline(stored, compression === "gzip" ? createGunzip() : createZstdDecompress(), () => {}); // errors come out of the iteration
}

async function* jsonlDocuments(file: CorpusFile, options: ReadOptions): AsyncGenerator<Document> {
  let number = 0;
  const documentOf = (line: Buffer): Document | undefined => {
    number++;
    if (isBlank(line)) return undefined;
    const source = `${file.name}:${number}`;
    try {
      const value: unknown = JSON.parse(line.toString("utf8"));
      const text = typeof value === "object" && value !== null && "text" in value ? value.text : undefined;
      if (typeof text === "string") return { bytes: Buffer.from(text), source };
      options.onMalformed?.(source, 'no string "text"');
    } catch (error) {
      options.onMalformed?.(source, `not JSON: ${(error as Error).message}`);
    }
    return undefined;
  };

  let pending: Buffer[] = []; // the start of a line that goes on in the next chunk
  for await (const chunk of chunksOf(file, options)) {
    let start = 0;
    for (let end = chunk.indexOf(LF); end >= 0; end = chunk.indexOf(LF, start)) {
      const line = chunk.subarray(start, end);
      const document = documentOf(pending.length > 0 ? Buffer.concat([...pending, line]) : line);
      if (document) yield document;
      pending = [];
      start = end + 1;
    }
    if (start < chunk.length) pending.push(chunk.subarray(start));
  }
  const document = pending.length > 0 && documentOf(Buffer.concat(pending));
  if (document) yield document;
}

async function* textDocuments(file: CorpusFile, options: ReadOptions): AsyncGenerator<Document> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of chunksOf(file, options)) {
    if (chunk.includes(0)) {
      throw new FileError(`reading ${file.path}: it holds NUL bytes, expected UTF-8 text or JSONL. Convert it to UTF-8, or leave it out.`);
    }
    rest = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
    let start = 0;
    while (rest.length - start > MAX_TEXT_DOCUMENT_BYTES) {
      const end = cutBefore(rest, start, start + MAX_TEXT_DOCUMENT_BYTES);
      yield { bytes: validUtf8(rest.subarray(start, end)), source: file.name };
      start = end;
    }
    rest = rest.subarray(start);
  }
  yield { bytes: validUtf8(rest), source: file.name };
}

/** Behind the last blank line, else the last line end, else the last whole character, before `limit`. */
function cutBefore(text: Buffer, start: number, limit: number): number {
  const blank = text.subarray(start, limit).lastIndexOf("\n\n");
  if (blank > 0) return start + blank + 2;
  const line = text.subarray(start, limit).lastIndexOf(LF);
  if (line > 0) return start + line + 1;
  let end = limit;
  while (end > limit - 4 && (text[end]! & 0xc0) === 0x80) end--;
  return end;
}

const validUtf8 = (bytes: Buffer): Uint8Array => (isUtf8(bytes) ? bytes : Buffer.from(bytes.toString("utf8")));

/** Only ASCII white space. */
function isBlank(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d));
}
