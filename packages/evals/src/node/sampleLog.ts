import { DataError } from "@espalier/core";
import { disk, type FileSystem, openLines, readLines } from "@espalier/core/node";
import type { LoggedSample } from "../comparison/logged.ts";
import type { Sample } from "../evaluate.ts";
import type { KnowledgeSample } from "../knowledge/sample.ts";
import { fromLog, toLog } from "./logForm.ts";

export interface SampleLog<S = Sample> {
  /** Samples that were already in the file, by key: pass as `done`. */
  readonly done: ReadonlyMap<string, S>;
  /** Appends one line and returns once it is durable: pass as `onSample`. */
  readonly append: (sample: S) => Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens an append-only log of samples, JSON Lines. A last line torn by a crash is cut off, so that an evaluation that
 * was killed and resumed leaves the same bytes as one that was not. Numbers that JSON lacks stand as text (`-inf`): `done`
 * has them as they were.
 *
 * @throws {FileError} when the file cannot be read or written, a full disk included
 * @throws {DataError} when a line is not a sample; the file is left as it was
 */
export function openSampleLog(path: string, fileSystem: FileSystem = disk): Promise<SampleLog> {
  return openLog<Sample>(path, ["correct"], fileSystem);
}

/** The same for samples of knowledge tests. */
export function openKnowledgeLog(path: string, fileSystem: FileSystem = disk): Promise<SampleLog<KnowledgeSample>> {
  return openLog<KnowledgeSample>(path, ["scores"], fileSystem);
}

/**
 * All samples of a log of either kind, as they were in memory; none where there is no file.
 *
 * @throws {FileError} when the file cannot be read
 * @throws {DataError} when a line is not a sample
 */
export const readSampleLog = (path: string): Promise<LoggedSample[]> => readLog<LoggedSample>(path, ["correct", "scores"]);

/** @param columns of which a sample has one */
async function readLog<S extends LoggedSample>(path: string, columns: readonly string[]): Promise<S[]> {
  const lines = await readLines<Record<string, unknown> | null>(path);
  return lines.map((line, n) => {
    if (!isSample(line, columns)) throw new DataError(`sampleLog: line ${n + 1} of ${path} is not a sample. Move the file away and evaluate again.`);
    return fromLog(line as unknown as S);
  });
}

/** A hand-made or foreign line must not end in an exception without a name. */
const isSample = (line: Record<string, unknown> | null, columns: readonly string[]): boolean =>
  typeof line?.key === "string" &&
  columns.some((column) => typeof line[column] === "object" && line[column] !== null) &&
  ("requests" in line ? [line.requests, line.loglikelihoods, line.unconditional ?? []] : [line.logprobs, line.choices]).every(Array.isArray);

async function openLog<S extends LoggedSample>(path: string, columns: readonly string[], fileSystem: FileSystem): Promise<SampleLog<S>> {
  const done = new Map((await readLog<S>(path, columns)).map((sample) => [sample.key, sample]));
  const lines = await openLines(path, fileSystem);
  return {
    done,
    async append(sample) {
      await lines.append(toLog(sample));
      await lines.sync();
    },
    close: () => lines.close(),
  };
}
