/**
 * The same documents encoded by several at once, each with an encoder of its own: the speed of all together. Workers have
 * texts in memory that all read, and encode a megabyte a call into memory that is used again, as the pipeline does.
 * Processes, which share nothing, do the same: what they lose beside one alone is the machine's. Threads of the addon take
 * batches of JSON lines from one queue, as the pipeline gives them.
 */
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { nativeTreatPool } from "#native";
import { corpus, textsOf } from "./measure.ts";
import { ours } from "./ours.ts";

interface Batch {
  bytes: Uint8Array;
  ends: Uint32Array;
}
interface Task {
  batches: Batch[];
  passes: number;
}
/** A thread or process that says "ready", begins when told to, and says "done". */
interface Runner {
  heard: () => Promise<unknown>;
  begin: () => void;
  end: () => unknown;
}

const BATCH_BYTES = 1 << 20;
const execArgv = ["--conditions=@espalier/source"];

/** Bytes a second of `count` workers that begin together. */
export async function workersSpeed(count: number, documents: readonly Uint8Array[], passes: number): Promise<number> {
  const workerData: Task = { batches: batchesOf(documents), passes };
  const seconds = await secondsTogether(count, () => {
    const worker = new Worker(new URL(import.meta.url), { workerData, execArgv });
    const heard = () => new Promise<void>((resolve, reject) => worker.once("message", resolve).once("error", reject));
    return { heard, begin: () => worker.postMessage("begin"), end: () => worker.terminate() };
  });
  return (count * passes * bytesOf(documents)) / seconds;
}

/** The same of processes, which read `file` of the corpus themselves. */
export async function processesSpeed(count: number, file: string, passes: number): Promise<number> {
  const seconds = await secondsTogether(count, () => {
    const child = fork(fileURLToPath(import.meta.url), [file, String(passes)], { execArgv });
    const heard = () => new Promise<void>((resolve, reject) => child.once("message", () => resolve()).once("error", reject));
    return { heard, begin: () => child.send("begin"), end: () => child.kill() };
  });
  return (count * passes * bytesOf(documentsOf(file))) / seconds;
}

async function secondsTogether(count: number, start: () => Runner): Promise<number> {
  const runners = Array.from({ length: count }, start);
  await Promise.all(runners.map(({ heard }) => heard()));
  const began = performance.now();
  await Promise.all(runners.map(({ heard, begin }) => (begin(), heard())));
  const seconds = (performance.now() - began) / 1000;
  await Promise.all(runners.map(({ end }) => end()));
  return seconds;
}

/** Bytes of text a second of `count` threads of the addon, from JSON lines to digests and ids. */
export async function threadsSpeed(count: number, texts: readonly string[], passes: number): Promise<number> {
  const { ranks } = ours("auto");
  const pool = nativeTreatPool({ ranks, pattern: "cl100k", separator: 100257 }, Buffer.from("text"), count)!;
  const batches = batchesOf(texts.map((text) => Buffer.from(`${JSON.stringify({ text })}\n`)));
  const rooms = Array.from({ length: 4 * count }, () => new Uint32Array(2 * BATCH_BYTES));
  const treat = async (next: Iterator<Batch>, room: Uint32Array): Promise<void> => {
    for (let batch = next.next(); !batch.done; batch = next.next()) {
      if (typeof (await pool.treat(batch.value.bytes, room)) === "number") throw new Error("no room for the ids of a batch");
    }
  };
  await Promise.all(rooms.map((room) => treat(batches.slice(0, 1).values(), room))); // encoders are made by the threads themselves
  const queue = Array.from({ length: passes * count }, () => batches).flat().values();
  const began = performance.now();
  await Promise.all(rooms.map((room) => treat(queue, room)));
  const seconds = (performance.now() - began) / 1000;
  pool.close();
  return (count * passes * texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0)) / seconds;
}

const documentsOf = (file: string): Uint8Array[] => textsOf(new URL(file, corpus)).map((text) => new TextEncoder().encode(text));
const bytesOf = (documents: readonly Uint8Array[]): number => documents.reduce((sum, { length }) => sum + length, 0);

function batchesOf(documents: readonly Uint8Array[]): Batch[] {
  const batches: Batch[] = [];
  for (let from = 0; from < documents.length; ) {
    let to = from;
    let size = 0;
    const ends: number[] = [];
    while (to < documents.length && size < BATCH_BYTES) ends.push((size += documents[to++]!.length));
    const bytes = new Uint8Array(new SharedArrayBuffer(size));
    documents.slice(from, to).forEach((document, i) => bytes.set(document, i === 0 ? 0 : ends[i - 1]!));
    batches.push({ bytes, ends: Uint32Array.from(ends) });
    from = to;
  }
  return batches;
}

function encodeAll({ batches, passes }: Task): () => void {
  const tokenizer = ours("auto");
  const out = new Uint32Array(Math.max(...batches.map(({ bytes, ends }) => bytes.length + ends.length + 16)));
  return () => {
    for (let pass = 0; pass < passes; pass++) for (const { bytes, ends } of batches) tokenizer.encodeDocuments(bytes, ends, { out });
  };
}

if (!isMainThread) {
  const port = parentPort!;
  const encode = encodeAll(workerData as Task);
  port.once("message", () => {
    encode();
    port.postMessage("done");
  });
  port.postMessage("ready");
} else if (process.send && process.argv[1] === fileURLToPath(import.meta.url)) {
  const encode = encodeAll({ batches: batchesOf(documentsOf(process.argv[2]!)), passes: Number(process.argv[3]) });
  process.once("message", () => {
    encode();
    process.send!("done");
  });
  process.send("ready");
}
