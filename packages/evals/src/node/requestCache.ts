import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { DataError } from "@espalier/core";
import { disk, type FileSystem, fileError, openLines, readLines, sha256, sha256File } from "@espalier/core/node";
import type { CachedAnswer, RequestCache } from "../models/cache.ts";

/** One line of the file. JSON has no NaN and no infinities: a `logprob` that is one stands as text. */
interface CacheLine {
  key: string;
  answer: CachedAnswer | (Omit<CachedAnswer, "logprob"> & { logprob: string });
}

export interface OpenRequestCache extends RequestCache {
  /** Answers that the file held when it was opened, those of other models included. */
  readonly numRead: number;
  close(): Promise<void>;
}

/**
 * Opens an append-only file of answers, JSON Lines by the digest of model and request; several models may share it, one
 * process at a time. A last line torn by a crash is cut off: its request is asked again.
 *
 * @throws {FileError} when the file cannot be read or written, a full disk included
 * @throws {DataError} when a line is not an answer; the file is left as it was
 */
export async function openRequestCache(path: string, modelDigest: string, fileSystem: FileSystem = disk): Promise<OpenRequestCache> {
  const answers = new Map<string, CachedAnswer>();
  for (const [n, line] of (await readLines<Partial<CacheLine> | null>(path)).entries()) {
    const answer = readAnswer(line);
    if (answer === undefined) throw new DataError(`requestCache: line ${n + 1} of ${path} is not a cached answer, expected {"key", "answer"}. Move the file away; its requests are asked again.`);
    answers.set(line!.key!, answer);
  }
  const numRead = answers.size;
  const lines = await openLines(path, fileSystem);
  return {
    modelDigest,
    numRead,
    get: (key) => answers.get(key),
    async put(entries) {
      for (const [key, answer] of entries) {
        await lines.append({ key, answer: writeAnswer(answer) } satisfies CacheLine);
        answers.set(key, answer);
      }
      if (entries.length > 0) await lines.sync();
    },
    close: () => lines.close(),
  };
}

const writeAnswer = (answer: CachedAnswer): CacheLine["answer"] => ("logprob" in answer && !Number.isFinite(answer.logprob) ? { ...answer, logprob: String(answer.logprob) } : answer);

function readAnswer(line: Partial<CacheLine> | null): CachedAnswer | undefined {
  const answer = line?.answer as { logprob?: unknown; text?: unknown; numTokens?: unknown } | null | undefined;
  if (typeof line?.key !== "string" || typeof answer !== "object" || answer === null || typeof answer.numTokens !== "number") return undefined;
  if (typeof answer.text === "string") return answer as CachedAnswer;
  const logprob = typeof answer.logprob === "string" && ["NaN", "Infinity", "-Infinity"].includes(answer.logprob) ? Number(answer.logprob) : answer.logprob;
  return typeof logprob === "number" ? ({ ...answer, logprob } as CachedAnswer) : undefined;
}

/**
 * SHA-256 over names and contents of all files below a model's directory, and over `settings`: a `modelDigest` of a
 * checkpoint or a Hugging Face directory. What else decides answers (encoding, precision, a tokeniser kept elsewhere)
 * belongs in `settings`.
 *
 * @throws {FileError} when a file cannot be read
 */
export async function modelDirectoryDigest(directory: string, settings: Readonly<Record<string, string | number | boolean>> = {}): Promise<string> {
  const found = await readdir(directory, { recursive: true, withFileTypes: true }).catch((error: unknown) => {
    throw fileError("reading", directory, error);
  });
  const paths = found.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const names = paths.sort().map((path) => path.slice(directory.length).replaceAll("\\", "/").replace(/^\/+/, ""));
  const files: [name: string, digest: string][] = [];
  for (const [i, path] of paths.entries()) files.push([names[i], await sha256File(path)]);
  return sha256(JSON.stringify([Object.entries(settings).sort(), files]));
}
