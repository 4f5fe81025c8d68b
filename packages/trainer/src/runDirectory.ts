import { existsSync, readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ConfigError, FileError } from "@espalier/core";
import { atomicWrite, disk, type FileSystem, fileError, readLines, sha256 } from "@espalier/core/node";
import type { TrainPlan } from "@espalier/spec/plan";
import type { Metric, RunEvent, RunIdentity } from "@espalier/spec/run";
import { sortedKeys, TEMPORARY } from "./checkpoint.ts";

/** Paths inside a run directory. */
export const runPaths = {
  identity: (directory: string) => join(directory, "run.json"),
  events: (directory: string) => join(directory, "events.jsonl"),
  metrics: (directory: string) => join(directory, "metrics.jsonl"),
  tokenizer: (directory: string) => join(directory, "tokenizer.json"),
  checkpoints: (directory: string) => join(directory, "checkpoints"),
  /** `grown`: the model right after a growth, at the step where the stage before it ended. */
  checkpoint: (directory: string, step: number, grown: boolean) =>
    join(directory, "checkpoints", `step-${String(step).padStart(8, "0")}${grown ? "-grown" : ""}`),
};

/** sha256 of a plan, equal for equal plans whatever the order of their fields. */
export function planDigest(plan: TrainPlan): string {
  return sha256(JSON.stringify(plan, sortedKeys));
}

/**
 * Writes `run.json` in a new directory, or checks that an existing one is of the same plan, data and tokenizer.
 *
 * @throws {ConfigError} naming what differs
 */
export async function claimRun(directory: string, identity: RunIdentity, fileSystem: FileSystem = disk): Promise<RunIdentity> {
  const path = runPaths.identity(directory);
  if (!existsSync(path)) {
    await atomicWrite(path, `${JSON.stringify(identity, null, 2)}\n`, fileSystem);
    return identity;
  }
  const found = await readIdentity(directory);
  for (const field of ["planDigest", "dataDigest", "tokenizerDigest"] as const) {
    if (found[field] !== identity[field]) {
      throw new ConfigError(
        `${path}: ${field} is ${found[field].slice(0, 12)}, expected ${identity[field].slice(0, 12)} of this run. ` +
          "Continue with what it was started with, or choose another directory.",
      );
    }
  }
  return found;
}

/** Writes the tokenizer beside a run, once: `claimRun` has seen that it is the run's. */
export async function keepTokenizer(directory: string, json: () => string, fileSystem: FileSystem = disk): Promise<void> {
  const path = runPaths.tokenizer(directory);
  if (!existsSync(path)) await atomicWrite(path, json(), fileSystem);
}

/** @throws {FileError} when there is no run here, or its `run.json` is damaged */
export async function readIdentity(directory: string): Promise<RunIdentity> {
  const path = runPaths.identity(directory);
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    throw fileError("reading", path, error);
  });
  try {
    const identity = JSON.parse(text) as RunIdentity;
    if (identity.format === "espalier-run-1") return identity;
  } catch {
    // said below
  }
  throw new FileError(`${path}: not of format espalier-run-1. Choose the directory of a run.`);
}

/**
 * Events of a run, as if it had never been interrupted: what happened after the checkpoint that a later segment started
 * from is dropped, and so are repetitions.
 */
export async function readEvents(directory: string): Promise<RunEvent[]> {
  let events: RunEvent[] = [];
  for (const event of await readLines<RunEvent>(runPaths.events(directory))) {
    const isKept = (earlier: RunEvent) => earlier.step <= event.step || earlier.kind === "rollback";
    if (event.kind === "segment") events = events.filter(isKept);
    else events = events.filter((earlier) => !isSame(earlier, event));
    events.push(event);
  }
  return events;
}

function isSame(a: RunEvent, b: RunEvent): boolean {
  const key = (event: RunEvent) => [event.kind, event.step, "directory" in event ? event.directory : ""].join();
  return key(a) === key(b);
}

/** Metrics of a run, one a step, superseded segments dropped. */
export async function readMetrics(directory: string): Promise<Metric[]> {
  const metrics: Metric[] = [];
  for (const metric of await readLines<Metric>(runPaths.metrics(directory))) {
    while (metrics.length > 0 && metrics.at(-1)!.step >= metric.step) metrics.pop();
    metrics.push(metric);
  }
  return metrics;
}

/** Checkpoint directories of a run, oldest first, with their step. */
export function listCheckpoints(directory: string): { path: string; step: number; grown: boolean }[] {
  const root = runPaths.checkpoints(directory);
  if (!existsSync(root)) return [];
  return readdirSync(root)
    .sort()
    .flatMap((name) => {
      const match = /^step-(\d+)(-grown)?$/.exec(name);
      return match ? [{ path: join(root, name), step: Number(match[1]), grown: match[2] !== undefined }] : [];
    });
}

/** Removes what a killed writer left behind. Only the holder of the lock may call it. */
export async function removeLeftovers(directory: string, fileSystem: FileSystem = disk): Promise<void> {
  const root = runPaths.checkpoints(directory);
  for (const folder of [directory, root]) {
    if (!existsSync(folder)) continue;
    for (const name of readdirSync(folder)) {
      if (name.startsWith(TEMPORARY) || /^\..*\.tmp$/.test(name)) await fileSystem.remove(join(folder, name));
    }
  }
}
