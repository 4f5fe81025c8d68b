import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { RunKind } from "./runs.ts";

export interface Outcome {
  /** Ended by SIGKILL. */
  killed: boolean;
  digest: string;
}

/** Runs `killedRun.ts` in a process of its own until it ends or kills itself before disk operation `kill`. */
export function trainUntilKilled(directory: string, kill: number, executor: string, { kind = "plain", log }: { kind?: RunKind; log?: string } = {}): Outcome {
  const script = join(import.meta.dirname, "killedRun.ts");
  const flags = ["--conditions=@espalier/source", "--disable-warning=ExperimentalWarning", script];
  const options = [directory, String(kill), executor, kind, ...(log ? [log] : [])];
  const child = spawnSync(process.execPath, [...flags, ...options], { encoding: "utf8" });
  if (child.signal !== "SIGKILL" && child.status !== 0) throw new Error(child.stderr);
  return { killed: child.signal === "SIGKILL", digest: child.stdout.trim() };
}

/** The disk operations of an uninterrupted run, in order, and its digest. */
export function diskOperations(directory: string, executor: string, kind: RunKind = "plain"): { operations: string[]; digest: string } {
  const log = `${directory}.log`;
  const { digest } = trainUntilKilled(directory, 0, executor, { kind, log });
  return { operations: readFileSync(log, "utf8").trim().split("\n"), digest };
}
