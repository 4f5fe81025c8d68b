import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export interface KilledEvaluation {
  /** Ended by SIGKILL. */
  killed: boolean;
  /** Of logs, cache and result files; empty after a kill. */
  digest: string;
  /** Changes of the disk up to the end. */
  operations: number;
  /** Requests that reached the model in this process and had an answer in the cache file when it began. */
  askedAgain: number;
  /** Requests that reached the model in this process. */
  asked: number;
}

/** Runs `killedEvaluation.ts` in a process of its own until it ends or kills itself before disk operation `kill`. */
export function evaluateUntilKilled(directory: string, kill: number): KilledEvaluation {
  mkdirSync(directory, { recursive: true });
  const linesOf = (name: string) => (existsSync(join(directory, name)) ? readFileSync(join(directory, name), "utf8").split("\n").slice(0, -1) : []);
  const before = linesOf("asked.jsonl");
  const durable = linesOf("cache.jsonl").length;
  const script = join(import.meta.dirname, "killedEvaluation.ts");
  const child = spawnSync(process.execPath, ["--conditions=@espalier/source", "--disable-warning=ExperimentalWarning", script, directory, String(kill)], { encoding: "utf8" });
  if (child.signal !== "SIGKILL" && child.status !== 0) throw new Error(child.stderr);
  const [digest = "", operations = "0"] = child.signal === "SIGKILL" ? [] : child.stdout.trim().split(" ");
  const after = linesOf("asked.jsonl");
  // Requests reach the model in the order in which their answers reach the cache, so the first of them are in the file.
  const known = new Set([...new Set(before)].slice(0, durable));
  const fresh = after.slice(before.length);
  return { killed: child.signal === "SIGKILL", digest, operations: Number(operations), asked: fresh.length, askedAgain: fresh.filter((request) => known.has(request)).length };
}
