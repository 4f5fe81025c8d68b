import { DataError } from "@espalier/core";
import { disk } from "@espalier/core/node";
import { idBytes, idWidth, readInUnits, u64Bytes, withScratch, writeStreamed } from "./tokenStream.ts";
import type { TokenDocuments, WriteTokensOptions, WrittenFile } from "./types.ts";

const MAGIC = new Uint8Array([...Buffer.from("MMIDIDX"), 0, 0]);
/** `DType` codes of the index. */
const INT32 = 4;
const UINT16 = 8;
/** `DType.optimal_dtype`: 16 bits below this many ids. */
const UINT16_LIMIT = 65499;
const MAX_SEQUENCE = 2 ** 31 - 1;

/**
 * Writes `<stem>.bin` and `<stem>.idx` as Megatron-LM, GPT-NeoX and NeMo read them, one sequence a document. The lengths
 * go to a scratch file first and the index is made from it, so that memory does not grow with the number of documents.
 * The index is written last: without it the pair does not count.
 *
 * @throws {DataError} when an id does not fit the vocabulary or a document is longer than 2^31 - 1 tokens
 * @throws {FileError} when the disk is full or a path cannot be written
 * @see Megatron-LM, `megatron/core/datasets/indexed_dataset.py`
 */
export async function writeMegatron(stem: string, documents: TokenDocuments, { vocabSize, fileSystem = disk }: WriteTokensOptions): Promise<WrittenFile[]> {
  const width = idWidth(vocabSize, UINT16_LIMIT);
  return await withScratch(`${stem}.idx`, fileSystem, async (scratch) => {
    let numDocuments = 0;
    let bin!: WrittenFile;
    await writeStreamed(scratch, fileSystem, async (lengths) => {
      bin = await writeStreamed(`${stem}.bin`, fileSystem, async (tokens) => {
        for await (const { ids } of documents) {
          if (ids.length > MAX_SEQUENCE) throw new DataError(`megatron: a document of ${ids.length} tokens, expected at most ${MAX_SEQUENCE}. Split it.`);
          await tokens.write(idBytes(ids, width, vocabSize));
          await lengths.write(new Uint8Array(Int32Array.of(ids.length).buffer));
          numDocuments++;
        }
      });
    });
    const index = await writeStreamed(`${stem}.idx`, fileSystem, async (sink) => {
      await sink.write(MAGIC);
      await sink.write(u64Bytes(1));
      await sink.write(Uint8Array.of(width === 2 ? UINT16 : INT32));
      await sink.write(u64Bytes(numDocuments, numDocuments + 1));
      for await (const chunk of readInUnits(scratch, 4)) await sink.write(chunk);
      let offset = 0; // in bytes of the .bin
      for await (const chunk of readInUnits(scratch, 4)) {
        for (const length of new Int32Array(chunk.buffer)) {
          await sink.write(u64Bytes(offset));
          offset += length * width;
        }
      }
      for (let sequence = 0; sequence <= numDocuments; sequence++) await sink.write(u64Bytes(sequence));
    });
    return [bin, index];
  });
}
