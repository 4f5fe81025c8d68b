/**
 * A process that trains the tiny plan and kills itself before its n-th change of the disk.
 * Arguments: run directory, n (0: never), executor name, kind of run (`testing/runs.ts`), and a file to log changes in.
 * Prints the digest when it gets to the end.
 */
import { appendFileSync } from "node:fs";
import { disk, intercept } from "@espalier/core/node";
import { referenceExecutor } from "@espalier/graph";
import { cpuExecutor } from "@espalier/kernels";
import { train } from "../train.ts";
import { type RunKind, tinyRun } from "./runs.ts";

const [directory, kill, executorName, kind, log] = process.argv.slice(2) as [string, string, string, RunKind, string | undefined];
let count = 0;
const fileSystem = intercept(disk, (operation, path) => {
  count++;
  if (log) appendFileSync(log, `${operation} ${path}\n`);
  if (count === Number(kill)) process.kill(process.pid, "SIGKILL");
});
const executor = executorName === "cpu" ? cpuExecutor({ numThreads: 1 }) : referenceExecutor();
const { digest } = await train({ ...(await tinyRun(kind, `${directory}-shards`)), directory, executor }, { fileSystem });
console.log(digest);
