import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { CancelledError, ConfigError, DataError, type Progress, silent } from "@espalier/core";
import { atomicWrite, disk, fileError, type FileSystem, sha256, sha256File } from "@espalier/core/node";
import { END_OF_TEXT } from "../cl100k.ts";
import { readTokenizerJson, writeTokenizerJson } from "../formats/json.ts";
import type { Tokenizer } from "../tokenizer.ts";
import { createPieceCounts, type PieceCounts } from "../train/pieceCounts.ts";
import { trainTokenizer } from "../train/trainTokenizer.ts";
import { type Document, readDocuments } from "./documents.ts";
import { type CorpusFile, type CorpusInput, listCorpusFiles } from "./files.ts";
import {
  CORPUS_FILES,
  type CorpusManifest,
  type DocumentCounts,
  MANIFEST_FORMAT,
  MANIFEST_VERSION,
  type MalformedLine,
  readManifest,
  type ShardSummary,
} from "./manifest.ts";
import { readShard, type ShardHeader, type ShardOrigin, writeShard } from "./shard.ts";
import { documentHash, splitPosition } from "./split.ts";

/** Documents made by a program, to be mixed into training. They are neither split nor searched for copies. */
export interface ExtraDocuments {
  name: string;
  /** Changes whenever the documents would: e.g. a hash of the generator's name, version, seed and count. */
  digest: string;
  /** Called up to twice; must give the same documents each time. */
  documents: () => Iterable<string>;
}

export interface PrepareCorpusOptions {
  inputs: readonly CorpusInput[];
  /** Made when absent. */
  directory: string;
  /** A vocabulary to train on the training documents, or a finished tokeniser with a `<|endoftext|>` token. */
  tokenizer: { vocabSize: number; minFrequency?: number } | Tokenizer;
  /** Share of documents held back for validation, by hash. Default 0.02. */
  validationShare?: number;
  extra?: ExtraDocuments;
  /** Tasks `read corpus` (bytes), `train tokenizer` (tokens), `encode corpus` (bytes). */
  progress?: Progress;
  signal?: AbortSignal;
  fileSystem?: FileSystem;
}

/** What is known once the tokeniser is there. */
interface Scan {
  digest: string;
  tokenizerDigest: string;
  documents: DocumentCounts;
  malformedLines: MalformedLine[];
  validationBelow: number;
}

/** Part of the digest: raise it when the same inputs would give other shards. */
const PIPELINE_VERSION = 1;
const MALFORMED_SHOWN = 10;

/**
 * From text to token shards: read, drop exact copies, split into training and validation documents by hash, train the
 * tokeniser on the training documents, encode each document followed by a separator, write shards and a manifest.
 *
 * Memory holds hashes and piece counts, never the corpus. Everything is written atomically; called again after a crash
 * with the same inputs and options, it takes up what is finished and makes the rest. Pure JavaScript: it can run in a
 * process of its own beside other work.
 *
 * @returns the manifest, as written to `manifest.json`; `openCorpus` loads it all
 * @throws {FileError} when an input is missing, unreadable or damaged, or the disk is full
 * @throws {DataError} when there is no text, or too little to split
 * @throws {ConfigError} when an option is out of range
 * @throws {CancelledError} when `signal` aborts
 */
export async function prepareCorpus(options: PrepareCorpusOptions): Promise<CorpusManifest> {
  const { directory, extra, validationShare = 0.02, fileSystem = disk, signal } = options;
  if (!(validationShare > 0 && validationShare < 1)) {
    throw new ConfigError(`prepareCorpus: validationShare is ${validationShare}, expected between 0 and 1. Use 0.02, for example.`);
  }
  if (options.inputs.length === 0) throw new DataError("prepareCorpus: no inputs, expected at least one file or directory. Name a corpus.");
  const files = await listCorpusFiles(options.inputs);
  const inputs = await digestInputs(files);
  const digest = digestOf(options, validationShare, inputs);

  const finished = await reusable(directory, digest, extra);
  if (finished) return finished;
  await mkdir(directory, { recursive: true }).catch((error: unknown) => {
    throw fileError("making", directory, error);
  });
  await removeLeftovers(directory, fileSystem);

  const work: Work = { ...options, validationShare, fileSystem, files, digest, progress: options.progress ?? silent };
  const { scan, tokenizer } = (await resumedScan(work)) ?? (await scanAndTrain(work));
  const origin = { tokenizerDigest: tokenizer.digest, sourceDigest: digest };
  const { train, validation } = (await finishedShards(directory, origin)) ?? (await encodeCorpus(work, tokenizer, scan, origin));
  const extraHeader = extra && ((await finishedShard(join(directory, CORPUS_FILES.extra), origin)) ?? (await encodeExtra(work, extra, tokenizer, origin)));
  throwIfAborted(signal);

  const manifest: CorpusManifest = {
    format: MANIFEST_FORMAT,
    version: MANIFEST_VERSION,
    digest,
    inputs,
    documents: scan.documents,
    malformedLines: scan.malformedLines,
    validationBelow: scan.validationBelow,
    tokenizer: { name: tokenizer.name, vocabSize: tokenizer.vocabSize, digest: tokenizer.digest, file: CORPUS_FILES.tokenizer },
    train: summary(CORPUS_FILES.train, train),
    validation: summary(CORPUS_FILES.validation, validation),
    ...(extra && extraHeader && { extra: { name: extra.name, digest: extra.digest, ...summary(CORPUS_FILES.extra, extraHeader) } }),
  };
  await atomicWrite(join(directory, CORPUS_FILES.manifest), `${JSON.stringify(manifest, null, 1)}\n`, fileSystem);
  await fileSystem.remove(join(directory, CORPUS_FILES.progress));
  return manifest;
}

/** Temporary files of a call that was killed while writing. */
async function removeLeftovers(directory: string, fileSystem: FileSystem): Promise<void> {
  for (const name of await readdir(directory)) {
    if (/^\..+\.\d+\.\d+\.tmp$/.test(name)) await fileSystem.remove(join(directory, name));
  }
}

interface Work extends PrepareCorpusOptions {
  validationShare: number;
  fileSystem: FileSystem;
  progress: Progress;
  files: CorpusFile[];
  digest: string;
}

/** Files hashed at once: they are many and small, or few and large. */
const CONCURRENT_HASHES = 8;

/** Smaller files are read whole: a stream costs half a millisecond, and source trees hold thousands of files. */
const STREAMED_BYTES = 1 << 20;

async function digestInputs(files: readonly CorpusFile[]): Promise<CorpusManifest["inputs"]> {
  const inputs: CorpusManifest["inputs"] = [];
  const queue = files.entries();
  const hashRest = async () => {
    for (const [i, { path, name, bytes }] of queue) {
      inputs[i] = { name, bytes, sha256: bytes <= STREAMED_BYTES ? sha256(await readWhole(path)) : await sha256File(path) };
    }
  };
  await Promise.all(Array.from({ length: CONCURRENT_HASHES }, hashRest));
  return inputs;
}

async function readWhole(path: string): Promise<Uint8Array> {
  return await readFile(path).catch((error: unknown) => {
    throw fileError("reading corpus", path, error);
  });
}

function digestOf({ tokenizer, extra }: PrepareCorpusOptions, validationShare: number, inputs: CorpusManifest["inputs"]): string {
  const vocabulary = "encode" in tokenizer ? tokenizer.digest : [tokenizer.vocabSize, tokenizer.minFrequency ?? null];
  return sha256(JSON.stringify([PIPELINE_VERSION, inputs, vocabulary, validationShare, extra ? [extra.name, extra.digest] : null]));
}

/** First pass: copies, split, piece counts; then the vocabulary. */
async function scanAndTrain(work: Work): Promise<{ scan: Scan; tokenizer: Tokenizer }> {
  const { directory, digest, fileSystem, extra, tokenizer: wanted, progress } = work;
  const counts = "encode" in wanted ? undefined : createPieceCounts();
  let { documents, malformedLines, lowest } = await scanDocuments(work, counts, work.validationShare);
  let validationBelow = work.validationShare;
  let counted = counts;
  if (documents.validation === 0 && documents.train > 1) {
    // So few documents that none fell below the share: the one with the lowest position becomes the validation text.
    validationBelow = lowest + Number.EPSILON;
    counted = counts && createPieceCounts();
    ({ documents, malformedLines } = await scanDocuments(work, counted, validationBelow));
  }
  expectBothSides(work, documents, malformedLines);
  if (counted) for (const text of extra?.documents() ?? []) counted.add(Buffer.from(text));
  const tokenizer = "encode" in wanted ? wanted : trainTokenizer(counted!, { ...wanted, progress });
  tokenizer.specialId(END_OF_TEXT); // refuses a vocabulary without a separator before anything is written

  const scan: Scan = { digest, tokenizerDigest: tokenizer.digest, documents, malformedLines, validationBelow };
  await atomicWrite(join(directory, CORPUS_FILES.tokenizer), writeTokenizerJson(tokenizer), fileSystem);
  await atomicWrite(join(directory, CORPUS_FILES.progress), `${JSON.stringify(scan)}\n`, fileSystem);
  return { scan, tokenizer };
}

async function scanDocuments(work: Work, counts: PieceCounts | undefined, validationBelow: number) {
  const documents: DocumentCounts = { read: 0, duplicates: 0, malformed: 0, train: 0, validation: 0 };
  const malformedLines: MalformedLine[] = [];
  let lowest = 1;
  const onMalformed = (source: string, reason: string) => {
    documents.malformed++;
    if (malformedLines.length < MALFORMED_SHOWN) malformedLines.push({ source, reason });
  };
  for await (const { bytes, position } of distinctDocuments(work, "read corpus", { onMalformed, onRead: () => documents.read++ })) {
    lowest = Math.min(lowest, position);
    if (position < validationBelow) documents.validation++;
    else {
      documents.train++;
      counts?.add(bytes);
    }
  }
  documents.duplicates = documents.read - documents.train - documents.validation;
  return { documents, malformedLines, lowest };
}

function expectBothSides({ files }: Work, { train, validation, malformed }: DocumentCounts, [first]: MalformedLine[]): void {
  if (train > 0 && validation > 0) return;
  const names = files.length === 1 ? files[0]!.path : `${files.length} files`;
  const skipped = first ? ` (${malformed} malformed lines, the first ${first.source}: ${first.reason})` : "";
  if (train + validation === 0) {
    throw new DataError(`corpus: no text in ${names}${skipped}, expected documents. Name files with text, or JSONL lines with a string "text".`);
  }
  throw new DataError(
    `corpus: ${train} training and ${validation} validation documents in ${names}${skipped}, expected some of both. Give more documents or another validation share.`,
  );
}

/** Second pass: the shards of training and validation text, side by side. */
async function encodeCorpus(work: Work, tokenizer: Tokenizer, { validationBelow, documents }: Scan, origin: ShardOrigin) {
  const { directory, fileSystem } = work;
  const separator = tokenizer.specialId(END_OF_TEXT);
  let validation!: ShardHeader;
  const train = await writeShard(
    join(directory, CORPUS_FILES.train),
    origin,
    async (toTrain) => {
      validation = await writeShard(
        join(directory, CORPUS_FILES.validation),
        origin,
        async (toValidation) => {
          for await (const { bytes, position } of distinctDocuments(work, "encode corpus", {})) {
            const append = position < validationBelow ? toValidation : toTrain;
            await append(withSeparator(tokenizer.encode(bytes), separator), bytes.length);
          }
        },
        fileSystem,
      );
    },
    fileSystem,
  );
  if (train.numDocuments !== documents.train || validation.numDocuments !== documents.validation) {
    throw new DataError(
      `corpus: ${train.numDocuments + validation.numDocuments} documents, expected ${documents.train + documents.validation} as in the first pass. A file changed meanwhile; run it again.`,
    );
  }
  return { train, validation };
}

async function encodeExtra({ directory, fileSystem, signal }: Work, extra: ExtraDocuments, tokenizer: Tokenizer, origin: ShardOrigin) {
  const separator = tokenizer.specialId(END_OF_TEXT);
  return await writeShard(
    join(directory, CORPUS_FILES.extra),
    origin,
    async (append) => {
      for (const text of extra.documents()) {
        throwIfAborted(signal);
        await append(withSeparator(tokenizer.encode(text), separator), Buffer.byteLength(text));
      }
    },
    fileSystem,
  );
}

interface DistinctOptions {
  onRead?: () => void;
  onMalformed?: (source: string, reason: string) => void;
}

/** Documents without the exact copies of earlier ones, each with its place in the split. */
async function* distinctDocuments(
  { files, progress, signal }: Work,
  task: string,
  { onRead, onMalformed }: DistinctOptions,
): AsyncGenerator<Document & { position: number }> {
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const seen = new Set<string>();
  let done = 0;
  const onBytes = (bytes: number) => progress({ task, done: (done += bytes), total, unit: "bytes" });
  for await (const document of readDocuments(files, { onBytes, ...(onMalformed && { onMalformed }) })) {
    throwIfAborted(signal);
    onRead?.();
    const hash = documentHash(document.bytes);
    if (seen.has(hash)) continue;
    seen.add(hash);
    yield { ...document, position: splitPosition(hash) };
  }
}

async function reusable(directory: string, digest: string, extra: ExtraDocuments | undefined): Promise<CorpusManifest | undefined> {
  const manifest = await readManifest(directory).catch(() => undefined); // absent or foreign: made again
  if (manifest?.digest !== digest) return undefined;
  const origin = { tokenizerDigest: manifest.tokenizer.digest, sourceDigest: digest };
  if (!(await readTokenizer(directory, manifest.tokenizer.digest)) || !(await finishedShards(directory, origin))) return undefined;
  if (extra && !(await finishedShard(join(directory, CORPUS_FILES.extra), origin))) return undefined;
  return manifest;
}

/** The first pass of an interrupted call with the same inputs and options. */
async function resumedScan({ directory, digest }: Work): Promise<{ scan: Scan; tokenizer: Tokenizer } | undefined> {
  try {
    const scan = JSON.parse(await readFile(join(directory, CORPUS_FILES.progress), "utf8")) as Scan;
    if (scan.digest !== digest) return undefined;
    const tokenizer = await readTokenizer(directory, scan.tokenizerDigest);
    return tokenizer && { scan, tokenizer };
  } catch {
    return undefined;
  }
}

async function readTokenizer(directory: string, digest: string): Promise<Tokenizer | undefined> {
  const path = join(directory, CORPUS_FILES.tokenizer);
  try {
    const tokenizer = readTokenizerJson(await readFile(path, "utf8"), path);
    return tokenizer.digest === digest ? tokenizer : undefined;
  } catch {
    return undefined;
  }
}

async function finishedShards(directory: string, origin: ShardOrigin) {
  const train = await finishedShard(join(directory, CORPUS_FILES.train), origin);
  const validation = await finishedShard(join(directory, CORPUS_FILES.validation), origin);
  return train && validation && { train, validation };
}

async function finishedShard(path: string, origin: ShardOrigin): Promise<ShardHeader | undefined> {
  return await readShard(path, origin).then(
    ({ header }) => header,
    () => undefined, // absent, damaged or of another corpus: made again
  );
}

function summary(file: string, { numTokens, numDocuments, textBytes, sha256 }: ShardHeader): ShardSummary {
  return { file, numTokens, numDocuments, textBytes, sha256 };
}

function withSeparator(ids: Uint32Array, separator: number): Uint32Array {
  const all = new Uint32Array(ids.length + 1);
  all.set(ids);
  all[ids.length] = separator;
  return all;
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new CancelledError("prepareCorpus: stopped. Call it again with the same inputs to go on.");
}
