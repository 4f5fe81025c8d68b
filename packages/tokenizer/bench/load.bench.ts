/**
 * Loading batches beside a busy training thread: `node --conditions=@espalier/source bench/load.bench.ts [tokens in millions]`.
 *
 * A shard of random ids; windows in shuffled order, file in the page cache. `batchAt` reads on the calling thread; the loader
 * reads ahead while the calling thread computes, so what it costs there is the wait in `next`.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { random } from "@espalier/core";
import { batchAt } from "../src/index.ts";
import { openLoader, openTokenFile, writeShard } from "../src/node/index.ts";
import { median } from "./measure.ts";

const millions = Number(process.argv[2] ?? 64);
const [B, T, BATCHES, COMPUTE_MS] = [16, 1024, 400, 5];
const directory = mkdtempSync(join(tmpdir(), "espalier-bench-"));
try {
  const path = join(directory, "train.bin");
  const draw = random(1, "load");
  const ids = Uint32Array.from({ length: 1_000_000 }, (_, i) => draw.integer(i, 50_000));
  await writeShard(path, { tokenizerDigest: "", sourceDigest: "" }, async (append) => {
    for (let i = 0; i < millions; i++) await append(ids, 0);
  });
  const file = await openTokenFile(path);
  const sources = [{ name: "text", tokens: file, weight: 1 }];
  const here = Array.from({ length: BATCHES }, (_, i) => {
    const start = performance.now();
    batchAt({ sources, seed: 1, tokenOffset: i * B * T, batchSize: B, seqLen: T });
    return performance.now() - start;
  });
  file.close();
  const loader = await openLoader({ sources: [{ name: "text", path, weight: 1 }], state: { seed: 1, tokenOffset: 0 }, batchSize: B, seqLen: T, separator: 0 });
  const waits = Array.from({ length: BATCHES }, () => {
    const start = performance.now();
    loader.next();
    const waited = performance.now() - start;
    for (const from = performance.now(); performance.now() - from < COMPUTE_MS; );
    return waited;
  });
  await loader.close();
  const micro = (values: number[]) => `${(1000 * median(values)).toFixed(0)} us (99 %: ${(1000 * values.toSorted((a, b) => a - b)[Math.floor(values.length * 0.99)]!).toFixed(0)})`;
  console.log(`${millions} M tokens, batches of ${B} x ${T}: batchAt ${micro(here)} on the calling thread; loader ${micro(waits)} beside ${COMPUTE_MS} ms of computing a batch`);
} finally {
  rmSync(directory, { recursive: true });
}
