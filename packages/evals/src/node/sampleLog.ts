import { closeSync, fsyncSync, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs";
import { FileError } from "@espalier/core";
import type { Sample } from "../evaluate.ts";

export interface SampleLog {
  /** Samples that are already in the file, by key: pass as `done`. */
  readonly done: ReadonlyMap<string, Sample>;
  /** Appends one line and makes it durable: pass as `onSample`. */
  readonly append: (sample: Sample) => void;
  close(): void;
}

/**
 * Opens an append-only log of samples, JSON Lines. A last line torn by a crash is cut off, so that an evaluation that
 * was killed and resumed leaves the same bytes as one that was not.
 *
 * @throws {FileError} when the file cannot be opened, read or written, or a whole line is not a sample
 */
export function openSampleLog(path: string): SampleLog {
  const fd = attempt("open", path, () => openSync(path, "a+"));
  try {
    const text = attempt("read", path, () => readFileSync(path, "utf8"));
    const whole = text.slice(0, text.lastIndexOf("\n") + 1);
    if (whole.length < text.length) ftruncateSync(fd, Buffer.byteLength(whole));
    const done = new Map(whole.split("\n").slice(0, -1).map((line, n) => {
      const sample = parse(path, line, n + 1);
      return [sample.key, sample] as const;
    }));
    return {
      done,
      append(sample) {
        attempt("write", path, () => writeAll(fd, `${JSON.stringify(sample)}\n`));
      },
      close: () => closeSync(fd),
    };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function writeAll(fd: number, line: string): void {
  const bytes = Buffer.from(line);
  for (let written = 0; written < bytes.length; ) written += writeSync(fd, bytes, written);
  fsyncSync(fd);
}

function attempt<T>(what: string, path: string, action: () => T): T {
  try {
    return action();
  } catch (cause) {
    throw new FileError(`sampleLog: cannot ${what} ${path}: ${(cause as Error).message}. Check the path, its rights and the free space.`, { cause });
  }
}

function parse(path: string, line: string, number: number): Sample {
  try {
    const sample = JSON.parse(line) as Sample;
    if (typeof sample.key === "string" && typeof sample.correct === "object") return sample;
  } catch {
    // falls through to the sentence below
  }
  throw new FileError(`sampleLog: line ${number} of ${path} is not a sample. Move the file away and evaluate again.`);
}
