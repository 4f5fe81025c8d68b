import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { DataError, type Progress, silent } from "@espalier/core";
import { atomicWrite, disk, fileError, type FileSystem } from "@espalier/core/node";
import { readTokenizerJson } from "../formats/json.ts";
import { CORPUS_FILES, type CorpusManifest, readManifest } from "./manifest.ts";
import { CorpusState, DUPLICATE, emptyRecord, TRAIN, VALIDATION } from "./pipeline/state.ts";
import { keepLowest, MALFORMED_SHOWN } from "./pipeline/treat.ts";
import { readLog } from "./prepare/documentLog.ts";
import { digestOf } from "./prepare/inputs.ts";
import { throwIfAborted } from "./prepare/work.ts";
import { manifestOf } from "./prepareCorpus.ts";
import { readShard, shardDocuments, ShardWriter } from "./shard.ts";

export interface JoinSlicesOptions {
  /** Task `join slices`, unit `documents`. */
  progress?: Progress;
  signal?: AbortSignal;
  fileSystem?: FileSystem;
}

/** Documents between two looks at `signal`, and two reports. */
const REPORT_EVERY = 1000;

/**
 * One corpus of all its slices: the same shards and the same manifest as one run over everything. Copies that lie in
 * different slices are found here, from the hashes that each slice kept. One after the other, in constant memory besides
 * the tables of copies; after a kill it begins anew.
 *
 * @param directories of all slices of one corpus, in any order
 * @param directory   of the joined corpus; made when absent
 * @throws {DataError} when slices are missing, twice, or were made with different options or tokenizers
 * @throws {FileError} when a slice is damaged or the disk is full
 */
export async function joinSlices(directories: readonly string[], directory: string, options: JoinSlicesOptions = {}): Promise<CorpusManifest> {
  const { progress = silent, signal, fileSystem = disk } = options;
  const parts = await slicesInOrder(directories);
  const first = parts[0]!;
  const inputs = parts.flatMap(({ manifest }) => manifest.inputs);
  const origin = { tokenizerDigest: first.manifest.tokenizer.digest, sourceDigest: digestOf(inputs, first.manifest.optionsDigest) };
  const { nearDuplicates, duplicateMemoryBytes } = first.manifest.slice!;
  const { split } = first.manifest;
  const record = emptyRecord();
  const state = new CorpusState({ files: [], split, duplicateMemoryBytes, refuseMalformed: false, ...(nearDuplicates && { nearDuplicates }) }, record);
  await fileSystem.makeDirectory(directory).catch((error: unknown) => {
    throw fileError("making", directory, error);
  });

  const total = parts.reduce((sum, { manifest }) => sum + manifest.slice!.numLogged, 0);
  const train = (await ShardWriter.open(join(directory, CORPUS_FILES.train), origin, fileSystem))!;
  const validation = (await ShardWriter.open(join(directory, CORPUS_FILES.validation), origin, fileSystem))!;
  try {
    let done = 0;
    for (const { path, manifest } of parts) {
      const { slice, documents } = manifest;
      record.documents.read += documents.read;
      record.documents.malformed += documents.malformed;
      for (const kind of ["dropped", "masked"] as const) {
        for (const [name, count] of Object.entries(documents[kind])) record.documents[kind][name] = (record.documents[kind][name] ?? 0) + count;
      }
      record.malformedLines.push(...manifest.malformedLines.slice(0, MALFORMED_SHOWN - record.malformedLines.length));
      record.damaged.push(...manifest.damaged);
      for (const sample of manifest.droppedSamples) if (sample.rule !== "duplicate" && sample.rule !== "near-duplicate") keepLowest(record.samples, sample);

      const origin = { tokenizerDigest: manifest.tokenizer.digest, sourceDigest: manifest.digest };
      for (const file of [CORPUS_FILES.train, CORPUS_FILES.validation]) await readShard(join(path, file), origin); // digests
      const sides = [shardDocuments(join(path, CORPUS_FILES.train)), shardDocuments(join(path, CORPUS_FILES.validation))];
      for await (const logged of readLog(join(path, CORPUS_FILES.documents), slice!.numLogged, state.bands)) {
        if (++done % REPORT_EVERY === 0) {
          throwIfAborted(signal);
          progress({ task: "join slices", done, total, unit: "documents" });
        }
        const ids = logged.decision >= DUPLICATE ? undefined : ((await sides[logged.decision]!.next()).value as { ids: Uint32Array } | undefined)?.ids;
        const decision = state.decide(logged.hash, 0, logged.keys, 0, logged.position);
        if (decision >= DUPLICATE) {
          const rule = decision === DUPLICATE ? "duplicate" : "near-duplicate";
          const { name } = manifest.inputs[logged.file]!;
          keepLowest(record.samples, { source: logged.line > 0 ? `${name}:${logged.line}` : name, rule, detail: "seen before", position: logged.position });
        } else if (!ids) {
          throw new DataError(`${path}: the slice dropped a document that the whole corpus keeps, expected the other way round only. Tokenize the slice again.`);
        } else if (decision === TRAIN) await train.append(ids, logged.textBytes);
        else if (decision === VALIDATION) await validation.append(ids, logged.textBytes);
      }
    }
    progress({ task: "join slices", done: total, total, unit: "documents" });
    if (record.documents.train === 0 || record.documents.validation === 0) {
      throw new DataError(`join slices: ${record.documents.train} training and ${record.documents.validation} validation documents, expected some of both. Tokenize with another validation share.`);
    }
    const tokenizerPath = join(first.path, CORPUS_FILES.tokenizer);
    const tokenizerJson = await readFile(tokenizerPath, "utf8").catch((error: unknown) => {
      throw fileError("reading", tokenizerPath, error);
    });
    await atomicWrite(join(directory, CORPUS_FILES.tokenizer), tokenizerJson, fileSystem);
    const encoded = {
      record,
      split,
      train: await train.finish(),
      validation: await validation.finish(),
      ...(state.falsePositiveRate !== undefined && { falsePositiveRate: state.falsePositiveRate }),
    };
    const manifest = manifestOf(inputs, first.manifest.optionsDigest, readTokenizerJson(tokenizerJson, tokenizerPath), encoded, first.manifest.separator === undefined ? {} : { separator: first.manifest.separator });
    await atomicWrite(join(directory, CORPUS_FILES.manifest), `${JSON.stringify(manifest, null, 1)}\n`, fileSystem);
    return manifest;
  } finally {
    await Promise.all([train.close(), validation.close()]);
  }
}

async function slicesInOrder(directories: readonly string[]): Promise<{ path: string; manifest: CorpusManifest }[]> {
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
