import { disk, type FileSystem } from "@espalier/core/node";
import { idBytes, idWidth, readInUnits, withScratch, writeStreamed } from "./tokenStream.ts";
import type { TokenDocuments, WriteTokensOptions, WrittenFile } from "./types.ts";

const HEADER_INTS = 256;
/** Magic number and version for 16-bit ids (GPT-2) and for 32-bit ids (Llama 3). */
const GPT2 = [20240520, 1] as const;
const LLAMA3 = [20240801, 7] as const;

/**
 * Writes `<stem>_val_000000.bin`, `<stem>_train_000001.bin` and so on as llm.c and modded-nanoGPT read them: 256 header
 * integers, then ids. Shards are cut at `shardTokens` whatever the documents; the first is for validation. Ids below
 * 65536 take 16 bits; larger vocabularies take 32, which llm.c reads in `train_llama3.py` only. Its scripts begin each
 * document with the separator.
 *
 * @param options `shardTokens`: default 100 million, as in llm.c
 * @see llm.c, `dev/data/data_common.py`
 */
export async function writeLlmC(
  stem: string,
  documents: TokenDocuments,
  options: LlmCOptions,
): Promise<WrittenFile[]> {
  return await writeShards(documents, options, (number) => shardPath(stem, number));
}

/** The same with validation documents of their own: all of them in shard 0, whatever its length. */
export async function writeLlmCSplit(stem: string, { train, validation }: { train: TokenDocuments; validation: TokenDocuments }, options: LlmCOptions): Promise<WrittenFile[]> {
  return [
    ...(await writeShards(validation, { ...options, shardTokens: Infinity }, (number) => shardPath(stem, number))),
    ...(await writeShards(train, options, (number) => shardPath(stem, number + 1))),
  ];
}

type LlmCOptions = WriteTokensOptions & { shardTokens?: number };

const shardPath = (stem: string, number: number): string => `${stem}_${number === 0 ? "val" : "train"}_${String(number).padStart(6, "0")}.bin`;

async function writeShards(documents: TokenDocuments, { vocabSize, fileSystem = disk, shardTokens = 1e8 }: LlmCOptions, pathOf: (number: number) => string): Promise<WrittenFile[]> {
  const width = idWidth(vocabSize);
  const files: WrittenFile[] = [];
  const parts = cut(documents, shardTokens);
  for (let next = await parts.next(); !next.done; ) {
    const path = pathOf(files.length);
    files.push(
      await withScratch(path, fileSystem, async (scratch) => {
        let numTokens = 0;
        await writeStreamed(scratch, fileSystem, async (sink) => {
          do {
            await sink.write(idBytes(next.value!, width, vocabSize));
            numTokens += next.value!.length;
            next = await parts.next();
          } while (!next.done && numTokens < shardTokens);
        });
        return await withHeader(path, scratch, [...(width === 2 ? GPT2 : LLAMA3), numTokens], fileSystem);
      }),
    );
  }
  return files;
}

/** The header holds the number of tokens, which is known only in the end: the scratch file is copied behind it. */
async function withHeader(path: string, scratch: string, words: number[], fileSystem: FileSystem): Promise<WrittenFile> {
  const header = new Int32Array(HEADER_INTS);
  header.set(words);
  return await writeStreamed(path, fileSystem, async (sink) => {
    await sink.write(new Uint8Array(header.buffer));
    for await (const chunk of readInUnits(scratch, 2)) await sink.write(chunk);
  });
}

/** Ids of all documents in pieces that never lie across a multiple of `size`. */
async function* cut(documents: TokenDocuments, size: number): AsyncGenerator<Uint32Array, undefined> {
  let room = size;
  for await (const { ids } of documents) {
    for (let start = 0; start < ids.length; ) {
      const piece = ids.subarray(start, start + room);
      yield piece;
      start += piece.length;
      room = room === piece.length ? size : room - piece.length;
    }
  }
  return undefined;
}
