import { join } from "node:path";
import { DataError } from "@espalier/core";
import { atomicWrite } from "@espalier/core/node";
import type { Tokenizer } from "../../tokenizer.ts";
import type { AppendFile } from "../appendFile.ts";
import { CORPUS_FILES } from "../manifest.ts";
import { type CorpusState, type StateRecord, TRAIN, VALIDATION } from "../pipeline/state.ts";
import type { Treated } from "../pipeline/treat.ts";
import { type ShardHeader, type ShardOrigin, type ShardProgress, ShardWriter, writeShard } from "../shard.ts";
import { type Split, splitOfFew } from "../split.ts";
import { logBatch, openLog, readJson, recall } from "./documentLog.ts";
import { definitionOf, passOver, stateOf } from "./pass.ts";
import { finishedShard } from "./resume.ts";
import { expectBothSides } from "./scan.ts";
import { type ExtraDocuments, type Scan, throwIfAborted, type Work } from "./work.ts";

/** How far the shards are; all that it names is durable before it is written. */
interface Checkpoint {
  digest: string;
  tokenizerDigest: string;
  split: Split;
  state: StateRecord;
  train: ShardProgress;
  validation: ShardProgress;
  /** The pass is through; the shards only need their names. */
  isComplete: boolean;
  falsePositiveRate?: number;
}

export interface EncodedCorpus {
  train: ShardHeader;
  validation: ShardHeader;
  record: StateRecord;
  split: Split;
  falsePositiveRate?: number;
}

/** The pass that encodes: the training and the validation shard side by side, from the last checkpoint on. */
export async function encodeCorpus(work: Work, tokenizer: Tokenizer, scan: Scan | undefined, origin: ShardOrigin): Promise<EncodedCorpus> {
  const paths = { train: join(work.directory, CORPUS_FILES.train), validation: join(work.directory, CORPUS_FILES.validation), checkpoint: join(work.directory, CORPUS_FILES.checkpoint) };
  const stored = await readJson<Checkpoint>(paths.checkpoint);
  const known = stored?.digest === work.digest && stored.tokenizerDigest === tokenizer.digest ? stored : undefined;
  const resumable = known?.isComplete ? undefined : known;
  let split = scan?.split ?? resumable?.split ?? { below: work.validationShare };
  if (known?.isComplete) {
    const encoded = await settle(known);
    if (encoded) return encoded;
  }
  let open = resumable && (await reopen(work, paths, origin, resumable));
  for (;;) {
    open ??= await begin(work, paths, origin, split);
    const { train, validation, log } = open;
    try {
      const encoded = await encodeInto(open);
      if (encoded) return encoded; // else there were so few documents that none fell below the share
    } finally {
      await Promise.all([log.close(), train.close(), validation.close()]);
    }
    open = undefined;
  }

  async function encodeInto(open: OpenShards): Promise<EncodedCorpus | undefined> {
    return await settle(await fillShards(work, tokenizer, split, open, paths.checkpoint), open);
  }

  /** The same for a pass that is through now and one that was through when an earlier call ended: that may have been before it was judged. */
  async function settle(complete: Checkpoint, open?: OpenShards): Promise<EncodedCorpus | undefined> {
    const other = scan || work.slice ? undefined : splitOfFew(complete.state, work.validationShare);
    if (other && JSON.stringify(other) !== JSON.stringify(complete.split)) {
      split = other;
      return undefined;
    }
    try {
      expectAsScanned(scan, complete.state);
      expectBothSides(work, complete.state);
    } catch (error) {
      await work.fileSystem.remove(paths.checkpoint).catch(() => {}); // nothing goes on from what is refused
      throw error;
    }
    return await finishShards(paths, origin, complete, work, open);
  }
}

/** @throws {DataError} when the pass that trained the vocabulary had other documents */
function expectAsScanned(scan: Scan | undefined, { documents: { train, validation } }: StateRecord): void {
  if (!scan || (train === scan.numTrain && validation === scan.numValidation)) return;
  throw new DataError(`corpus: ${train + validation} documents, expected ${scan.numTrain + scan.numValidation} as in the first pass. A file changed meanwhile; run it again.`);
}

interface OpenShards {
  state: CorpusState;
  train: ShardWriter;
  validation: ShardWriter;
  log: AppendFile;
}

const NOTHING: ShardProgress = { numTokens: 0, numDocuments: 0, textBytes: 0 };

/** New files. */
async function begin(work: Work, paths: { train: string; validation: string }, origin: ShardOrigin, split: Split): Promise<OpenShards> {
  return (await openShards(work, paths, origin, stateOf(work, split), NOTHING, NOTHING))!;
}

/** What an interrupted call left, or nothing when it is not whole. */
async function reopen(work: Work, paths: { train: string; validation: string }, origin: ShardOrigin, from: Checkpoint): Promise<OpenShards | undefined> {
  const open = await openShards(work, paths, origin, stateOf(work, from.split, from.state), from.train, from.validation);
  if (open) await recall(open.state, `${join(work.directory, CORPUS_FILES.documents)}.partial`);
  return open;
}

async function openShards(
  work: Work,
  paths: { train: string; validation: string },
  origin: ShardOrigin,
  state: CorpusState,
  fromTrain: ShardProgress,
  fromValidation: ShardProgress,
): Promise<OpenShards | undefined> {
  const opened: { close(): Promise<void> }[] = [];
  const keep = <T extends { close(): Promise<void> }>(file: T | undefined): T | undefined => {
    if (file) opened.push(file);
    return file;
  };
  let isWhole = false;
  try {
    const log = keep(await openLog(join(work.directory, CORPUS_FILES.documents), state.record.numRemembered, state.bands, work.fileSystem));
    const train = log && keep(await ShardWriter.open(paths.train, origin, work.fileSystem, fromTrain));
    const validation = train && keep(await ShardWriter.open(paths.validation, origin, work.fileSystem, fromValidation));
    isWhole = validation !== undefined;
    return validation && { state, log, train, validation };
  } finally {
    if (!isWhole) await Promise.all(opened.map((file) => file.close()));
  }
}

async function fillShards(work: Work, tokenizer: Tokenizer, split: Split, open: OpenShards, checkpointPath: string): Promise<Checkpoint> {
  const { state, train, validation, log } = open;
  const definition = definitionOf(tokenizer, work.separator);
  /** Of what stands at the time of the call, whatever is appended meanwhile. */
  const checkpoint = async (isComplete: boolean): Promise<Checkpoint> => {
    const state = structuredClone(open.state.record);
    const { falsePositiveRate } = open.state;
    const [trainReached, validationReached] = await Promise.all([train.checkpoint(), validation.checkpoint(), log.sync()]);
    const reached: Checkpoint = {
      digest: work.digest,
      tokenizerDigest: tokenizer.digest,
      split,
      state,
      train: trainReached,
      validation: validationReached,
      isComplete,
      ...(falsePositiveRate !== undefined && { falsePositiveRate }),
    };
    await atomicWrite(checkpointPath, `${JSON.stringify(reached)}\n`, work.fileSystem);
    return reached;
  };
  const textBytes = () => train.progress.textBytes + validation.progress.textBytes;
  const numTokens = () => train.progress.numTokens + validation.progress.numTokens;
  let last = textBytes();
  let storing: Promise<unknown> = Promise.resolve(); // the last checkpoint, while the pass goes on
  try {
    for await (const { treated, decisions, lineBefore } of passOver(work, "encode corpus", state, definition, { numTokens })) {
      for (const [decision, ids, ends, bytes] of runsOf(treated, decisions)) {
        if (decision === TRAIN) await train.appendAll(ids, ends, bytes);
        else if (decision === VALIDATION) await validation.appendAll(ids, ends, bytes);
      }
      await logBatch(log, treated, decisions, state.bands, lineBefore);
      if (textBytes() - last < work.checkpointBytes) continue;
      await storing;
      storing = checkpoint(false);
      storing.catch(() => {}); // said at the next one
      last = textBytes();
    }
  } finally {
    await storing;
  }
  return await checkpoint(true);
}

/** Documents in a row of which the same becomes: their ids, where each ends, bytes of their texts. */
function* runsOf({ output, ends, textBytes }: Treated, decisions: Uint8Array): Generator<[decision: number, ids: Uint32Array, ends: Uint32Array, textBytes: number]> {
  for (let from = 0, start = 0; from < decisions.length; ) {
    let to = from;
    let bytes = 0;
    while (to < decisions.length && decisions[to] === decisions[from]) bytes += textBytes[to++]!;
    const end = ends[to - 1]!;
    const first = start;
    yield [decisions[from]!, (output as Uint32Array).subarray(start, end), ends.subarray(from, to).map((at) => at - first), bytes];
    from = to;
    start = end;
  }
}

/** Gives the complete shards their names, unless they have them; nothing when they are not whole. */
async function finishShards(paths: { train: string; validation: string }, origin: ShardOrigin, from: Checkpoint, work: Work, open?: OpenShards): Promise<EncodedCorpus | undefined> {
  const finish = async (side: "train" | "validation"): Promise<ShardHeader | undefined> => {
    const finished = open ? undefined : await finishedShard(paths[side], origin);
    const writer = finished ? undefined : (open?.[side] ?? (await ShardWriter.open(paths[side], origin, work.fileSystem, from[side])));
    return finished ?? (await writer?.finish().finally(() => writer.close()));
  };
  const finishing = [finish("train"), finish("validation")] as const;
  await Promise.allSettled(finishing); // one that fails leaves no other at work
  const [train, validation] = await Promise.all(finishing);
  if (!train || !validation) return undefined;
  if (work.slice) {
    const log = open?.log ?? await openLog(join(work.directory, CORPUS_FILES.documents), from.state.numRemembered, stateOf(work, from.split).bands, work.fileSystem);
    await log?.finish();
  }
  return {
    train,
    validation,
    record: from.state,
    split: from.split,
    ...(from.falsePositiveRate !== undefined && { falsePositiveRate: from.falsePositiveRate }),
  };
}

/** The shard of generated documents. */
export async function encodeExtra({ directory, fileSystem, signal, separator: text }: Work, extra: ExtraDocuments, tokenizer: Tokenizer, origin: ShardOrigin) {
  const separator = tokenizer.specialId(text);
  return await writeShard(
    join(directory, CORPUS_FILES.extra),
    origin,
    async (append) => {
      for (const text of extra.documents()) {
        throwIfAborted(signal);
        const ids = tokenizer.encode(text);
        const all = new Uint32Array(ids.length + 1);
        all.set(ids);
        all[ids.length] = separator;
        await append(all, Buffer.byteLength(text));
      }
    },
    fileSystem,
  );
}
