import { DataError } from "@espalier/core";
import { disk, type FileSystem, openLines, readLines } from "@espalier/core/node";
import type { Sample } from "../evaluate.ts";

export interface SampleLog {
  /** Samples that were already in the file, by key: pass as `done`. */
  readonly done: ReadonlyMap<string, Sample>;
  /** Appends one line and returns once it is durable: pass as `onSample`. */
  readonly append: (sample: Sample) => Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens an append-only log of samples, JSON Lines. A last line torn by a crash is cut off, so that an evaluation that
 * was killed and resumed leaves the same bytes as one that was not.
 *
 * @throws {FileError} when the file cannot be read or written, a full disk included
 * @throws {DataError} when a line is not a sample; the file is left as it was
 */
export async function openSampleLog(path: string, fileSystem: FileSystem = disk): Promise<SampleLog> {
  const done = new Map<string, Sample>();
  for (const [n, sample] of (await readLines<Partial<Sample> | null>(path)).entries()) {
    if (typeof sample?.key !== "string" || typeof sample.correct !== "object") {
      throw new DataError(`sampleLog: line ${n + 1} of ${path} is not a sample. Move the file away and evaluate again.`);
    }
    done.set(sample.key, sample as Sample);
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
