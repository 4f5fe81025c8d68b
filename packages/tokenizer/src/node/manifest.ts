import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { FileError } from "@espalier/core";
import { fileError } from "@espalier/core/node";
import { readTokenizerJson } from "../formats/json.ts";
import type { Tokenizer } from "../tokenizer.ts";
import type { NearDuplicateOptions } from "./pipeline/state.ts";
import type { RepeatedSpanSearch } from "./spans/findRepeated.ts";
import type { Split } from "./split.ts";
import { openTokenFile, type TokenFile } from "./load/tokenFile.ts";
import { readShard, type Shard, type ShardOrigin } from "./shard.ts";

export const MANIFEST_FORMAT = "espalier-corpus";
export const MANIFEST_VERSION = 2;

/** Names of the files that `prepareCorpus` writes. */
export const CORPUS_FILES = {
  manifest: "manifest.json",
  /** What is known between the tokeniser and the shards; removed at the end. */
  progress: "progress.json",
  /** How far the shards are; removed at the end. */
  checkpoint: "checkpoint.json",
  /** Hashes of all documents, for a run that goes on, and for joining slices. */
  documents: "documents.bin",
  /** Sentences that were found to be repeated; removed at the end. */
  repeated: "repeated.bin",
  tokenizer: "tokenizer.json",
  train: "train.bin",
  validation: "validation.bin",
  extra: "extra.bin",
} as const;

/** How many documents there were, and what became of them. */
export interface DocumentCounts {
  /** All that were read, empty text not counted. */
  read: number;
  /** Records without a text, e.g. JSONL lines that are not JSON; left out. */
  malformed: number;
  /** By rule; left out. */
  dropped: Record<string, number>;
  /** Exact copies of an earlier document; left out. */
  duplicates: number;
  /** Near copies of an earlier document; left out. */
  nearDuplicates: number;
  /** Replacements of personal data, by kind. */
  masked: Record<string, number>;
  /** Sentences left out because an earlier text has the span of sentences that they are in; where those are looked for. */
  repeatedSentences?: number;
  train: number;
  validation: number;
}

/** Something found in the input. */
export interface MalformedLine {
  /** `file`, or `file:` and the line, row or record. */
  source: string;
  reason: string;
}

/** An example of what was left out. */
export interface DroppedDocument {
  source: string;
  rule: string;
  /** The measured value. */
  detail: string;
  excerpt?: string;
  /** The split position; those with the lowest are shown. */
  position: number;
}

/** One file of text, as stored. */
export interface InputSummary {
  name: string;
  bytes: number;
  sha256: string;
}

/** One shard in the manifest. */
export interface ShardSummary {
  file: string;
  numTokens: number;
  numDocuments: number;
  textBytes: number;
  sha256: string;
}

/** What a prepared corpus was made from and holds. */
export interface CorpusManifest {
  format: typeof MANIFEST_FORMAT;
  version: typeof MANIFEST_VERSION;
  /** Of all inputs' contents and all options: equal digests give equal shards. */
  digest: string;
  /** Of the options alone. */
  optionsDigest: string;
  /** The part of a corpus that this is, with what joining needs: documents in `documents.bin`, bands of near copies, spans to look for. */
  slice?: { index: number; count: number; numLogged: number; nearDuplicates?: NearDuplicateOptions; repeatedSpans?: RepeatedSpanSearch; duplicateMemoryBytes: number };
  /** Of the inputs' contents alone. */
  textDigest: string;
  inputs: InputSummary[];
  documents: DocumentCounts;
  /** The first few; `documents.malformed` counts all. */
  malformedLines: MalformedLine[];
  /** Files of which only the beginning could be read. */
  damaged: MalformedLine[];
  /** Of each rule up to five, chosen by hash. */
  droppedSamples: DroppedDocument[];
  /** Probability that a document unlike all others was taken for a near copy, at the end. */
  nearDuplicateFalsePositiveRate?: number;
  split: Split;
  /** Text of the token behind each document, when it is not `<|endoftext|>`. */
  separator?: string;
  tokenizer: { name: string; vocabSize: number; digest: string; file: string };
  train: ShardSummary;
  validation: ShardSummary;
  /** The caller's generated documents, when there are any. */
  extra?: ShardSummary & { name: string; digest: string };
}

/** A prepared corpus in memory. */
export interface Corpus {
  manifest: CorpusManifest;
  tokenizer: Tokenizer;
  train: Shard;
  validation: Shard;
  extra?: Shard;
}

/**
 * Opens what `prepareCorpus` wrote, checking every digest.
 *
 * @throws {FileError} when a file is missing, damaged or of another format
 * @throws {DataError} when a shard belongs to another tokeniser or corpus
 */
export async function openCorpus(directory: string): Promise<Corpus> {
  const { manifest, tokenizer, expected } = await manifestAndTokenizer(directory);
  const open = (file: string) => readShard(join(directory, file), expected);
  return {
    manifest,
    tokenizer,
    train: await open(manifest.train.file),
    validation: await open(manifest.validation.file),
    ...(manifest.extra && { extra: await open(manifest.extra.file) }),
  };
}

/** A prepared corpus whose training tokens stay on disk. */
export interface CorpusOnDisk extends Omit<Corpus, "train" | "extra"> {
  train: TokenFile;
  extra?: TokenFile;
  close(): void;
}

/**
 * `openCorpus` for corpora of any size: training tokens are read piece by piece when they are needed, validation tokens
 * are in memory. Digests are checked all the same, in constant memory.
 *
 * @throws what `openCorpus` throws
 */
export async function openCorpusOnDisk(directory: string): Promise<CorpusOnDisk> {
  const { manifest, tokenizer, expected } = await manifestAndTokenizer(directory);
  const validation = await readShard(join(directory, manifest.validation.file), expected);
  const train = await openTokenFile(join(directory, manifest.train.file), { expected });
  try {
    const extra = manifest.extra && (await openTokenFile(join(directory, manifest.extra.file), { expected }));
    const close = () => {
      train.close();
      extra?.close();
    };
    return { manifest, tokenizer, train, validation, ...(extra && { extra }), close };
  } catch (error) {
    train.close();
    throw error;
  }
}

async function manifestAndTokenizer(directory: string): Promise<{ manifest: CorpusManifest; tokenizer: Tokenizer; expected: ShardOrigin }> {
  const manifest = await readManifest(directory);
  const path = join(directory, manifest.tokenizer.file);
  const tokenizer = readTokenizerJson(await readText(path), path);
  if (tokenizer.digest !== manifest.tokenizer.digest) {
    throw new FileError(`${path}: digest is ${tokenizer.digest}, expected ${manifest.tokenizer.digest}. Tokenize the corpus again.`);
  }
  return { manifest, tokenizer, expected: { tokenizerDigest: manifest.tokenizer.digest, sourceDigest: manifest.digest } };
}

/** Reads and checks the manifest of a prepared corpus; throws `FileError`. */
export async function readManifest(directory: string): Promise<CorpusManifest> {
  const path = join(directory, CORPUS_FILES.manifest);
  const text = await readText(path).catch((error: unknown) => {
    if (existsSync(path)) throw error;
    throw new FileError(`${directory}: ${existsSync(directory) ? `holds no ${CORPUS_FILES.manifest}` : "does not exist"}, expected a directory written by \`espalier tokenize\` (prepareCorpus). Check the path.`, { cause: error });
  });
  let manifest: Partial<CorpusManifest> | null = null;
  try {
    manifest = JSON.parse(text) as Partial<CorpusManifest> | null;
  } catch {
    // said below
  }
  if (manifest?.format !== MANIFEST_FORMAT || manifest.version !== MANIFEST_VERSION) {
    throw new FileError(`${path}: format ${manifest?.format ?? "unknown"}, expected ${MANIFEST_FORMAT} version ${MANIFEST_VERSION}. Tokenize the corpus again.`);
  }
  return manifest as CorpusManifest;
}

async function readText(path: string): Promise<string> {
  return await readFile(path, "utf8").catch((error: unknown) => {
    throw fileError("reading", path, error);
  });
}
