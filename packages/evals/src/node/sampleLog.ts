import { DataError } from "@espalier/core";
import { disk, type FileSystem, openLines, readLines } from "@espalier/core/node";
import type { Sample } from "../evaluate.ts";
import type { KnowledgeSample } from "../knowledge/sample.ts";

export interface SampleLog<S = Sample> {
  /** Samples that were already in the file, by key: pass as `done`. */
  readonly done: ReadonlyMap<string, S>;
  /** Appends one line and returns once it is durable: pass as `onSample`. */
  readonly append: (sample: S) => Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens an append-only log of samples, JSON Lines. A last line torn by a crash is cut off, so that an evaluation that
 * was killed and resumed leaves the same bytes as one that was not.
 *
 * @throws {FileError} when the file cannot be read or written, a full disk included
 * @throws {DataError} when a line is not a sample; the file is left as it was
 */
export function openSampleLog(path: string, fileSystem: FileSystem = disk): Promise<SampleLog> {
  return openLog<Sample>(path, "correct", fileSystem);
}

/** The same for samples of knowledge tests. */
export function openKnowledgeLog(path: string, fileSystem: FileSystem = disk): Promise<SampleLog<KnowledgeSample>> {
  return openLog<KnowledgeSample>(path, "scores", fileSystem);
}

async function openLog<S extends { key: string }>(path: string, column: keyof S, fileSystem: FileSystem): Promise<SampleLog<S>> {
  const done = new Map<string, S>();
  for (const [n, sample] of (await readLines<Partial<S> | null>(path)).entries()) {
    if (typeof sample?.key !== "string" || typeof sample[column] !== "object") {
      throw new DataError(`sampleLog: line ${n + 1} of ${path} is not a sample. Move the file away and evaluate again.`);
    }
    done.set(sample.key, sample as S);
  }
  const lines = await openLines(path, fileSystem);
  return {
    done,
    async append(sample) {
      await lines.append(sample);
      await lines.sync();
    },
    close: () => lines.close(),
  };
}
