import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { ReproductionReport } from "@espalier/spec/run";

export interface Ended {
  status: number | null;
  signal: NodeJS.Signals | null;
  stderr: string;
}

const main = join(import.meta.dirname, "../src/main.ts");

/**
 * Runs `espalier reproduce` from source until it ends.
 *
 * @param killAfterMs SIGKILL after so long; undefined: never
 * @param preload     module loaded into the command's process before it starts
 */
export function reproduceOnce(args: readonly string[], options: { killAfterMs?: number; preload?: string; env?: Record<string, string> } = {}): Promise<Ended> {
  const { killAfterMs, preload, env } = options;
  const flags = ["--conditions=@espalier/source", "--disable-warning=ExperimentalWarning", ...(preload ? ["--import", preload] : [])];
  const child = spawn(process.execPath, [...flags, main, "reproduce", ...args], {
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, ...env },
  });
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => void (stderr += chunk.toString()));
  const timer = killAfterMs === undefined ? undefined : setTimeout(() => child.kill("SIGKILL"), killAfterMs);
  return new Promise((resolve) =>
    child.once("close", (status, signal) => {
      clearTimeout(timer);
      resolve({ status, signal, stderr });
    }),
  );
}

/** What must be equal between two runs of one plan: digest and final loss of every arm, by id. */
export function outcome(directory: string): Record<string, string> {
  const { arms } = JSON.parse(readFileSync(join(directory, "report.json"), "utf8")) as ReproductionReport;
  return Object.fromEntries(arms.map((arm) => [arm.id, `${arm.checkpointDigest} ${arm.finalLoss}`]).toSorted());
}

/** Names of files left half-written below a directory, and of JSON files that do not parse. */
export function halfWritten(directory: string): string[] {
  const found: string[] = [];
  for (const entry of readdirSync(directory, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    if (/\.tmp$/.test(entry.name)) found.push(path);
    if (!entry.isFile() || !entry.name.endsWith(".json")) continue;
    try {
      JSON.parse(readFileSync(path, "utf8"));
    } catch {
      found.push(path);
    }
  }
  return found;
}
