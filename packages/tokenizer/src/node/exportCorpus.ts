import { readFile, stat } from "node:fs/promises";
import { join, relative } from "node:path";
import { CancelledError, DataError, type Progress, silent } from "@espalier/core";
import { acquireLock, atomicWrite, disk, fileError, type FileSystem, sha256File } from "@espalier/core/node";
import { CORPUS_FILES, type CorpusManifest, readManifest } from "./manifest.ts";
import { shardDocuments } from "./shard.ts";
import { writeLlmCSplit } from "./writers/llmC.ts";
import type { TokenDocument, TokenDocuments, WrittenFile } from "./writers/types.ts";
import { type TokenFormat, writeTokens } from "./writers/writeTokens.ts";

/** Formats whose trainers begin documents with the separator instead of ending them with it. */
const SEPARATOR_FIRST: ReadonlySet<TokenFormat> = new Set<TokenFormat>(["llm.c"]);
/** Documents between two reports. */
const REPORT_EVERY = 1000;
const LIST = "files.json";

/** What stands in `<corpus>/<format>/files.json`, written last. */
export interface ExportedCorpus {
  format: TokenFormat;
  /** Of the corpus: another one is written again. */
  digest: string;
  files: { name: string; bytes: number; sha256: string }[];
}

export interface ExportCorpusOptions {
  /** Task `write <format>`, unit `tokens`. */
  progress?: Progress;
  signal?: AbortSignal;
  fileSystem?: FileSystem;
}

/**
 * Writes a prepared corpus for another trainer into `<directory>/<format>`: `train` and `validation`, each with the
 * endings of the format, streamed. What is there already, whole, stays.
 *
 * llm.c gets the validation shard as its `val` file, and documents that begin with the separator.
 *
 * @throws {FileError} when the corpus is damaged or the disk is full
 * @throws {LockError} when another process is at work in the directory
 * @throws {DataError} when the corpus is one slice: copies across slices are found when they are joined
 */
export async function exportCorpus(directory: string, format: TokenFormat, options: ExportCorpusOptions = {}): Promise<ExportedCorpus> {
  const manifest = await readManifest(directory);
  const lock = acquireLock(directory);
  try {
    return await exportLocked(directory, manifest, format, options);
  } finally {
    lock.release();
  }
}

async function exportLocked(directory: string, manifest: CorpusManifest, format: TokenFormat, { progress = silent, signal, fileSystem = disk }: ExportCorpusOptions): Promise<ExportedCorpus> {
  if (manifest.slice) throw new DataError(`${directory}: slice ${manifest.slice.index + 1}/${manifest.slice.count} of a corpus, expected a whole one. Join the slices first.`);
  const target = join(directory, format);
  const finished = await finishedExport(target, manifest);
  if (finished) return finished;
  await fileSystem.makeDirectory(target).catch((error: unknown) => {
    throw fileError("making", target, error);
  });

  const total = manifest.train.numTokens + manifest.validation.numTokens;
  const count = { tokens: 0, documents: 0 };
  const documentsOf = async function* (file: string): AsyncGenerator<TokenDocument> {
    for await (const { ids } of shardDocuments(join(directory, file))) {
      count.tokens += ids.length;
      if (++count.documents % REPORT_EVERY === 0) {
        if (signal?.aborted) throw new CancelledError(`write ${format}: stopped. Start it again: it begins anew.`);
        progress({ task: `write ${format}`, done: count.tokens, total, unit: "tokens", detail: `${count.documents} documents` });
      }
      yield { ids: SEPARATOR_FIRST.has(format) ? separatorFirst(ids) : ids };
    }
  };
  const { vocabSize } = manifest.tokenizer;
  const [train, validation] = [documentsOf(CORPUS_FILES.train), documentsOf(CORPUS_FILES.validation)];
  const written = await writeBoth(format, target, { train, validation }, { vocabSize, fileSystem });
  progress({ task: `write ${format}`, done: total, total, unit: "tokens", detail: `${count.documents} documents` });
  const exported: ExportedCorpus = { format, digest: manifest.digest, files: written.map(({ path, ...rest }) => ({ name: relative(target, path).replaceAll("\\", "/"), ...rest })) };
  await atomicWrite(join(target, LIST), `${JSON.stringify(exported, null, 1)}\n`, fileSystem);
  return exported;
}

async function writeBoth(
  format: TokenFormat,
  target: string,
  { train, validation }: { train: TokenDocuments; validation: TokenDocuments },
  options: { vocabSize: number; fileSystem: FileSystem },
): Promise<WrittenFile[]> {
  if (format === "llm.c") return await writeLlmCSplit(join(target, "corpus"), { train, validation }, options);
  return [...(await writeTokens(format, join(target, "train"), train, options)), ...(await writeTokens(format, join(target, "validation"), validation, options))];
}

/** The list when every file that it names is there with its digest. */
async function finishedExport(target: string, { digest }: CorpusManifest): Promise<ExportedCorpus | undefined> {
  try {
    const exported = JSON.parse(await readFile(join(target, LIST), "utf8")) as ExportedCorpus;
    if (exported.digest !== digest) return undefined;
    for (const { name, bytes, sha256 } of exported.files) {
      const path = join(target, name);
      if ((await stat(path)).size !== bytes || (await sha256File(path)) !== sha256) return undefined;
    }
    return exported;
  } catch {
    return undefined; // whatever cannot be read is written again
  }
}

/** The document with its last id, the separator, in front. */
function separatorFirst(ids: Uint32Array): Uint32Array {
  const out = new Uint32Array(ids.length);
  out.set(ids.subarray(0, -1), 1);
  out[0] = ids.at(-1)!;
  return out;
}
