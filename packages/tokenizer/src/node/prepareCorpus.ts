import { join } from "node:path";
import { ConfigError, DataError, type Progress, silent } from "@espalier/core";
import { atomicWrite, disk, fileError, type FileSystem } from "@espalier/core/node";
import { type CorpusInput, listCorpusFiles } from "./read/files.ts";
import { CORPUS_FILES, type CorpusManifest, MANIFEST_FORMAT, MANIFEST_VERSION, type ShardSummary } from "./manifest.ts";
import { encodeCorpus, encodeExtra } from "./prepare/encode.ts";
import { digestInputs, digestOf, textDigestOf } from "./prepare/inputs.ts";
import { finishedCorpus, finishedScan, finishedShard, finishedShards, removeLeftovers } from "./prepare/resume.ts";
import { scanAndTrain } from "./prepare/scan.ts";
import { type ExtraDocuments, throwIfAborted, type TokenizerChoice, type Work } from "./prepare/work.ts";
import type { ShardHeader } from "./shard.ts";

export interface PrepareCorpusOptions {
  inputs: readonly CorpusInput[];
  /** Made when absent. */
  directory: string;
  /** A vocabulary to train on the training documents, or a finished tokeniser with a `<|endoftext|>` token. */
  tokenizer: TokenizerChoice;
  /** Share of documents held back for validation, by hash. Default 0.02. */
  validationShare?: number;
  extra?: ExtraDocuments;
  /** Tasks `read corpus` (bytes), `train tokenizer` (tokens), `encode corpus` (bytes). */
  progress?: Progress;
  signal?: AbortSignal;
  fileSystem?: FileSystem;
}

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
  const { directory, tokenizer: choice, extra, validationShare = 0.02, progress = silent, fileSystem = disk, signal } = options;
  if (!(validationShare > 0 && validationShare < 1)) {
    throw new ConfigError(`prepareCorpus: validationShare is ${validationShare}, expected between 0 and 1. Use 0.02, for example.`);
  }
  if (options.inputs.length === 0) throw new DataError("prepareCorpus: no inputs, expected at least one file or directory. Name a corpus.");
  const files = await listCorpusFiles(options.inputs);
  const inputs = await digestInputs(files);
  const digest = digestOf(inputs, choice, validationShare, extra);

  const finished = await finishedCorpus(directory, digest, extra);
  if (finished) {
    await removeLeftovers(directory, fileSystem); // the last call may have been killed right before it did
    return finished;
  }
  await fileSystem.makeDirectory(directory).catch((error: unknown) => {
    throw fileError("making", directory, error);
  });

  const work: Work = { directory, files, digest, tokenizer: choice, validationShare, extra, progress, signal, fileSystem };
  const { scan, tokenizer } = (await finishedScan(work)) ?? (await scanAndTrain(work));
  const origin = { tokenizerDigest: tokenizer.digest, sourceDigest: digest };
  const text = (await finishedShards(directory, origin)) ?? (await encodeCorpus(work, tokenizer, scan, origin));
  const extraPath = join(directory, CORPUS_FILES.extra);
  const generated = extra && ((await finishedShard(extraPath, origin)) ?? (await encodeExtra(work, extra, tokenizer, origin)));
  throwIfAborted(signal);

  const manifest: CorpusManifest = {
    format: MANIFEST_FORMAT,
    version: MANIFEST_VERSION,
    digest,
    textDigest: textDigestOf(inputs),
    inputs,
    documents: scan.documents,
    malformedLines: scan.malformedLines,
    split: scan.split,
    tokenizer: { name: tokenizer.name, vocabSize: tokenizer.vocabSize, digest: tokenizer.digest, file: CORPUS_FILES.tokenizer },
    train: summary(CORPUS_FILES.train, text.train),
    validation: summary(CORPUS_FILES.validation, text.validation),
    ...(extra && generated && { extra: { name: extra.name, digest: extra.digest, ...summary(CORPUS_FILES.extra, generated) } }),
  };
  await atomicWrite(join(directory, CORPUS_FILES.manifest), `${JSON.stringify(manifest, null, 1)}\n`, fileSystem);
  await removeLeftovers(directory, fileSystem);
  return manifest;
}

function summary(file: string, { numTokens, numDocuments, textBytes, sha256 }: ShardHeader): ShardSummary {
  return { file, numTokens, numDocuments, textBytes, sha256 };
}
