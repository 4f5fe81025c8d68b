import { parentPort, workerData } from "node:worker_threads";
import { type Batch, setRow } from "../../data/batch.ts";
import { documentIndices } from "../../data/documentIndices.ts";
import { packedBatches } from "../../data/packedBatches.ts";
import { windowOrder } from "../../data/windowOrder.ts";
import { openDocumentEnds } from "./documentEnds.ts";
import type { LoadRequest } from "./loader.ts";
import { type LoadedBatch, Ring } from "./ring.ts";
import { openTokenFile, type TokenFile } from "./tokenFile.ts";

/** The thread that reads ahead: fills slots of the ring until the loader is closed. */
async function readAhead(request: LoadRequest): Promise<void> {
  const { sources, state, batchSize, seqLen, separator, packing, layout, memory } = request;
  const ring = new Ring(layout, memory);
  try {
    const files = await Promise.all(sources.map(({ path }) => openTokenFile(path, { digest: false })));
    const fillAt = packing ? await packedFrom(files, request) : windowsFrom(files, request);
    parentPort!.postMessage("ready");
    let { tokenOffset } = state;
    const fill = (batch: LoadedBatch) => {
      fillAt(tokenOffset, batch);
      tokenOffset += batchSize * seqLen;
      if (batch.documents) documentIndices(batch.tokens, seqLen, separator!, batch.documents);
    };
    while (ring.put(fill));
    for (const file of files) file.close();
  } catch (error) {
    ring.fail((error as Error).message);
    parentPort!.postMessage("failed"); // where it never was ready: `next` says why
  }
}

/** Documents end to end, cut every T tokens. */
function windowsFrom(files: readonly TokenFile[], { sources, state, batchSize, seqLen }: LoadRequest): (tokenOffset: number, batch: Batch) => void {
  const windowAt = windowOrder(sources, state.seed, seqLen, "loader");
  const window = new Int32Array(seqLen + 1);
  return (tokenOffset, batch) => {
    for (let b = 0; b < batchSize; b++) {
      const { source, start } = windowAt(tokenOffset / seqLen + b);
      files[source]!.read(start, window);
      setRow(batch, b, window);
    }
  };
}

/** Whole documents. */
async function packedFrom(files: readonly TokenFile[], { sources, state, seqLen, separator }: LoadRequest): Promise<(tokenOffset: number, batch: Batch) => void> {
  const ends = await Promise.all(sources.map(({ path }) => openDocumentEnds(path, { digest: false }))); // open as long as the thread
  const packed = sources.map(({ name, weight }, i) => ({ name, weight, tokens: files[i]!, ends: ends[i]! }));
  return packedBatches({ sources: packed, seed: state.seed, seqLen, separator: separator! });
}

await readAhead(workerData as LoadRequest);
