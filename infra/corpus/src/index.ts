import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { FileError } from "@espalier/core";
import { sha256 } from "@espalier/core/node";
import { digestText, type Manifest, packageFolder } from "./manifest.ts";

/** The text that every bare machine has. */
export interface DefaultCorpus {
  /** Files in a fixed order; `name` is `package/path`, the same on every machine. */
  files: { path: string; name: string }[];
  bytes: number;
  /** Names the exact text. */
  digest: string;
  /** What it is taken from, for the report. */
  packages: { name: string; version: string; licence: string; numFiles: number; bytes: number }[];
}

/** Files read at once while checking. */
const CONCURRENT_READS = 32;

/**
 * The default corpus, every file checked against the manifest: the real text of pinned npm packages, at least 20 MB.
 *
 * @throws {FileError} naming the first file that is missing or differs from the manifest
 */
export async function defaultCorpus(): Promise<DefaultCorpus> {
  const { bytes, digest, packages } = await readManifest();
  const files = packages.flatMap(({ name, files }) =>
    files.map((file) => ({ ...file, name: `${name}/${file.path}`, path: fileURLToPath(new URL(file.path, packageFolder(name))) })),
  );
  const queue = files.values();
  const checkRest = async () => {
    for (const file of queue) await checkFile(file);
  };
  await Promise.all(Array.from({ length: CONCURRENT_READS }, checkRest));
  return {
    files: files.map(({ path, name }) => ({ path, name })),
    bytes,
    digest,
    packages: packages.map(({ name, version, licence, files }) => ({
      name,
      version,
      licence,
      numFiles: files.length,
      bytes: files.reduce((sum, file) => sum + file.bytes, 0),
    })),
  };
}

async function readManifest(): Promise<Manifest> {
  const url = new URL("../manifest.json", import.meta.url);
  const manifest = JSON.parse(await readFile(url, "utf8")) as Manifest;
  if (sha256(digestText(manifest.packages)) === manifest.digest) return manifest;
  throw new FileError(`${fileURLToPath(url)}: its files do not give its digest ${manifest.digest}. Restore it, or build it again.`);
}

/** Throws `FileError` when the file is missing or not what the manifest says. */
export async function checkFile({ path, sha256: expected }: { path: string; sha256: string }): Promise<void> {
  const content = await readFile(path).catch((cause: unknown) => {
    throw new FileError(`default corpus: ${path} is missing, expected it installed. Run \`pnpm install\`.`, { cause });
  });
  const found = sha256(content);
  if (found !== expected) {
    throw new FileError(`default corpus: ${path} has sha256 ${found}, expected ${expected}. Install the packages again, or name a corpus.`);
  }
}
