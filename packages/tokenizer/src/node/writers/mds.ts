import { rmdir } from "node:fs/promises";
import { join } from "node:path";
import { DataError } from "@espalier/core";
import { disk, fileError, type FileSystem } from "@espalier/core/node";
import { expectFits, writeStreamed } from "./tokenStream.ts";
import type { TokenDocuments, WriteTokensOptions, WrittenFile } from "./types.ts";

/** `size_limit` of the streaming library's writer. */
const SHARD_BYTES = 1 << 26;
/** Ids as an array of signed 32-bit numbers whose shape stands before them. */
const ENCODING = "ndarray:int32";
const MAX_SHARD = 2 ** 32 - 1;

/**
 * `<stem>/shard.00000.mds` and so on with `<stem>/index.json`, as MosaicML's streaming library reads them: a sample a
 * document, column `tokens`. One shard is held in memory at a time; the index is streamed and appears last.
 *
 * A shard is the number of samples, the place of each in the file and behind the last (all unsigned 32 bits), the
 * description as JSON, the samples. A sample is the bytes of its column, 32 bits; dimensions and width of the shape in one
 * byte; the shape; the ids.
 *
 * @param options `shardBytes`: default 64 MiB
 * @throws {DataError} when an id does not fit the vocabulary
 * @throws {FileError} when the disk is full or a path cannot be written
 * @see mosaicml-streaming, `streaming/base/format/mds/writer.py` and `encodings.py`
 */
export async function writeMds(
  stem: string,
  documents: TokenDocuments,
  { vocabSize, fileSystem = disk, shardBytes = SHARD_BYTES }: WriteTokensOptions & { shardBytes?: number },
): Promise<WrittenFile[]> {
  if (vocabSize > 2 ** 31) throw new DataError(`mds: a vocabulary of ${vocabSize}, expected at most 2^31: ids are signed. Choose another format.`);
  await fileSystem.makeDirectory(stem).catch((error: unknown) => {
    throw fileError("making", stem, error);
  });
  const config = configOf(shardBytes);
  const files: WrittenFile[] = [];
  try {
    const index = await writeStreamed(join(stem, "index.json"), fileSystem, async (sink) => {
      const put = (text: string) => sink.write(Buffer.from(text));
      await put('{"shards": [');
      for await (const samples of shardsOf(documents, vocabSize, shardBytes, Buffer.byteLength(config))) {
        const name = `shard.${String(files.length).padStart(5, "0")}.mds`;
        const file = await writeShard(join(stem, name), samples, config, fileSystem);
        await put(`${files.length > 0 ? ", " : ""}${entryOf(name, file.bytes, samples.length, shardBytes)}`);
        files.push(file);
      }
      await put('], "version": 2}');
    });
    return [...files, index];
  } catch (error) {
    for (const { path } of files) await fileSystem.remove(path).catch(() => {});
    await rmdir(stem).catch(() => {}); // unless something else is in it
    throw error;
  }
}

/** Samples of one shard after the other. A document larger than a shard has one of its own. */
async function* shardsOf(documents: TokenDocuments, vocabSize: number, shardBytes: number, configBytes: number): AsyncGenerator<Uint8Array[]> {
  const start = 8 + configBytes;
  let samples: Uint8Array[] = [];
  let size = start;
  for await (const { ids } of documents) {
    expectFits(ids, vocabSize);
    const sample = sampleOf(ids);
    if (start + sample.length + 4 > MAX_SHARD) throw new DataError(`mds: a document of ${ids.length} tokens, expected less than 2^30. Split it.`);
    if (samples.length > 0 && size + sample.length + 4 > shardBytes) {
      yield samples;
      samples = [];
      size = start;
    }
    samples.push(sample);
    size += sample.length + 4;
  }
  if (samples.length > 0) yield samples;
}

function sampleOf(ids: Uint32Array): Uint8Array {
  const width = ids.length < 2 ** 8 ? 0 : ids.length < 2 ** 16 ? 1 : 2; // of the shape: 1, 2 or 4 bytes
  const shapeBytes = 1 << width;
  const sample = Buffer.alloc(4 + 1 + shapeBytes + ids.byteLength);
  sample.writeUInt32LE(sample.length - 4, 0);
  sample.writeUInt8((1 << 2) | width, 4); // one dimension
  sample.writeUIntLE(ids.length, 5, shapeBytes);
  sample.set(new Uint8Array(ids.buffer, ids.byteOffset, ids.byteLength), 5 + shapeBytes);
  return sample;
}

async function writeShard(path: string, samples: readonly Uint8Array[], config: string, fileSystem: FileSystem): Promise<WrittenFile> {
  return await writeStreamed(path, fileSystem, async (sink) => {
    const head = new Uint32Array(samples.length + 2);
    head[0] = samples.length;
    head[1] = head.byteLength + Buffer.byteLength(config);
    for (const [i, { length }] of samples.entries()) head[i + 2] = head[i + 1]! + length;
    await sink.write(new Uint8Array(head.buffer));
    await sink.write(Buffer.from(config));
    for (const sample of samples) await sink.write(sample);
  });
}

/** The fields that shard and index share, with sorted keys as the library writes them. */
const columns = { column_encodings: [ENCODING], column_names: ["tokens"], column_sizes: [null], compression: null, format: "mds", hashes: [] };

const configOf = (shardBytes: number): string => JSON.stringify({ ...columns, size_limit: shardBytes, version: 2 });

const entryOf = (basename: string, bytes: number, samples: number, shardBytes: number): string =>
  JSON.stringify({ ...columns, raw_data: { basename, bytes, hashes: {} }, samples, size_limit: shardBytes, version: 2, zip_data: null });
