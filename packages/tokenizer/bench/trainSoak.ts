/**
 * BPE training on text larger than its memory: `pnpm --filter @espalier/tokenizer soak:train <corpus.jsonl.gz> [GB] [MB]`.
 *
 * Makes a JSONL file of so many GB of the corpus, in which words keep being new, and prepares it in processes that may
 * use so many MB each (a control group where one can be made, else only looked at): with one and two workers, and killed
 * on the way and begun again. The vocabulary must be the one that training without a limit gives; no file may be left.
 */
import { spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { CancelledError, random } from "@espalier/core";
import { prepareCorpus } from "../src/node/prepareCorpus.ts";

const VOCAB_SIZE = 32_768;
/** What a word of those made here takes while tokens are learned. */
const BYTES_A_WORD = 190;
const WORD = / [a-z]{6}(?=[ ,.])/g;

interface Run {
  input: string;
  directory: string;
  workers: number;
  memoryBytes?: number;
}
interface Outcome {
  seconds: number;
  spills: number;
  digest: string;
  peakBytes: number;
  reports: number;
}

/** Documents of a corpus again and again, some words replaced by words of a long tail: about half as many new ones in the last half. */
function writeInput(path: string, corpus: string, bytes: number, numWords: number): number {
  const lines = gunzipSync(readFileSync(corpus)).toString().split("\n").filter((line) => line !== "");
  const documents = lines.map((line) => JSON.stringify({ text: (JSON.parse(line) as { text: string }).text }));
  const all = Buffer.from(`${documents.join("\n")}\n`);
  const places = Array.from(all.toString("latin1").matchAll(WORD), ({ index }) => index + 1);
  const draw = random(1, "words").sequence();
  const file = openSync(path, "w");
  let written = 0;
  while (written < bytes) {
    for (const at of places) {
      let word = Math.floor(numWords ** draw.uniform()) * 7_919 % 26 ** 6; // the k-th word about 1/k of the times
      for (let i = 0; i < 6; i++, word = Math.floor(word / 26)) all[at + i] = 97 + (word % 26);
    }
    written += writeSync(file, all);
  }
  closeSync(file);
  return written;
}

/** One preparation up to the vocabulary, in this process. */
async function train({ input, directory, workers, memoryBytes }: Run): Promise<Outcome> {
  const done = new AbortController();
  const start = performance.now();
  let seconds = 0;
  let reports = 0;
  let spills = 0;
  const look = setInterval(() => (spills = Math.max(spills, ...runsOf(directory).map((name) => Number(name.split(".")[1]) + 1))), 50);
  await prepareCorpus({
    inputs: [input], directory, workers, signal: done.signal, tokenizer: { vocabSize: VOCAB_SIZE },
    ...(memoryBytes !== undefined && { trainingMemoryBytes: memoryBytes }),
    progress: ({ task }) => {
      reports++;
      if (task !== "encode corpus" || seconds > 0) return;
      seconds = (performance.now() - start) / 1000;
      done.abort();
    },
  }).catch((error: unknown) => {
    if (!(error instanceof CancelledError)) throw error;
  });
  clearInterval(look);
  const { digest } = JSON.parse(readFileSync(join(directory, "tokenizer.json"), "utf8")) as { digest: string };
  return { seconds, spills, digest, peakBytes: peakBytes(), reports };
}

const runsOf = (directory: string): string[] => (existsSync(directory) ? readdirSync(directory).filter((name) => /^pieces\.\d+\.run$/.test(name)) : []);

/** The most memory that this process has held. */
function peakBytes(): number {
  const line = existsSync("/proc/self/status") ? /VmHWM:\s+(\d+) kB/.exec(readFileSync("/proc/self/status", "utf8")) : null;
  return line ? Number(line[1]) * 1024 : process.resourceUsage().maxRSS * 1024;
}

/** A control group with this limit, or nothing where none can be made. */
function controlGroup(limitBytes: number): { processes: string; remove(): void } | undefined {
  const name = `espalier-soak-${process.pid}`;
  for (const [parent, file] of [["/sys/fs/cgroup/memory", "memory.limit_in_bytes"], ["/sys/fs/cgroup", "memory.max"]] as const) {
    const directory = join(parent, name);
    try {
      mkdirSync(directory);
      writeFileSync(join(directory, file), String(limitBytes));
      return { processes: join(directory, "cgroup.procs"), remove: () => rmdirSync(directory) };
    } catch {
      if (existsSync(directory)) rmdirSync(directory);
    }
  }
  return undefined;
}

/** The same in a process of its own, ended when `killed` says so; nothing then. */
async function trainApart(run: Run, processes: string | undefined, killed: () => boolean = () => false): Promise<Outcome | undefined> {
  const command = [process.execPath, "--conditions=@espalier/source", "--disable-warning=ExperimentalWarning", fileURLToPath(import.meta.url), "--run", JSON.stringify(run)];
  const [program, ...args] = processes === undefined ? command : ["sh", "-c", 'echo $$ > "$0" && exec "$@"', processes, ...command];
  const child = spawn(program!, args, { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const timer = setInterval(() => killed() && child.kill("SIGKILL"), 50);
  const [code, signal] = (await once(child, "close")) as [number | null, string | null];
  clearInterval(timer);
  if (signal === "SIGKILL" && killed()) return undefined;
  if (code !== 0) throw new Error(`the run with ${run.workers} workers ended with ${signal ?? `code ${code}`}`);
  return JSON.parse(output) as Outcome;
}

async function main(corpus: string | undefined, gigabytes: number, megabytes: number): Promise<void> {
  if (!corpus || !(gigabytes > 0 && megabytes >= 300)) throw new Error("usage: soak:train <corpus.jsonl.gz> [GB, default 6] [MB, default 1500, at least 300]");
  const root = mkdtempSync(join(tmpdir(), "espalier-train-soak-"));
  const memoryBytes = (megabytes * 1e6) / 2; // as prepareCorpus takes by itself in a group of this limit
  const group = controlGroup(megabytes * 1e6);
  try {
    const input = join(root, "input.jsonl");
    const bytes = writeInput(input, corpus, gigabytes * 1e9, memoryBytes / BYTES_A_WORD);
    console.log(`${(bytes / 1e9).toFixed(2)} GB of JSON lines; ${megabytes} MB a process, ${group ? "which the system enforces" : "which nothing enforces: no control group could be made"}`);
    const show = (what: string, { seconds, spills, digest, peakBytes, reports }: Outcome) =>
      console.log(`${what}: ${(bytes / 1e6 / seconds).toFixed(0)} MB/s (${seconds.toFixed(0)} s), peak ${(peakBytes / 1e6).toFixed(0)} MB, ${spills} runs on disk, ${reports} reports of progress, vocabulary ${digest.slice(0, 12)}`);
    const whole = (await trainApart({ input, directory: join(root, "whole"), workers: 2, memoryBytes: 64e9 }, undefined))!;
    show("no limit, 2 workers", whole);
    for (const [name, workers, kill] of [["1 worker", 1, false], ["2 workers", 2, false], ["2 workers, killed and begun again", 2, true]] as const) {
      const directory = join(root, "limited");
      const run = { input, directory, workers, ...(!group && { memoryBytes }) };
      if (kill && (await trainApart(run, group?.processes, () => runsOf(directory).length >= 2))) throw new Error("nothing was killed: no two runs on disk. Take more text or less memory.");
      const left = runsOf(directory).length;
      const outcome = (await trainApart(run, group?.processes))!;
      show(kill ? `${name} (${left} runs had been left)` : name, outcome);
      if (outcome.digest !== whole.digest) throw new Error(`${name}: another vocabulary than without a limit`);
      if (outcome.peakBytes > megabytes * 1e6 || outcome.spills === 0) throw new Error(`${name}: ${outcome.peakBytes} bytes held, ${outcome.spills} runs written; expected at most ${megabytes * 1e6}, and runs`);
      if (runsOf(directory).length > 0) throw new Error(`${name}: left ${runsOf(directory).join(", ")}`);
      rmSync(directory, { recursive: true });
    }
  } finally {
    group?.remove();
    rmSync(root, { recursive: true, force: true });
  }
}

if (process.argv[2] === "--run") console.log(JSON.stringify(await train(JSON.parse(process.argv[3]!) as Run)));
else await main(process.argv[2], Number(process.argv[3] ?? 6), Number(process.argv[4] ?? 1500));
