import { zstdCompressSync } from "node:zlib";
import { DataError } from "@espalier/core";
import { disk } from "@espalier/core/node";
import type { SchemaElement } from "hyparquet";
import { expectFits, writeStreamed } from "./tokenStream.ts";
import type { TokenDocuments, WriteTokensOptions, WrittenFile } from "./types.ts";

/** Ids of a row group, about: what is held in memory while it is encoded. */
const GROUP_TOKENS = 1 << 20;
/** What the library adds of its own to the file's description. */
const CREATED_BY = "espalier";

/** `input_ids: list<int32>`, three levels as Arrow and `datasets` name them. */
const schema: SchemaElement[] = [
  { name: "schema", num_children: 1 },
  { name: "input_ids", repetition_type: "OPTIONAL", converted_type: "LIST", num_children: 1 },
  { name: "list", repetition_type: "REPEATED", num_children: 1 },
  { name: "element", repetition_type: "OPTIONAL", type: "INT32" },
];

/**
 * `<stem>.parquet` as Hugging Face `datasets` reads it: a row a document, column `input_ids`, ids of 32 bits compressed
 * by zstd. One row group is held at a time; the footer takes some hundred bytes for each.
 *
 * @throws {DataError} when an id does not fit the vocabulary
 * @throws {FileError} when the disk is full or the path cannot be written
 * @see Apache Parquet format, `LogicalTypes.md`, lists
 */
export async function writeParquet(stem: string, documents: TokenDocuments, { vocabSize, fileSystem = disk }: WriteTokensOptions): Promise<WrittenFile[]> {
  if (vocabSize > 2 ** 31) throw new DataError(`parquet: a vocabulary of ${vocabSize}, expected at most 2^31: ids are signed. Choose another format.`);
  const { ByteWriter, ParquetWriter } = await import("hyparquet-writer"); // not at start: few encode for Parquet
  return [
    await writeStreamed(`${stem}.parquet`, fileSystem, async (sink) => {
      const bytes = new ByteWriter();
      const writer = new ParquetWriter({ writer: bytes, schema, codec: "ZSTD", compressors: { ZSTD: zstdCompressSync }, statistics: false, createdBy: CREATED_BY });
      const empty = async () => {
        await sink.write(bytes.getBytes());
        bytes.index = 0;
      };
      let rows: number[][] = [];
      let numTokens = 0;
      const flush = async () => {
        if (rows.length > 0) await writer.write({ columnData: [{ name: "input_ids", data: rows, encoding: "PLAIN", offsetIndex: false }], rowGroupSize: rows.length });
        rows = [];
        numTokens = 0;
        await empty();
      };
      for await (const { ids } of documents) {
        expectFits(ids, vocabSize);
        rows.push(Array.from(ids));
        numTokens += ids.length;
        if (numTokens >= GROUP_TOKENS || rows.length === GROUP_TOKENS) await flush();
      }
      await flush();
      await writer.finish();
      await empty();
    }),
  ];
}
