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
  /** Whole JSONL lines, or the texts of `records` end to end; in a buffer of its own, to be given away, unless `BatchOptions.room` gave it. */
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
/** Room for the line that ends a batch, before more is asked for. */
const LINE_BYTES = 1 << 17;
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

function joined(pieces: readonly Uint8Array[], size: number): Uint8Array<ArrayBuffer> {
  const bytes = ownRoom(size);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

/** Of no pool, whose buffers cannot be given away. */
const ownRoom = (bytes: number): Uint8Array<ArrayBuffer> => Buffer.allocUnsafeSlow(bytes);

/** Cut behind the first line end at or after `BATCH_BYTES`. */
async function* lineBatches(file: CorpusFile, fileIndex: number, options: BatchOptions): AsyncGenerator<Batch> {
  const roomFor = options.room ?? ownRoom;
  let index = 0;
  let room: Uint8Array<ArrayBuffer> | undefined;
  let size = 0;
  const add = (piece: Uint8Array) => {
    if (!room || room.length < size + piece.length) {
      const larger = roomFor(Math.max(BATCH_BYTES + LINE_BYTES, 2 * (size + piece.length)));
      if (room) larger.set(room.subarray(0, size));
      room = larger;
    }
    room.set(piece, size);
    size += piece.length;
  };
  const packed = (): Batch => {
    const bytes = room!.subarray(0, size);
    room = undefined;
    size = 0;
    return { file: fileIndex, index: index++, bytes, malformed: [] };
  };
  for await (const chunk of contentOf(file, { ...options, reuse: true })) {
    for (let start = 0; start < chunk.length; ) {
      const from = start + Math.max(0, BATCH_BYTES - 1 - size);
      const end = from < chunk.length ? chunk.indexOf(LF, from) + 1 : 0;
      add(chunk.subarray(start, end || chunk.length));
      start = end || chunk.length;
      if (end) yield packed();
    }
  }
  if (size > 0) yield packed();
}
