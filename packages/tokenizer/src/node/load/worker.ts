import { parentPort, workerData } from "node:worker_threads";
import { setRow } from "../../data/batch.ts";
import { documentIndices } from "../../data/documentIndices.ts";
import { windowOrder } from "../../data/windowOrder.ts";
import type { LoadRequest } from "./loader.ts";
import { Ring } from "./ring.ts";
import { openTokenFile } from "./tokenFile.ts";

/** The thread that reads ahead: fills slots of the ring until the loader is closed. */
async function readAhead({ sources, state, batchSize, seqLen, separator, layout, memory }: LoadRequest): Promise<void> {
  const ring = new Ring(layout, memory);
  try {
    const files = await Promise.all(sources.map(({ path }) => openTokenFile(path, { digest: false })));
    const windowAt = windowOrder(sources, state.seed, seqLen, "loader");
    const window = new Int32Array(seqLen + 1);
    parentPort!.postMessage("ready");
    let number = state.tokenOffset / seqLen;
    const fill = (batch: Parameters<typeof setRow>[0] & { documents?: Int32Array }) => {
      for (let b = 0; b < batchSize; b++) {
        const { source, start } = windowAt(number++);
        files[source]!.read(start, window);
        setRow(batch, b, window);
      }
      if (batch.documents) documentIndices(batch.tokens, seqLen, separator!, batch.documents);
    };
    while (ring.put(fill));
    for (const file of files) file.close();
  } catch (error) {
    ring.fail((error as Error).message);
    parentPort!.postMessage("failed"); // where it never was ready: `next` says why
  }
}

await readAhead(workerData as LoadRequest);
