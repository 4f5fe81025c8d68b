import { isUtf8 } from "node:buffer";
import { type Batch, type BatchOptions, readBatches } from "./batches.ts";
import type { CorpusFile } from "./files.ts";
import { jsonText, MalformedLine } from "./jsonText.ts";

/** Valid UTF-8 text; `source` is `file`, or `file:` and the line, row or record. */
export interface Document {
  bytes: Uint8Array;
  source: string;
  /** Hash of the text that decides the split; absent: the document's own. Parts of one text share it. */
  splitKey?: string;
}

export interface ReadOptions {
  /** Bytes of files as stored, read since the last call. */
  onBytes?: (bytes: number) => void;
  /** A record without text, e.g. a JSONL line that is not an object with the string; it is passed over. */
  onMalformed?: (source: string, reason: string) => void;
  /** A compressed or binary file is damaged: its readable beginning counts. Absent: the damage is an error. */
  onDamaged?: (file: string, reason: string) => void;
  /** Key or column of the text in JSONL, CSV and Parquet. Default `text`. */
  textField?: string;
}

const LF = 0x0a;

/**
 * Documents of files in their order, streamed. Bytes that are not valid UTF-8 and lone surrogates become U+FFFD; a byte
 * order mark at the start of a file is dropped; text that is empty or only white space is passed over.
 *
 * JSONL: an object with a string `textField` a line. CSV, TSV and Parquet: the column of that name. WARC and WET: plain
 * text records. Anything else is one document a file, cut into parts above 64 KiB.
 *
 * @throws {FileError} when a file cannot be read, its compression is damaged, or it is not what its name says
 */
export async function* readDocuments(files: readonly CorpusFile[], options: ReadOptions = {}): AsyncGenerator<Document> {
  const textField = options.textField ?? "text";
  for (const [i, file] of files.entries()) {
    let line = 0;
    for await (const batch of readBatches(file, i, batchOptions(file, options))) {
      for (const { number, reason } of batch.malformed) options.onMalformed?.(sourceOf(file, number), reason);
      const documents = documentsOf(batch, Buffer.from(textField), (number, reason) => options.onMalformed?.(sourceOf(file, line + number), reason));
      for (let next = documents.next(); ; next = documents.next()) {
        if (next.done) {
          line += next.value;
          break;
        }
        const { bytes, number, splitKey } = next.value;
        yield { bytes, source: sourceOf(file, batch.records ? number : line + number), ...(splitKey !== undefined && { splitKey }) };
      }
    }
  }
}

export function batchOptions(file: CorpusFile, { onBytes, onDamaged, textField = "text" }: ReadOptions): BatchOptions {
  return { textField, ...(onBytes && { onBytes }), ...(onDamaged && { onDamaged: (reason: string) => onDamaged(file.name, reason) }) };
}

/** How reports name a record. */
export const sourceOf = ({ name }: CorpusFile, number: number): string => (number > 0 ? `${name}:${number}` : name);

/**
 * Texts of a batch that are not blank. Numbers of JSONL lines count from the batch's first.
 *
 * @returns the number of lines, for JSONL
 */
export function* documentsOf(
  { bytes, records }: Pick<Batch, "bytes" | "records">,
  textField: Uint8Array,
  onMalformed: (number: number, reason: string) => void,
): Generator<{ bytes: Uint8Array; number: number; splitKey?: string }, number> {
  if (records) {
    let start = 0;
    for (const { end, ...rest } of records) {
      const text = bytes.subarray(start, end);
      if (!isBlank(text)) yield { bytes: isUtf8(text) ? text : Buffer.from(Buffer.from(text).toString("utf8")), ...rest };
      start = end;
    }
    return 0;
  }
  const lines = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length); // whose `indexOf` is several times as fast
  let number = 0;
  for (let start = 0; start < lines.length; ) {
    const found = lines.indexOf(LF, start);
    const end = found < 0 ? lines.length : found;
    const line = lines.subarray(start, end);
    start = end + 1;
    number++;
    if (isBlank(line)) continue;
    let text: Uint8Array;
    try {
      text = jsonText(line, textField);
    } catch (error) {
      if (!(error instanceof MalformedLine)) throw error;
      onMalformed(number, error.message);
      continue;
    }
    if (!isBlank(text)) yield { bytes: text, number };
  }
  return number;
}

/** Only ASCII white space. */
function isBlank(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) if (!(bytes[i] === 0x20 || (bytes[i]! >= 0x09 && bytes[i]! <= 0x0d))) return false;
  return true;
}
