import { parentPort, workerData } from "node:worker_threads";
import { EspalierError } from "@espalier/core";
import type { Batch } from "../read/batches.ts";
import { createTreat, type StageOptions } from "./treat.ts";

const port = parentPort!;
const treat = createTreat(workerData as StageOptions);
treat.catch(() => {}); // said when the first batch comes: the worker may have been started long before

port.on("message", (batch: Batch) => {
  treat
    .then((run) => {
      const treated = run(batch);
      const arrays = [treated.numbers, treated.hashes, treated.positions, treated.textBytes, treated.output, treated.ends, treated.bandKeys];
      port.postMessage({ treated }, arrays.flatMap((array) => (array ? [array.buffer as ArrayBuffer] : [])));
    })
    .catch((error: unknown) => {
      if (!(error instanceof EspalierError)) throw error;
      port.postMessage({ failed: { name: error.name, message: error.message } });
    });
});
