import { atomicWrite, type FileSystem } from "@espalier/core/node";
import { readFile, stat } from "node:fs/promises";
import { readInUnits, writeStreamed } from "../writers/tokenStream.ts";
import type { RepeatedSpan } from "./spanFinder.ts";

/** Sentences that go, of each document of a corpus in order; of one place after another. */
export interface RepeatedReader {
  /**
   * Those of the documents of one batch, as document, from, to in turn. Batches are asked for in their order; those left out
   * are passed over.
   */
  ofBatch(file: number, batch: number): Promise<Uint32Array | undefined>;
  /** Those of one document, as from, to in turn. Documents are asked for in their order. */
  ofDocument(file: number, batch: number, document: number): Promise<number[] | undefined>;
}

const RECORD_BYTES = 20;

/** Writes what a pass over the corpus found, in constant memory, and then, in a file beside it, what corpus it is of. */
export async function writeRepeated(path: string, spans: Iterable<RepeatedSpan>, digest: string, fileSystem: FileSystem): Promise<void> {
  const { bytes, sha256 } = await writeStreamed(path, fileSystem, async (sink) => {
    const record = new Uint32Array(RECORD_BYTES / 4);
    for (const span of spans) {
      record.set(span);
      await sink.write(new Uint8Array(record.buffer));
    }
  });
  await atomicWrite(headerPath(path), `${JSON.stringify({ digest, bytes, sha256 })}\n`, fileSystem);
}

/** Whether the file is there, whole, and of this corpus. */
export async function isRepeatedOf(path: string, digest: string): Promise<boolean> {
  try {
    const header = JSON.parse(await readFile(headerPath(path), "utf8")) as { digest?: string; bytes?: number };
    return header.digest === digest && header.bytes === (await stat(path)).size;
  } catch {
    return false; // whatever cannot be read is made again
  }
}

const headerPath = (path: string): string => `${path}.json`;

/** Opens what `writeRepeated` wrote, to be gone through once. */
export function readRepeated(path: string): RepeatedReader {
  const spans = spansOf(path);
  let head: IteratorResult<RepeatedSpan> | undefined;
  const take = async (place: readonly number[], width: number): Promise<number[] | undefined> => {
    head ??= await spans.next();
    const found: number[] = [];
    for (; !head.done; head = await spans.next()) {
      const order = compare(head.value, place);
      if (order > 0) break;
      if (order === 0) found.push(...head.value.slice(width));
    }
    return found.length > 0 ? found : undefined;
  };
  return {
    async ofBatch(file, batch) {
      const found = await take([file, batch], 2);
      return found && Uint32Array.from(found);
    },
    ofDocument: (file, batch, document) => take([file, batch, document], 3),
  };
}

async function* spansOf(path: string): AsyncGenerator<RepeatedSpan> {
  for await (const chunk of readInUnits(path, RECORD_BYTES)) {
    const words = new Uint32Array(chunk.buffer as ArrayBuffer, chunk.byteOffset, chunk.byteLength / 4);
    for (let at = 0; at < words.length; at += RECORD_BYTES / 4) yield [...words.subarray(at, at + RECORD_BYTES / 4)] as unknown as RepeatedSpan;
  }
}

function compare(span: readonly number[], place: readonly number[]): number {
  for (const [i, value] of place.entries()) if (span[i] !== value) return span[i]! - value;
  return 0;
}
