import { FileError } from "@espalier/core";
import { MemoryPool } from "../memoryPool.ts";
import { type Batch, type BatchOptions, readBatches } from "../read/batches.ts";
import type { CorpusFile } from "../read/files.ts";

export interface ReadAllOptions {
  textField: string;
  /** A damaged file counts up to the damage; else it is an error. */
  skipDamaged: boolean;
  /** Bytes of all files as stored, read or passed over so far. */
  onBytes: (bytes: number) => void;
  /** Where the lines of a batch go. */
  room?: BatchOptions["room"];
}

/** Batches of all files from a position on; whole files before it are not read again. */
export async function* batchesFrom(
  files: readonly CorpusFile[],
  from: { file: number; batch: number },
  { textField, skipDamaged, onBytes, room }: ReadAllOptions,
): AsyncGenerator<Batch & { damaged?: string }> {
  const memory = new MemoryPool();
  let done = files.slice(0, from.file).reduce((sum, { bytes }) => sum + bytes, 0);
  for (let i = from.file; i < files.length; i++) {
    let damaged: string | undefined;
    let index = 0;
    const options = {
      textField,
      memory,
      ...(room && { room }),
      onBytes: (bytes: number) => onBytes((done += bytes)),
      ...(skipDamaged && { onDamaged: (reason: string) => void (damaged = reason) }),
    };
    try {
      for await (const batch of readBatches(files[i]!, i, options)) {
        index = batch.index + 1;
        if (i > from.file || batch.index >= from.batch) yield batch;
      }
    } catch (error) {
      if (!skipDamaged || !(error instanceof FileError)) throw error;
      damaged = error.message;
    }
    if (damaged !== undefined && (i > from.file || index >= from.batch)) yield { file: i, index, bytes: new Uint8Array(0), records: [], malformed: [], damaged };
  }
}
