import { isUtf8 } from "node:buffer";
import { FileError } from "@espalier/core";
import { documentHash } from "../split.ts";
import type { RawRecord } from "./batches.ts";
import { type ContentOptions, contentOf } from "./content.ts";
import type { CorpusFile } from "./files.ts";

/** A text file is one document up to this size; longer ones are cut at a blank line before it. */
const MAX_DOCUMENT_BYTES = 64 * 1024;
const LF = 0x0a;

/**
 * A text file: one document, or parts of at most 64 KiB cut at blank lines (at line ends, at characters where there are
 * none). All parts share the split key of the first, so that one book is never on both sides of the split.
 */
export async function* textRecords(file: CorpusFile, options: ContentOptions): AsyncGenerator<RawRecord> {
  let rest: Buffer = Buffer.alloc(0);
  let splitKey: string | undefined;
  const record = (text: Buffer, isLast: boolean): RawRecord => {
    const bytes = validUtf8(text);
    if (!isLast) splitKey ??= documentHash(bytes);
    return { bytes, number: 0, ...(splitKey !== undefined && { splitKey }) };
  };
  for await (const chunk of contentOf(file, options)) {
    if (chunk.includes(0)) {
      throw new FileError(`reading ${file.path}: it holds NUL bytes, expected UTF-8 text or JSONL. Convert it to UTF-8, or leave it out.`);
    }
    rest = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
    let start = 0;
    while (rest.length - start > MAX_DOCUMENT_BYTES) {
      const end = cutBefore(rest, start, start + MAX_DOCUMENT_BYTES);
      yield record(rest.subarray(start, end), false);
      start = end;
    }
    rest = rest.subarray(start);
  }
  yield record(rest, true);
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

/** The same bytes, or a copy in which what is not UTF-8 became U+FFFD. */
export const validUtf8 = (bytes: Buffer): Uint8Array => (isUtf8(bytes) ? bytes : Buffer.from(bytes.toString("utf8")));
