/**
 * Kills a training process with SIGKILL at seeded points, continues it, and compares the digest with the run that was
 * never killed; then fills the disk at every single operation.
 *
 *     node --conditions=@espalier/source bench/kill.soak.ts [points = 200] [seed = 1]
 *
 * Kill points are disk operations of the run: all that belong to growths, ramps and checkpoint renames come first, then
 * seeded others. Every third run is killed again while it recovers.
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FileError, random } from "@espalier/core";
import { disk, intercept } from "@espalier/core/node";
import { cpuExecutor } from "@espalier/kernels";
import { diskOperations, trainUntilKilled } from "../src/testing/kill.ts";
import { tinyData, tinyPlan } from "../src/testing/runs.ts";
import { train } from "../src/train.ts";

const points = Number(process.argv[2] ?? 200);
const seed = Number(process.argv[3] ?? 1);
const root = mkdtempSync(join(tmpdir(), "espalier-soak-"));
const seeded = random(seed, "kill soak").sequence();

const { operations, digest } = diskOperations(join(root, "whole"), "cpu");
const boundaries = operations.flatMap((operation, i) => (/^(rename|syncDirectory|remove|sync|open) /.test(operation) ? [i + 1] : []));
const order = [...seeded.shuffle(boundaries), ...Array.from({ length: points }, () => 1 + seeded.integer(operations.length))];
console.log(`${operations.length} disk operations, ${boundaries.length} of them boundaries; digest ${digest.slice(0, 16)}`);

let failures = 0;
for (const [i, point] of order.slice(0, points).entries()) {
  const directory = join(root, String(i));
  let kills = trainUntilKilled(directory, point, "cpu").killed ? 1 : 0;
  if (i % 3 === 0 && trainUntilKilled(directory, 1 + seeded.integer(operations.length), "cpu").killed) kills++;
  const end = trainUntilKilled(directory, 0, "cpu");
  const same = end.digest === digest && kills > 0;
  if (!same) failures++;
  console.log(`${i + 1}/${points}: killed before operation ${point} (${kills}x): ${same ? "same digest" : `DIFFERENT ${end.digest}`}`);
  rmSync(directory, { recursive: true });
}

const executor = cpuExecutor({ numThreads: 1 });
const inputs = { plan: tinyPlan(), data: tinyData(), executor };
let filled = 0;
for (let target = 1; target <= operations.length; target++) {
  const directory = join(root, "full");
  let count = 0;
  const full = intercept(disk, (operation, path) => {
    if (++count === target) throw Object.assign(new Error(path), { code: "ENOSPC", errno: -28, syscall: operation });
  });
  const error = await train({ ...inputs, directory }, { fileSystem: full }).catch((caught: unknown) => caught);
  const { digest: end } = await train({ ...inputs, directory });
  // Removing what is no longer needed may fail without harm; everything else must be reported.
  const reported = error instanceof FileError || operations[target - 1]!.startsWith("remove");
  if (end !== digest || !reported) {
    failures++;
    console.log(`full disk at operation ${target} (${operations[target - 1]}): ${String(error)}, digest ${end}`);
  } else filled++;
  rmSync(directory, { recursive: true });
}
console.log(`full disk at ${filled} of ${operations.length} operations: reported, then the same digest`);
console.log(`${failures} failures`);
rmSync(root, { recursive: true });
process.exitCode = failures > 0 ? 1 : 0;
