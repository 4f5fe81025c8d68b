import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { disk, intercept } from "@espalier/core/node";
import { cl100k } from "../node/encoding.ts";
import { loadTokenizer } from "../node/loadTokenizer.ts";
import { prepareCorpus } from "../node/prepareCorpus.ts";

/** Ends this process at a disk operation or after a time, as a power cut would. */
export interface KillAt {
  operation?: number;
  afterMs?: number;
}

interface RunOptions {
  input: string;
  directory: string;
  workers: number;
  /** Path of a tokeniser and its separator. Default: cl100k. */
  tokenizer?: { path: string; separator: string };
  repeatedSpans?: boolean;
  /** Whether near copies are sought, in workers; else ids are made by threads of the addon. Default true. */
  nearDuplicates?: boolean;
  kill?: KillAt;
}

/** Prepares a corpus in a process of its own that is killed on the way; true when it came to its end all the same. */
export async function runKilled(options: RunOptions): Promise<boolean> {
  const child = spawn(process.execPath, ["--conditions=@espalier/source", "--disable-warning=ExperimentalWarning", fileURLToPath(import.meta.url), JSON.stringify(options)], { stdio: ["ignore", "ignore", "inherit"] });
  const timer = options.kill?.afterMs === undefined ? undefined : setTimeout(() => child.kill("SIGKILL"), options.kill.afterMs);
  const [code, signal] = (await once(child, "exit")) as [number | null, string | null];
  clearTimeout(timer);
  if (signal === null && code !== 0) throw new Error(`the run ended with code ${code}`);
  return signal === null;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { input, directory, workers, tokenizer, nearDuplicates = true, repeatedSpans, kill } = JSON.parse(process.argv[2]!) as RunOptions;
  let operations = 0;
  const fileSystem = intercept(disk, () => {
    if (++operations === kill?.operation) process.kill(process.pid, "SIGKILL");
  });
  await prepareCorpus({ inputs: [input], directory, tokenizer: tokenizer ? await loadTokenizer(tokenizer.path) : cl100k(), ...(tokenizer && { separator: tokenizer.separator }), validationShare: 0.1, ...(nearDuplicates && { nearDuplicates: { memoryBytes: 1 << 22 } }), ...(repeatedSpans && { repeatedSpans: {} }), workers, checkpointBytes: 1 << 19, fileSystem });
}
