import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { DataError } from "@espalier/core";
import { acquireLock, atomicWrite, disk, sha256 } from "@espalier/core/node";
import type { CorpusInput } from "../read/files.ts";
import { filesOf, type PublicCorpus } from "./corpora.ts";
import { type Downloaded, downloadFile, type DownloadOptions } from "./download.ts";

const RECORD = ".corpus.json"; // hidden: readers of the directory pass it over

/** What was pulled, in `<directory>/.corpus.json`: a later pull must give the same digests. */
export interface PulledCorpus {
  name: string;
  licence: string;
  homepage: string;
  textField: string;
  directory: string;
  files: (Downloaded & { name: string })[];
}

export interface PullOptions extends Omit<DownloadOptions, "sha256" | "bytes"> {
  /** How many of its files, from the first. Default: all. */
  numFiles?: number;
}

/**
 * Downloads a corpus into `<directory>/<name>`, file after file, going on where an earlier call stopped. Digests are those
 * of the list, else what the server declares, else what the first pull found.
 *
 * @throws {FileError} when a file cannot be had or has another digest than before
 * @throws {DataError} when it has no such number of files
 * @throws {LockError} when another process pulls it into the same directory
 */
export async function pullCorpus(corpus: PublicCorpus, directory: string, { numFiles, ...options }: PullOptions = {}): Promise<PulledCorpus> {
  const { name } = corpus;
  const all = filesOf(corpus);
  if (numFiles !== undefined && numFiles > all.length) throw new DataError(`${name}: ${numFiles} files asked for, expected at most ${all.length}. Ask for fewer.`);
  const target = join(directory, name);
  const lock = acquireLock(target);
  try {
    return await pullFiles(corpus, all, numFiles, target, options);
  } finally {
    lock.release();
  }
}

async function pullFiles({ name, licence, homepage, textField }: PublicCorpus, all: ReturnType<typeof filesOf>, numFiles: number | undefined, target: string, options: Omit<PullOptions, "numFiles">): Promise<PulledCorpus> {
  const names = all.map(({ url }) => nameOf(url));
  const numOf = Map.groupBy(names, (file) => file.toLowerCase()); // file systems may take one case for the other
  const before = await pulledBefore(target);
  const files: PulledCorpus["files"] = [];
  for (const [i, { url, ...expected }] of all.slice(0, numFiles).entries()) {
    const isAlone = numOf.get(names[i]!.toLowerCase())!.length === 1;
    const file = isAlone ? names[i]! : `${addressOf(url)}-${names[i]!}`;
    const known = before.find((found) => found.url === url)?.sha256;
    files.push({ name: file, ...(await downloadFile(url, join(target, file), { ...(known !== undefined && { sha256: known }), ...expected, ...options })) });
    const rest = before.filter((found) => !files.some((pulled) => pulled.url === found.url));
    const pulled: PulledCorpus = { name, licence, homepage, textField, directory: target, files: [...files, ...rest] };
    await atomicWrite(join(target, RECORD), `${JSON.stringify(pulled, null, 1)}\n`, options.fileSystem ?? disk);
  }
  return { name, licence, homepage, textField, directory: target, files };
}

async function pulledBefore(target: string): Promise<PulledCorpus["files"]> {
  try {
    return (JSON.parse(await readFile(join(target, RECORD), "utf8")) as PulledCorpus).files;
  } catch {
    return [];
  }
}

const isAddress = (input: string): boolean => /^https?:\/\//i.test(input);

/**
 * Inputs with addresses replaced by the files that they name, downloaded into `directory`. An address may end in
 * `#sha256=<hex>`, which its file must have.
 *
 * @throws {FileError} when a file cannot be had or has another digest
 * @throws {LockError} when another process downloads into the directory
 */
export async function fetchInputs(inputs: readonly CorpusInput[], directory: string, options: Omit<DownloadOptions, "sha256" | "bytes"> = {}): Promise<CorpusInput[]> {
  if (!inputs.some((input) => typeof input === "string" && isAddress(input))) return [...inputs];
  const lock = acquireLock(directory);
  try {
    return await fetchAll(inputs, directory, options);
  } finally {
    lock.release();
  }
}

async function fetchAll(inputs: readonly CorpusInput[], directory: string, options: Omit<DownloadOptions, "sha256" | "bytes">): Promise<CorpusInput[]> {
  const found: CorpusInput[] = [];
  for (const input of inputs) {
    if (typeof input !== "string" || !isAddress(input)) {
      found.push(input);
      continue;
    }
    const [url = "", fragment = ""] = input.split("#", 2);
    const digest = /^sha256=([0-9a-f]{64})$/.exec(fragment)?.[1];
    if (fragment !== "" && digest === undefined) throw new DataError(`${input}: what follows # is ${JSON.stringify(fragment)}, expected sha256= and 64 hexadecimal digits. Correct it.`);
    const path = join(directory, `${addressOf(url)}-${nameOf(url)}`);
    await downloadFile(url, path, { ...options, ...(digest !== undefined && { sha256: digest }) });
    found.push({ path, name: nameOf(url) });
  }
  return found;
}

/** Stands before the name of a file: two addresses may end alike. */
const addressOf = (url: string): string => sha256(url).slice(0, 12);

/** Last part of the path, decoded, without what a file name must not hold. */
function nameOf(url: string): string {
  const { pathname, hostname } = new URL(url);
  const last = basename(pathname);
  let name = last;
  try {
    name = decodeURIComponent(last);
  } catch {
    // taken as it is
  }
  return name.replaceAll(/[^\w.+=,-]/g, "_").replace(/^\.+/, "_") || hostname;
}
