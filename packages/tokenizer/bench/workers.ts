/**
 * The same documents encoded by every worker at once, each with an encoder of its own: the speed of all together. Texts lie
 * in memory that all read, and are encoded a megabyte a call into memory that is used again, as the pipeline does.
 */
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { ours } from "./ours.ts";

interface Batch {
  bytes: Uint8Array;
  ends: Uint32Array;
}
interface Task {
  batches: Batch[];
  passes: number;
}

const BATCH_BYTES = 1 << 20;

/** Bytes a second of `count` workers that begin together. */
export async function workersSpeed(count: number, documents: readonly Uint8Array[], passes: number): Promise<number> {
  const workerData: Task = { batches: batchesOf(documents), passes };
  const workers = Array.from({ length: count }, () => new Worker(new URL(import.meta.url), { workerData, execArgv: ["--conditions=@espalier/source"] }));
  const once = (worker: Worker) => new Promise<void>((resolve, reject) => worker.once("message", resolve).once("error", reject));
  await Promise.all(workers.map(once)); // ready
  const start = performance.now();
  await Promise.all(workers.map((worker) => (worker.postMessage("begin"), once(worker))));
  const seconds = (performance.now() - start) / 1000;
  await Promise.all(workers.map((worker) => worker.terminate()));
  return (count * passes * documents.reduce((sum, { length }) => sum + length, 0)) / seconds;
}

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

if (!isMainThread) {
  const { batches, passes } = workerData as Task;
  const port = parentPort!;
  const tokenizer = ours("auto");
  const out = new Uint32Array(Math.max(...batches.map(({ bytes, ends }) => bytes.length + ends.length + 16)));
  port.once("message", () => {
    for (let pass = 0; pass < passes; pass++) for (const { bytes, ends } of batches) tokenizer.encodeDocuments(bytes, ends, { out });
    port.postMessage("done");
  });
  port.postMessage("ready");
}
