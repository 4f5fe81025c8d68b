import { existsSync } from "node:fs";
import { join } from "node:path";
import { ConfigError, DataError, type Progress, silent } from "@espalier/core";
import { acquireLock, atomicWrite, disk, fileError, type FileSystem } from "@espalier/core/node";
import { createCleaner } from "../clean/cleaner.ts";
import { END_OF_TEXT } from "../encodings.ts";
import { writeTokenizerJson } from "../formats/json.ts";
import type { Tokenizer } from "../tokenizer.ts";
import { CORPUS_FILES, type CorpusManifest, type InputSummary, MANIFEST_FORMAT, MANIFEST_VERSION, readManifest, type ShardSummary } from "./manifest.ts";
import { encodeCorpus, type EncodedCorpus, encodeExtra } from "./prepare/encode.ts";
import { beginEarly, type EarlyPass } from "./prepare/earlyPass.ts";
import { definitionOf, readOptions, stageOf, threadsFor } from "./prepare/pass.ts";
import { digestInputs, digestOf, optionsDigestOf, textDigestOf } from "./prepare/inputs.ts";
import { finishedCorpus, finishedScan, finishedShard, removeLeftovers, removeUnreached } from "./prepare/resume.ts";
import { scanAndTrain } from "./prepare/scan.ts";
import { type DocumentOptions, documentSeparator, type ExtraDocuments, type Scan, throwIfAborted, type TokenizerChoice, type Work } from "./prepare/work.ts";
import { findRepeated, spanFinder } from "./spans/findRepeated.ts";
import { type CorpusFile, type CorpusInput, listCorpusFiles } from "./read/files.ts";
import type { ShardHeader } from "./shard.ts";
import { type Slice, sliceFiles } from "./writers/slices.ts";

export interface PrepareCorpusOptions extends DocumentOptions {
  inputs: readonly CorpusInput[];
  /** Made when absent. */
  directory: string;
  /** A vocabulary to train on the training documents, or a finished tokeniser that has the separator. */
  tokenizer: TokenizerChoice;
  /** Share of documents held back for validation, by hash. Default 0.02. */
  validationShare?: number;
  extra?: ExtraDocuments;
  /** Threads that clean and encode, besides the one that reads and writes; the result is the same. Default 0: none besides. */
  workers?: number;
  /** Bytes that the table of exact copies may take, 40 a document. Default 4 GiB. */
  duplicateMemoryBytes?: number;
  /** Bytes that training a vocabulary may take; what does not fit goes to files. Default: half of what this process may use. The result is the same. */
  trainingMemoryBytes?: number;
  /** Only the files of one of several equal parts; `joinSlices` makes one corpus of them. Needs a finished tokeniser. */
  slice?: Slice;
  /** Bytes of text between two checkpoints. Default 64 MiB, about a second's work. */
  checkpointBytes?: number;
  /** Tasks `find repeated spans` (bytes), `read corpus` (bytes), `train tokenizer` (tokens), `encode corpus` (bytes). */
  progress?: Progress;
  /** Called once before a finished corpus of other inputs or options, which the directory holds, is replaced. */
  onReplace?: (manifest: CorpusManifest) => void;
  signal?: AbortSignal;
  fileSystem?: FileSystem;
}

const CHECKPOINT_BYTES = 64 << 20;

/**
 * From text to token shards: read, clean, drop copies, split into training and validation documents by hash, train the
 * tokeniser on the training documents, encode each document followed by a separator, write shards and a manifest.
 *
 * Memory holds hashes and piece counts, never the corpus. Called again after a crash with the same inputs and options, it
 * goes on from the last checkpoint; the shards are the same as without the crash, and for any number of workers.
 *
 * @returns the manifest, as written to `manifest.json`; `openCorpus` loads it all
 * @throws {FileError} when an input is missing, unreadable or damaged, or the disk is full
 * @throws {DataError} when there is no text, or too little to split
 * @throws {ConfigError} when an option is out of range
 * @throws {LockError} when another process is at work in the directory
 * @throws {CancelledError} when `signal` aborts
 */
export async function prepareCorpus(options: PrepareCorpusOptions): Promise<CorpusManifest> {
  const { tokenizer: choice, validationShare = 0.02, slice } = options;
  if (!(validationShare > 0 && validationShare < 1)) {
    throw new ConfigError(`prepareCorpus: validationShare is ${validationShare}, expected between 0 and 1. Use 0.02, for example.`);
  }
  if (slice && !("encode" in choice)) throw new ConfigError("prepareCorpus: a slice with a vocabulary to train, expected a finished tokenizer: all slices need the same. Train it first.");
  createCleaner(options.clean ?? {}, () => ""); // refuses unknown rules before anything is read
  if (options.repeatedSpans) spanFinder(options.directory, options.repeatedSpans); // the same
  if (options.inputs.length === 0) throw new DataError("prepareCorpus: no inputs, expected at least one file or directory. Name a corpus.");
  const all = await listCorpusFiles(options.inputs);
  const files = slice ? sliceFiles(all, slice) : all;
  const lock = acquireLock(options.directory);
  let early: EarlyPass | undefined;
  const takeEarly = () => {
    const taken = early;
    early = undefined;
    return taken;
  };
  try {
    early = startEarly(options, files);
    return await prepareFiles(options, files, takeEarly);
  } finally {
    try {
      await early?.end(); // no pass took it
    } finally {
      lock.release();
    }
  }
}

/**
 * The pass of a finished tokeniser, begun while inputs are hashed. Not where the corpus seems to be there, whole or in part, or
 * where a pass of its own comes first.
 */
function startEarly({ directory, tokenizer, workers = 0, ...documents }: PrepareCorpusOptions, files: readonly CorpusFile[]): EarlyPass | undefined {
  const isThere = [CORPUS_FILES.manifest, CORPUS_FILES.checkpoint].some((name) => existsSync(join(directory, name)));
  if (workers === 0 || !("encode" in tokenizer) || isThere || documents.repeatedSpans) return undefined;
  const threads = threadsFor(stageOf(documents, definitionOf(tokenizer, documentSeparator(documents))), workers, files);
  return beginEarly(threads, files, readOptions(documents));
}

async function prepareFiles(options: PrepareCorpusOptions, files: readonly CorpusFile[], takeEarly: Work["takeEarly"]): Promise<CorpusManifest> {
  const { directory, tokenizer: choice, extra, validationShare = 0.02, progress = silent, fileSystem = disk, signal, slice } = options;
  const inputs = await digestInputs(files);
  const optionsDigest = optionsDigestOf(choice, validationShare, options, extra);
  const digest = digestOf(inputs, optionsDigest);

  const finished = await finishedCorpus(directory, digest, extra);
  if (finished) {
    await removeLeftovers(directory, fileSystem); // the last call may have been killed right before it did
    return finished;
  }
  const other = await readManifest(directory).catch(() => undefined); // none, or one that cannot be read
  if (other && other.digest !== digest) options.onReplace?.(other);
  await fileSystem.makeDirectory(directory).catch((error: unknown) => {
    throw fileError("making", directory, error);
  });

  const separator = documentSeparator(options);
  const planned: Work = {
    directory, files, digest, tokenizer: choice, validationShare, documents: options, separator, extra, progress, signal, fileSystem, slice,
    workers: options.workers ?? 0,
    takeEarly,
    checkpointBytes: options.checkpointBytes ?? CHECKPOINT_BYTES,
    duplicateMemoryBytes: options.duplicateMemoryBytes ?? 2 ** 32,
    trainingMemoryBytes: options.trainingMemoryBytes,
  };
  const repeatedPath = options.repeatedSpans && !slice ? await findRepeated(planned, options.repeatedSpans) : undefined;
  const work = { ...planned, ...(repeatedPath !== undefined && { repeatedPath }) };
  const { tokenizer, encoded, generated } = await writeShards(work).catch(async (error: unknown) => {
    await removeUnreached(work);
    throw error;
  });
  throwIfAborted(signal);

  const manifest = manifestOf(inputs, optionsDigest, tokenizer, encoded, {
    ...(separator !== END_OF_TEXT && { separator }),
    ...(slice && {
      slice: { ...slice, numLogged: encoded.record.numRemembered, duplicateMemoryBytes: work.duplicateMemoryBytes, ...(options.nearDuplicates && { nearDuplicates: options.nearDuplicates }), ...(options.repeatedSpans && { repeatedSpans: options.repeatedSpans }) },
    }),
    ...(extra && generated && { extra: { name: extra.name, digest: extra.digest, ...summary(CORPUS_FILES.extra, generated) } }),
  });
  await atomicWrite(join(directory, CORPUS_FILES.manifest), `${JSON.stringify(manifest, null, 1)}\n`, fileSystem);
  await removeLeftovers(directory, fileSystem);
  return manifest;
}

async function writeShards(work: Work) {
  const { tokenizer: choice } = work;
  if (!("encode" in choice)) {
    const { scan, tokenizer } = (await finishedScan(work)) ?? (await scanAndTrain(work, choice));
    return { tokenizer, ...(await encodeAll(work, tokenizer, scan)) };
  }
  choice.specialId(work.separator); // refuses a vocabulary without a separator before anything is written
  const storing = atomicWrite(join(work.directory, CORPUS_FILES.tokenizer), writeTokenizerJson(choice), work.fileSystem);
  storing.catch(() => {}); // said below
  const encoded = await encodeAll(work, choice, undefined).finally(() => storing);
  return { tokenizer: choice, ...encoded };
}

async function encodeAll(work: Work, tokenizer: Tokenizer, scan: Scan | undefined) {
  const { directory, digest, extra } = work;
  const origin = { tokenizerDigest: tokenizer.digest, sourceDigest: digest };
  const encoded = await encodeCorpus(work, tokenizer, scan, origin);
  const extraPath = join(directory, CORPUS_FILES.extra);
  const generated = extra && ((await finishedShard(extraPath, origin)) ?? (await encodeExtra(work, extra, tokenizer, origin)));
  return { encoded, generated };
}

/** The manifest of shards that are finished. */
export function manifestOf(
  inputs: InputSummary[],
  optionsDigest: string,
  tokenizer: Pick<Tokenizer, "name" | "vocabSize" | "digest">,
  { record, split, train, validation, falsePositiveRate }: EncodedCorpus,
  more: Pick<CorpusManifest, "slice" | "extra" | "separator"> = {},
): CorpusManifest {
  return {
    format: MANIFEST_FORMAT,
    version: MANIFEST_VERSION,
    digest: digestOf(inputs, optionsDigest),
    optionsDigest,
    textDigest: textDigestOf(inputs),
    inputs,
    documents: record.documents,
    malformedLines: record.malformedLines,
    damaged: record.damaged,
    droppedSamples: record.samples.toSorted((a, b) => (a.rule === b.rule ? a.position - b.position : a.rule < b.rule ? -1 : 1)),
    ...(falsePositiveRate !== undefined && { nearDuplicateFalsePositiveRate: falsePositiveRate }),
    split,
    tokenizer: { name: tokenizer.name, vocabSize: tokenizer.vocabSize, digest: tokenizer.digest, file: CORPUS_FILES.tokenizer },
    train: summary(CORPUS_FILES.train, train),
    validation: summary(CORPUS_FILES.validation, validation),
    ...more,
  };
}

function summary(file: string, { numTokens, numDocuments, textBytes, sha256 }: ShardHeader): ShardSummary {
  return { file, numTokens, numDocuments, textBytes, sha256 };
}
