/** The same documents encoded by every worker at once, each with an encoder of its own: the speed of all together. */
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { ours } from "./ours.ts";

interface Task {
  documents: Uint8Array[];
  passes: number;
}

/** Bytes a second of `count` workers that begin together. */
export async function workersSpeed(count: number, documents: readonly Uint8Array[], passes: number): Promise<number> {
  const workers = Array.from({ length: count }, () => new Worker(new URL(import.meta.url), { workerData: { documents, passes }, execArgv: ["--conditions=@espalier/source"] }));
  const once = (worker: Worker) => new Promise<void>((resolve, reject) => worker.once("message", resolve).once("error", reject));
  await Promise.all(workers.map(once)); // ready
  const start = performance.now();
  await Promise.all(workers.map((worker) => (worker.postMessage("begin"), once(worker))));
  const seconds = (performance.now() - start) / 1000;
  await Promise.all(workers.map((worker) => worker.terminate()));
  return (count * passes * documents.reduce((sum, { length }) => sum + length, 0)) / seconds;
}

if (!isMainThread) {
  const { documents, passes } = workerData as Task;
  const port = parentPort!;
  const tokenizer = ours("auto");
  port.once("message", () => {
    for (let pass = 0; pass < passes; pass++) for (const document of documents) tokenizer.encode(document);
    port.postMessage("done");
  });
  port.postMessage("ready");
}
