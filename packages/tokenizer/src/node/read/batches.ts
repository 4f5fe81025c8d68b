import { type ContentOptions, contentOf } from "./content.ts";
import { csvRecords } from "./csv.ts";
import type { CorpusFile } from "./files.ts";
import { parquetRecords } from "./parquet.ts";
import { textRecords } from "./text.ts";
import { warcRecords } from "./warc.ts";

/** One document as a format's reader finds it. */
export interface RawRecord {
  /** Absent: the record has no text, for this reason. */
  bytes?: Uint8Array;
  malformed?: string;
  /** Line, row or record, from 1; 0 when the file is the document. */
  number: number;
  /** Hash of the text that decides the split, where it is not the record's own: of the first part of a long text. */
  splitKey?: string;
}

/** Documents of one file on their way to whoever treats them, cut the same way whatever the disk's pieces were. */
export interface Batch {
  /** Index of the file. */
  file: number;
  /** Place in the file, from 0. */
  index: number;
  /** Whole JSONL lines, or the texts of `records` end to end; the whole of a buffer of its own, to be given away, unless `BatchOptions.room` gave it. */
  bytes: Uint8Array<ArrayBuffer>;
  /** Absent for JSONL: lines are taken apart where they are treated, beside the reading. */
  records?: { end: number; number: number; splitKey?: string }[];
  /** Records that the reader itself could not use. */
  malformed: { number: number; reason: string }[];
  /** Sentences that were found to be repeated, as document of the batch, first sentence and the one behind the last, in turn. */
  repeated?: Uint32Array;
}

export interface BatchOptions extends ContentOptions {
  /** Name of the column of text in CSV and Parquet. */
  textField: string;
  /** Gives memory for the lines of a batch. Default: memory of its own for each. */
  room?: (bytes: number) => Uint8Array<ArrayBuffer>;
  /** After which a decoder that gives no rows is ended. Default one minute. */
  deadlineMs?: number;
}

/** Large enough that handing a batch to a worker costs nothing beside encoding it (10 ms). */
const BATCH_BYTES = 1 << 20;
const LF = 0x0a;

/**
 * Batches of one file, a pure function of its content.
 *
 * @throws {FileError} when the file cannot be read, is damaged or not what its name says
 */
export async function* readBatches(file: CorpusFile, fileIndex: number, options: BatchOptions): AsyncGenerator<Batch> {
  if (file.kind === "jsonl") return yield* lineBatches(file, fileIndex, options);
  const records = { text: textRecords, csv: csvRecords, parquet: parquetRecords, warc: warcRecords }[file.kind](file, options);
  let index = 0;
  let texts: Uint8Array[] = [];
  let batch: Required<Pick<Batch, "records" | "malformed">> = { records: [], malformed: [] };
  let size = 0;
  const packed = (): Batch => {
    const bytes = joined(texts, size);
    const full = { file: fileIndex, index: index++, bytes, ...batch };
    texts = [];
    batch = { records: [], malformed: [] };
    size = 0;
    return full;
  };
  for await (const { bytes, malformed, number, splitKey } of records) {
    if (bytes) {
      texts.push(bytes);
      size += bytes.length;
      batch.records.push({ end: size, number, ...(splitKey !== undefined && { splitKey }) });
    }
    if (malformed !== undefined) batch.malformed.push({ number, reason: malformed });
    if (size >= BATCH_BYTES) yield packed();
  }
  if (batch.records.length + batch.malformed.length > 0) yield packed();
}

function joined(pieces: readonly Uint8Array[], size: number, room: BatchOptions["room"] = ownRoom): Uint8Array<ArrayBuffer> {
  const bytes = room(size);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

/** Of no pool, whose buffers cannot be given away. */
const ownRoom = (bytes: number): Uint8Array<ArrayBuffer> => Buffer.allocUnsafeSlow(bytes);

/**
 * Frees a chunk's memory now: left to the collector, a compressed file's chunks make it go through the whole heap every few
 * dozen megabytes. Only where the chunk is the end of a buffer of its own: a decompressor still fills one that has room left.
 */
function release({ buffer, byteOffset, length }: Buffer): void {
  if (buffer instanceof ArrayBuffer && byteOffset + length === buffer.byteLength && length >= MIN_RELEASED_BYTES) buffer.transfer(0);
}

/** Above what Node's pools hold. */
const MIN_RELEASED_BYTES = 1 << 18;

/** Cut behind the first line end at or after `BATCH_BYTES`. */
async function* lineBatches(file: CorpusFile, fileIndex: number, options: BatchOptions): AsyncGenerator<Batch> {
  let index = 0;
  let pieces: Buffer[] = [];
  let size = 0;
  let used: Buffer[] = []; // of which no piece is needed once the batch at hand is made
  const packed = (): Batch => {
    const bytes = joined(pieces, size, options.room);
    for (const chunk of used) release(chunk);
    used = [];
    pieces = [];
    size = 0;
    return { file: fileIndex, index: index++, bytes, malformed: [] };
  };
  for await (const chunk of contentOf(file, options)) {
    let start = 0;
    while (start < chunk.length) {
      const from = start + Math.max(0, BATCH_BYTES - 1 - size);
      const end = from < chunk.length ? chunk.indexOf(LF, from) + 1 : 0;
      pieces.push(chunk.subarray(start, end || chunk.length));
      size += (end || chunk.length) - start;
      start = end || chunk.length;
      if (start === chunk.length) used.push(chunk);
      if (end) yield packed();
    }
  }
  if (size > 0) yield packed();
}
