/** Prepares a corpus again and again, killed at seeded moments, and compares with a run that was not: `pnpm soak <path> [rounds] [seed]`. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { random } from "@espalier/core";
import { readManifest } from "../src/node/manifest.ts";
import { runKilled } from "../src/testing/killedRun.ts";

const [input, rounds = "10", seed = "0"] = process.argv.slice(2);
if (!input) throw new Error("usage: soak <file or directory> [rounds] [seed]");
const root = mkdtempSync(join(tmpdir(), "espalier-soak-"));
try {
  const start = performance.now();
  await runKilled({ input, directory: join(root, "whole"), workers: 0 });
  const wholeMs = performance.now() - start;
  const whole = await readManifest(join(root, "whole"));
  const draw = random(Number(seed), "soak").sequence();
  let kills = 0;
  for (let round = 0; round < Number(rounds); round++) {
    const directory = join(root, "killed");
    const workers = round % 3;
    const byTime = round % 2 === 0;
    while (!(await runKilled({ input, directory, workers, kill: byTime ? { afterMs: 100 + draw.uniform() * wholeMs } : { operation: 5 + draw.integer(200) } }))) kills++;
    const manifest = await readManifest(directory);
    if (JSON.stringify(manifest) !== JSON.stringify(whole)) throw new Error(`round ${round} (seed ${seed}): the manifest differs from the one of a run without a kill`);
    rmSync(directory, { recursive: true });
    console.log(`round ${round}: ${workers} workers, ${kills} kills so far, train ${manifest.train.sha256.slice(0, 12)}, validation ${manifest.validation.sha256.slice(0, 12)}: the same`);
  }
} finally {
  rmSync(root, { recursive: true, force: true });
}
