import { join } from "node:path";
import { DataError } from "@espalier/core";
import { END_OF_TEXT } from "../../encodings.ts";
import type { Tokenizer } from "../../tokenizer.ts";
import { CORPUS_FILES } from "../manifest.ts";
import { type ShardHeader, type ShardOrigin, writeShard } from "../shard.ts";
import { isValidation } from "../split.ts";
import { distinctDocuments } from "./distinctDocuments.ts";
import { type ExtraDocuments, type Scan, throwIfAborted, type Work } from "./work.ts";

/** Second pass over the text: the training and the validation shard, side by side. */
export async function encodeCorpus(work: Work, tokenizer: Tokenizer, { split, documents }: Scan, origin: ShardOrigin) {
  const { directory, fileSystem } = work;
  const separator = tokenizer.specialId(END_OF_TEXT);
  let validation!: ShardHeader;
  const train = await writeShard(
    join(directory, CORPUS_FILES.train),
    origin,
    async (toTrain) => {
      validation = await writeShard(
        join(directory, CORPUS_FILES.validation),
        origin,
        async (toValidation) => {
          let number = 0;
          for await (const { bytes, position } of distinctDocuments(work, "encode corpus")) {
            const append = isValidation(split, position, number++) ? toValidation : toTrain;
            await append(withSeparator(tokenizer.encode(bytes), separator), bytes.length);
          }
        },
        fileSystem,
      );
    },
    fileSystem,
  );
  if (train.numDocuments !== documents.train || validation.numDocuments !== documents.validation) {
    throw new DataError(
      `corpus: ${train.numDocuments + validation.numDocuments} documents, expected ${documents.train + documents.validation} as in the first pass. A file changed meanwhile; run it again.`,
    );
  }
  return { train, validation };
}

/** The shard of generated documents. */
export async function encodeExtra({ directory, fileSystem, signal }: Work, extra: ExtraDocuments, tokenizer: Tokenizer, origin: ShardOrigin) {
  const separator = tokenizer.specialId(END_OF_TEXT);
  return await writeShard(
    join(directory, CORPUS_FILES.extra),
    origin,
    async (append) => {
      for (const text of extra.documents()) {
        throwIfAborted(signal);
        await append(withSeparator(tokenizer.encode(text), separator), Buffer.byteLength(text));
      }
    },
    fileSystem,
  );
}

function withSeparator(ids: Uint32Array, separator: number): Uint32Array {
  const all = new Uint32Array(ids.length + 1);
  all.set(ids);
  all[ids.length] = separator;
  return all;
}
