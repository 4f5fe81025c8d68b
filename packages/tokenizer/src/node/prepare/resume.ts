import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileError, type FileSystem } from "@espalier/core/node";
import { readTokenizerJson } from "../../formats/json.ts";
import type { Tokenizer } from "../../tokenizer.ts";
import { CORPUS_FILES, type CorpusManifest, readManifest } from "../manifest.ts";
import { checkShard, endsPath, type ShardHeader, type ShardOrigin } from "../shard.ts";
import { readJson } from "./documentLog.ts";
import type { ExtraDocuments, Scan, Work } from "./work.ts";

// Whatever cannot be read here, for whatever reason, is made again: nothing in this file is an error.

/** The manifest when the directory holds all that the digest names, whole. */
export async function finishedCorpus(directory: string, digest: string, extra: ExtraDocuments | undefined): Promise<CorpusManifest | undefined> {
  const manifest = await readManifest(directory).catch(() => undefined);
  if (manifest?.digest !== digest) return undefined;
  const origin = { tokenizerDigest: manifest.tokenizer.digest, sourceDigest: digest };
  if (!(await finishedTokenizer(directory, manifest.tokenizer.digest)) || !(await finishedShards(directory, origin))) return undefined;
  if (extra && !(await finishedShard(join(directory, CORPUS_FILES.extra), origin))) return undefined;
  return manifest;
}

/** The training of an interrupted call with the same inputs and options. */
export async function finishedScan({ directory, digest }: Work): Promise<{ scan: Scan; tokenizer: Tokenizer } | undefined> {
  try {
    const scan = JSON.parse(await readFile(join(directory, CORPUS_FILES.progress), "utf8")) as Scan;
    if (scan.digest !== digest) return undefined;
    const tokenizer = await finishedTokenizer(directory, scan.tokenizerDigest);
    return tokenizer && { scan, tokenizer };
  } catch {
    return undefined;
  }
}

/** Both text shards, or neither: they are written together. */
export async function finishedShards(directory: string, origin: ShardOrigin) {
  const train = await finishedShard(join(directory, CORPUS_FILES.train), origin);
  const validation = await finishedShard(join(directory, CORPUS_FILES.validation), origin);
  return train && validation && { train, validation };
}

export async function finishedShard(path: string, origin: ShardOrigin): Promise<ShardHeader | undefined> {
  try {
    return await checkShard(path, origin);
  } catch {
    return undefined;
  }
}

async function finishedTokenizer(directory: string, digest: string): Promise<Tokenizer | undefined> {
  const path = join(directory, CORPUS_FILES.tokenizer);
  try {
    const tokenizer = readTokenizerJson(await readFile(path, "utf8"), path);
    return tokenizer.digest === digest ? tokenizer : undefined;
  } catch {
    return undefined;
  }
}

/** Removes what a finished corpus does not need: the stored scan, and temporary files of calls that were killed. */
export async function removeLeftovers(directory: string, fileSystem: FileSystem): Promise<void> {
  for (const name of await readdir(directory)) {
    const isLeft = name === CORPUS_FILES.progress || name === CORPUS_FILES.checkpoint || name.startsWith(CORPUS_FILES.repeated) || name.endsWith(".partial") || /^\..+\.\d+\.\d+\.tmp$/.test(name);
    if (!isLeft) continue;
    await fileSystem.remove(join(directory, name)).catch((error: unknown) => {
      throw fileError("removing", join(directory, name), error);
    });
  }
}

/**
 * After a failure: removes what no checkpoint reaches. A later call begins anew without it, and a disk that is full has its
 * room back. What a checkpoint reaches stays, to go on from.
 */
export async function removeUnreached({ directory, digest, fileSystem }: Pick<Work, "directory" | "digest" | "fileSystem">): Promise<void> {
  const isOurs = async (name: string) => (await readJson<{ digest: string }>(join(directory, name)).catch(() => undefined))?.digest === digest;
  if (await isOurs(CORPUS_FILES.checkpoint)) return;
  const isKept = (await isOurs(CORPUS_FILES.progress)) || (await readManifest(directory).catch(() => undefined)) !== undefined;
  await removePartialShards(directory, fileSystem);
  for (const name of [`${CORPUS_FILES.documents}.partial`, ...(isKept ? [] : [CORPUS_FILES.tokenizer])]) await fileSystem.remove(join(directory, name)).catch(() => {});
}

/** Removes unfinished shards; what made the call fail is what is to be said, not what fails here. */
export async function removePartialShards(directory: string, fileSystem: FileSystem): Promise<void> {
  for (const shard of [CORPUS_FILES.train, CORPUS_FILES.validation]) {
    for (const path of [shard, endsPath(shard)]) await fileSystem.remove(join(directory, `${path}.partial`)).catch(() => {});
  }
}
