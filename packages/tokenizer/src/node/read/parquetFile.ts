import { type FileHandle, open } from "node:fs/promises";
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from "node:zlib";
import { EspalierError, FileError } from "@espalier/core";
import { fileError } from "@espalier/core/node";
import { type AsyncBuffer, type Compressors, type FileMetaData, parquetMetadataAsync, parquetRead } from "hyparquet";
import type { CorpusFile } from "./files.ts";

/** Snappy and uncompressed pages are hyparquet's own; LZ4 is not read. */
const compressors: Compressors = {
  GZIP: (input, length) => sized(gunzipSync(input), length),
  ZSTD: (input, length) => sized(zstdDecompressSync(input), length),
  BROTLI: (input, length) => sized(brotliDecompressSync(input), length),
};

/** A Parquet file with a column of text, read by ranges of the file. */
export interface ParquetTexts {
  numRows: number;
  /** Values of the column; `null` where a row has no text. */
  texts(rowStart: number, rowEnd: number): Promise<(Uint8Array | null)[]>;
  close(): Promise<void>;
}

/**
 * Opens a file for the texts of a column. Damaged pages may keep `texts` busy for ever: call it where it can be ended.
 *
 * @throws {FileError} when the file is cut short or damaged, or has no such column of text
 */
export async function openParquetTexts(file: CorpusFile, textField: string): Promise<ParquetTexts> {
  const handle = await open(file.path, "r").catch((error: unknown) => {
    throw fileError("reading", file.path, error);
  });
  try {
    const buffer = fileBuffer(handle, file);
    const metadata = await reading(file, () => parquetMetadataAsync(buffer));
    expectTextColumn(file, metadata, textField);
    const numRows = Number(metadata.num_rows);
    if (!(numRows >= 0) || metadata.row_groups.reduce((sum, group) => sum + Number(group.num_rows), 0) !== numRows) {
      throw new FileError(`reading ${file.path}: ${numRows} rows in another number of its row groups, expected a whole Parquet file. Copy or download it again.`);
    }
    return {
      numRows,
      async texts(rowStart, rowEnd) {
        let rows: unknown[][] = [];
        await reading(file, () => parquetRead({ file: buffer, metadata, columns: [textField], rowStart, rowEnd, compressors, parsers, useOffsetIndex: true, onComplete: (all) => (rows = all) }));
        if (rows.length !== rowEnd - rowStart) throw new FileError(`reading ${file.path}: rows ${rowStart + 1} to ${rowEnd} give ${rows.length}, expected a whole Parquet file. Copy or download it again.`);
        return rows.map(([value]) => (value instanceof Uint8Array ? value : typeof value === "string" ? Buffer.from(value) : null));
      },
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/**
 * Lists of token ids in column `input_ids`, row by row.
 *
 * @throws {FileError} when the file is cut short or damaged
 */
export async function* parquetIds(path: string): AsyncGenerator<{ ids: Uint32Array }> {
  const handle = await open(path, "r").catch((error: unknown) => {
    throw fileError("reading", path, error);
  });
  try {
    const file: CorpusFile = { path, name: path, bytes: (await handle.stat()).size, kind: "parquet", compression: "none" };
    const buffer = fileBuffer(handle, file);
    const metadata = await reading(file, () => parquetMetadataAsync(buffer));
    let rowStart = 0;
    for (const { num_rows: count } of metadata.row_groups) {
      const rowEnd = rowStart + Number(count);
      let rows: unknown[][] = [];
      await reading(file, () => parquetRead({ file: buffer, metadata, columns: ["input_ids"], rowStart, rowEnd, compressors, onComplete: (all) => (rows = all) }));
      for (const [ids] of rows) yield { ids: Uint32Array.from(ids as number[]) };
      rowStart = rowEnd;
    }
  } finally {
    await handle.close();
  }
}

/** Bytes stay bytes: texts go to the encoder without becoming strings. What is not UTF-8 becomes U+FFFD later on. */
const parsers = { stringFromBytes: (bytes: Uint8Array) => bytes };

const sized = (output: Uint8Array, length: number): Uint8Array => {
  if (output.length !== length) throw new Error(`a page of ${output.length} bytes, expected ${length}`);
  return output;
};

function fileBuffer(handle: FileHandle, file: CorpusFile): AsyncBuffer {
  return {
    byteLength: file.bytes,
    async slice(start, end = file.bytes) {
      const bytes = new Uint8Array(Math.max(0, end - start));
      let at = 0;
      while (at < bytes.length) {
        const { bytesRead } = await handle.read(bytes, at, bytes.length - at, start + at);
        if (bytesRead === 0) throw new Error(`it ends at byte ${start + at}`);
        at += bytesRead;
      }
      return bytes.buffer;
    },
  };
}

async function reading<T>(file: CorpusFile, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof EspalierError) throw error;
    throw new FileError(`reading ${file.path}: ${file.bytes} bytes that are damaged, cut short or not Parquet (${(error as Error).message}), expected a whole Parquet file. Copy or download it again.`, { cause: error });
  }
}

function expectTextColumn(file: CorpusFile, { schema }: FileMetaData, textField: string): void {
  const names = schema.slice(1).filter(({ type }) => type === "BYTE_ARRAY").map(({ name }) => name);
  if (names.includes(textField)) return;
  throw new FileError(`reading ${file.path}: no column of text ${JSON.stringify(textField)}, it has ${names.join(", ") || "none"}. Name the column of text.`);
}
