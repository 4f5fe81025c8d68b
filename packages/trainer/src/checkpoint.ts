import { readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { ConfigError, FileError } from "@espalier/core";
import { disk, type FileSystem, fileError, renameDurably, sha256, sha256File, writeAndSync } from "@espalier/core/node";
import { openSafetensors, type SafetensorsFile, type TensorSource, writeSafetensors } from "@espalier/checkpoint";
import type { Births } from "@espalier/growth";
import { type ModelConfig, parameters, parseModelConfig } from "@espalier/spec/model";
import type { RunEvent } from "@espalier/spec/run";
import type { Tokenizer } from "@espalier/tokenizer";
import type { ModelState, Tree } from "./deviceModel.ts";

const FORMAT = "espalier-checkpoint-1";
/** Names inside a checkpoint directory. */
export const CHECKPOINT_FILES = { model: "model.safetensors", state: "state.safetensors", record: "state.json" } as const;

type WithoutTime<E> = E extends unknown ? Omit<E, "at"> : never;

/** What happened to the model so far, without clock times: the same for every machine and however often it was killed. */
export type HistoryEvent = WithoutTime<Extract<RunEvent, { kind: "growth" | "rampEnd" | "stageEnd" }>>;

/** `state.json`: where in its plan a run stands. Its sha256 is the checkpoint's digest. */
export interface CheckpointRecord {
  format: typeof FORMAT;
  planDigest: string;
  tokenizerDigest: string;
  config: ModelConfig;
  stage: number;
  /** Finished optimiser steps. */
  step: number;
  /** Targets trained on: the whole state of the data order. */
  tokenOffset: number;
  births: Births;
  history: readonly HistoryEvent[];
  /** sha256 of the two tensor files. */
  files: { model: string; state: string };
}

export interface Checkpoint {
  directory: string;
  digest: string;
  record: CheckpointRecord;
}

/**
 * Writes a checkpoint directory: into a temporary name, every file synced, then renamed and the parent synced. Until the
 * rename is durable the checkpoint does not exist; after it, it is complete.
 *
 * @throws {FileError} on a full disk or any other refusal; nothing half-written stays
 */
export async function writeCheckpoint(
  directory: string,
  state: Required<ModelState>,
  about: Pick<CheckpointRecord, "planDigest" | "tokenizerDigest" | "stage" | "tokenOffset" | "history">,
  fileSystem: FileSystem = disk,
): Promise<Checkpoint> {
  const { config, step, births, moments } = state;
  const temporary = join(dirname(directory), `${TEMPORARY}${basename(directory)}`);
  try {
    await fileSystem.remove(temporary);
    await fileSystem.makeDirectory(temporary);
    const metadata = { format: "pt", "espalier.step": String(step) };
    const model = await writeSafetensors(join(temporary, CHECKPOINT_FILES.model), sources(config, "", state.parameters), { metadata, fileSystem });
    const optimizer = [...sources(config, "m.", moments.first), ...sources(config, "v.", moments.second)];
    const written = await writeSafetensors(join(temporary, CHECKPOINT_FILES.state), optimizer, { fileSystem });
    const files = { model: model.digest, state: written.digest };
    const record: CheckpointRecord = { format: FORMAT, ...about, config, step, births, files };
    const text = `${JSON.stringify(record, sortedKeys, 1)}\n`;
    await writeAndSync(join(temporary, CHECKPOINT_FILES.record), text, fileSystem);
    await fileSystem.syncDirectory(temporary);
    await fileSystem.remove(directory); // a damaged one of the same name, passed over by a rollback
    await renameDurably(temporary, directory, fileSystem);
    return { directory, digest: sha256(text), record };
  } catch (error) {
    await fileSystem.remove(temporary).catch(() => {});
    throw fileError("writing", directory, error);
  }
}

/** Prefix of directories that are being written; left behind only by a kill. */
export const TEMPORARY = ".writing-";

function sources(config: ModelConfig, prefix: string, tree: Tree): TensorSource[] {
  return parameters(config).map(({ name, shape }) => ({ name: prefix + name, dtype: "F32", shape, data: tree[name]! }));
}

/** Equal values give equal text, whatever order they were put together in. */
export function sortedKeys(_: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * Reads a checkpoint's record and checks both tensor files against it.
 *
 * @throws {FileError} when a file is missing, of another format, or its digest is not the recorded one
 */
export async function openCheckpoint(directory: string): Promise<Checkpoint> {
  const path = join(directory, CHECKPOINT_FILES.record);
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    throw fileError("reading", path, error);
  });
  let record: CheckpointRecord;
  try {
    record = JSON.parse(text) as CheckpointRecord;
    if (record.format !== FORMAT) throw new Error(String(record.format));
    parseModelConfig(record.config);
  } catch (cause) {
    throw new FileError(`${path}: not a record of format ${FORMAT}. Use another checkpoint.`, { cause });
  }
  for (const file of ["model", "state"] as const) {
    const digest = await sha256File(join(directory, CHECKPOINT_FILES[file]));
    if (digest !== record.files[file]) {
      throw new FileError(
        `${join(directory, CHECKPOINT_FILES[file])}: sha256 is ${digest.slice(0, 12)}, expected ${record.files[file].slice(0, 12)} as recorded. ` +
          "The checkpoint is damaged; use another.",
      );
    }
  }
  return { directory, digest: sha256(text), record };
}

/** @throws {ConfigError} when a checkpoint was trained with another tokenizer */
export function expectTokenizer({ directory, record }: Checkpoint, { name, digest }: Pick<Tokenizer, "name" | "digest">): void {
  if (digest === record.tokenizerDigest) return;
  const [found, expected] = [digest, record.tokenizerDigest].map((text) => text.slice(0, 12));
  throw new ConfigError(`${directory}: tokenizer ${name} has digest ${found}, expected ${expected}, which it was trained with. Use that tokenizer.`);
}

/**
 * Reads the arrays of a checkpoint; moments only when asked for.
 *
 * @throws {FileError} when a tensor is missing
 */
export async function readModelState({ directory, record }: Checkpoint, withMoments: boolean): Promise<ModelState> {
  const { config, births, step } = record;
  const model = await withFile(join(directory, CHECKPOINT_FILES.model), (file) => readTree(file, config, ""));
  if (!withMoments) return { config, births, step, parameters: model };
  const moments = await withFile(join(directory, CHECKPOINT_FILES.state), async (file) => ({
    first: await readTree(file, config, "m."),
    second: await readTree(file, config, "v."),
  }));
  return { config, births, step, parameters: model, moments };
}

async function withFile<T>(path: string, read: (file: SafetensorsFile) => Promise<T>): Promise<T> {
  const file = await openSafetensors(path);
  try {
    return await read(file);
  } finally {
    await file.close();
  }
}

async function readTree(file: SafetensorsFile, config: ModelConfig, prefix: string): Promise<Tree> {
  const tree: Record<string, Float32Array> = {};
  for (const { name } of parameters(config)) tree[name] = await file.readFloat32(prefix + name);
  return tree;
}
