import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { DataError, type Progress, silent } from "@espalier/core";
import { acquireLock, atomicWrite, disk, fileError, type FileSystem } from "@espalier/core/node";
import { REPEATED_SPANS } from "../clean/repeatedSpans.ts";
import { readTokenizerJson } from "../formats/json.ts";
import { decidedDocuments, type SlicePart } from "./join/documents.ts";
import { repeatedOfSlices } from "./join/repeated.ts";
import { CORPUS_FILES, type CorpusManifest, readManifest } from "./manifest.ts";
import { CorpusState, DUPLICATE, emptyRecord, GONE, NEAR_DUPLICATE, type StateRecord, TRAIN } from "./pipeline/state.ts";
import { excerptOf, keepLowest, MALFORMED_SHOWN } from "./pipeline/treat.ts";
import { digestOf } from "./prepare/inputs.ts";
import { removePartialShards } from "./prepare/resume.ts";
import { throwIfAborted } from "./prepare/work.ts";
import { manifestOf } from "./prepareCorpus.ts";
import { checkShard, ShardWriter } from "./shard.ts";

export interface JoinSlicesOptions {
  /** Tasks `find repeated spans` and `join slices`, unit `documents`. */
  progress?: Progress;
  signal?: AbortSignal;
  fileSystem?: FileSystem;
}

/** Documents between two looks at `signal`, and two reports. */
const REPORT_EVERY = 1000;

/**
 * One corpus of all its slices: the same shards and the same manifest as one run over everything. Copies that lie in
 * different slices are found here, from the hashes that each slice kept, and so are repeated spans of sentences, from the
 * slices' tokens. One after the other, in constant memory besides the tables of copies; after a kill it begins anew.
 *
 * @param directories of all slices of one corpus, in any order
 * @param directory   of the joined corpus; made when absent
 * @throws {DataError} when slices are missing, twice, or were made with different options or tokenizers
 * @throws {FileError} when a slice is damaged or the disk is full
 * @throws {LockError} when another process is at work in the directory
 */
export async function joinSlices(directories: readonly string[], directory: string, options: JoinSlicesOptions = {}): Promise<CorpusManifest> {
  const parts = await slicesInOrder(directories);
  const own = parts.find(({ path }) => resolve(path) === resolve(directory));
  if (own) throw new DataError(`join slices: ${directory} is slice ${own.manifest.slice!.index + 1} itself, expected a directory of its own. Choose another.`);
  const lock = acquireLock(directory);
  try {
    return await joinLocked(parts, directory, options);
  } catch (error) {
    await removePartialShards(directory, options.fileSystem ?? disk); // it will begin anew: nothing goes on from them
    throw error;
  } finally {
    lock.release();
  }
}

async function joinLocked(parts: readonly SlicePart[], directory: string, { progress = silent, signal, fileSystem = disk }: JoinSlicesOptions): Promise<CorpusManifest> {
  const first = parts[0]!;
  const inputs = parts.flatMap(({ manifest }) => manifest.inputs);
  const digest = digestOf(inputs, first.manifest.optionsDigest);
  const origin = { tokenizerDigest: first.manifest.tokenizer.digest, sourceDigest: digest };
  const { nearDuplicates, duplicateMemoryBytes } = first.manifest.slice!;
  const { split } = first.manifest;
  const newState = (record: StateRecord) => new CorpusState({ files: [], split, duplicateMemoryBytes, refuseMalformed: false, ...(nearDuplicates && { nearDuplicates }) }, record);
  await fileSystem.makeDirectory(directory).catch((error: unknown) => {
    throw fileError("making", directory, error);
  });
  const tokenizerPath = join(first.path, CORPUS_FILES.tokenizer);
  const tokenizerJson = await readFile(tokenizerPath, "utf8").catch((error: unknown) => {
    throw fileError("reading", tokenizerPath, error);
  });
  const tokenizer = readTokenizerJson(tokenizerJson, tokenizerPath);
  for (const { path, manifest } of parts) {
    const origin = { tokenizerDigest: manifest.tokenizer.digest, sourceDigest: manifest.digest };
    for (const file of [CORPUS_FILES.train, CORPUS_FILES.validation]) await checkShard(join(path, file), origin);
  }

  const total = parts.reduce((sum, { manifest }) => sum + manifest.slice!.numLogged, 0);
  const counting = (task: string) => {
    let done = 0;
    return (all = ++done) => {
      if (all !== total && all % REPORT_EVERY !== 0) return;
      throwIfAborted(signal);
      progress({ task, done: all, total, unit: "documents" });
    };
  };
  const repeated = await repeatedOfSlices(parts, { directory, digest, tokenizer, state: newState(emptyRecord()), fileSystem, count: counting("find repeated spans") });
  const record = emptyRecord();
  for (const { manifest } of parts) addCounts(record, manifest);
  const state = newState(record);
  const count = counting("join slices");
  const train = (await ShardWriter.open(join(directory, CORPUS_FILES.train), origin, fileSystem))!;
  const validation = (await ShardWriter.open(join(directory, CORPUS_FILES.validation), origin, fileSystem))!;
  try {
    for await (const { logged, place, ids, source } of decidedDocuments(parts, state.bands)) {
      count();
      const reduced = await repeated?.reduce(place, ids);
      const decision = state.decide(logged.hash, 0, logged.keys, 0, logged.position, reduced !== undefined && !reduced.ids);
      if (reduced) {
        record.documents.repeatedSentences! += reduced.numRemoved;
        keepLowest(record.samples, { source, rule: REPEATED_SPANS, detail: reduced.detail, excerpt: excerptOf(reduced.example), position: logged.position });
        if (!reduced.ids) record.documents.dropped[REPEATED_SPANS] = (record.documents.dropped[REPEATED_SPANS] ?? 0) + 1;
      }
      if (decision === DUPLICATE || decision === NEAR_DUPLICATE) {
        keepLowest(record.samples, { source, rule: decision === DUPLICATE ? "duplicate" : "near-duplicate", detail: "seen before", position: logged.position });
      } else if (!ids) {
        throw new DataError(`${parts[place[0]]!.path}: the slice dropped a document that the whole corpus keeps, expected the other way round only. Tokenize the slice again.`);
      } else if (decision !== GONE) {
        await (decision === TRAIN ? train : validation).append(reduced?.ids ?? ids, reduced?.textBytes ?? logged.textBytes);
      }
    }
    count(total);
    if (record.documents.train === 0 || record.documents.validation === 0) {
      throw new DataError(`join slices: ${record.documents.train} training and ${record.documents.validation} validation documents, expected some of both. Tokenize with another validation share.`);
    }
    await atomicWrite(join(directory, CORPUS_FILES.tokenizer), tokenizerJson, fileSystem);
    const encoded = {
      record,
      split,
      train: await train.finish(),
      validation: await validation.finish(),
      ...(state.falsePositiveRate !== undefined && { falsePositiveRate: state.falsePositiveRate }),
    };
    const manifest = manifestOf(inputs, first.manifest.optionsDigest, tokenizer, encoded, first.manifest.separator === undefined ? {} : { separator: first.manifest.separator });
    await atomicWrite(join(directory, CORPUS_FILES.manifest), `${JSON.stringify(manifest, null, 1)}\n`, fileSystem);
    await repeated?.remove();
    return manifest;
  } finally {
    await Promise.all([train.close(), validation.close()]);
  }
}

/** What a slice counted by itself and the whole corpus counts alike. */
function addCounts(record: StateRecord, { documents, malformedLines, damaged, droppedSamples }: CorpusManifest): void {
  const sums = record.documents;
  sums.read += documents.read;
  sums.malformed += documents.malformed;
  if (documents.repeatedSentences !== undefined) sums.repeatedSentences ??= 0;
  for (const kind of ["dropped", "masked"] as const) {
    for (const [name, count] of Object.entries(documents[kind])) sums[kind][name] = (sums[kind][name] ?? 0) + count;
  }
  record.malformedLines.push(...malformedLines.slice(0, MALFORMED_SHOWN - record.malformedLines.length));
  record.damaged.push(...damaged);
  for (const sample of droppedSamples) if (sample.rule !== "duplicate" && sample.rule !== "near-duplicate") keepLowest(record.samples, sample);
}

async function slicesInOrder(directories: readonly string[]): Promise<SlicePart[]> {
  const parts = await Promise.all(directories.map(async (path) => ({ path, manifest: await readManifest(path) })));
  parts.sort((a, b) => (a.manifest.slice?.index ?? -1) - (b.manifest.slice?.index ?? -1));
  const count = parts[0]?.manifest.slice?.count;
  const found = parts.map(({ manifest: { slice } }) => (slice ? `${slice.index + 1}/${slice.count}` : "a whole corpus")).join(", ");
  if (count === undefined || parts.length !== count || parts.some(({ manifest: { slice } }, i) => slice?.index !== i || slice.count !== count)) {
    throw new DataError(`join slices: ${found || "nothing"}, expected every slice of one corpus once. Name all of them.`);
  }
  for (const { path, manifest } of parts) {
    if (manifest.optionsDigest !== parts[0]!.manifest.optionsDigest || manifest.tokenizer.digest !== parts[0]!.manifest.tokenizer.digest) {
      throw new DataError(`join slices: ${path} was made with other options or another tokenizer than ${parts[0]!.path}, expected the same. Tokenize it again.`);
    }
  }
  return parts;
}
