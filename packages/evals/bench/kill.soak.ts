/**
 * Kills an evaluation with SIGKILL before seeded changes of the disk, up to three times, resumes it, and compares sample
 * logs, request cache and result files with those of the run that was never killed.
 *
 *     node --conditions=@espalier/source bench/kill.soak.ts [points = 50] [seed = 1]
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { random } from "@espalier/core";
import { evaluateUntilKilled } from "../src/testing/evaluateUntilKilled.ts";

const points = Number(process.argv[2] ?? 50);
const draws = random(Number(process.argv[3] ?? 1), "evaluation kill soak").sequence();
const root = mkdtempSync(join(tmpdir(), "espalier-evaluation-soak-"));
const whole = evaluateUntilKilled(join(root, "whole"), 0);
console.log(`${whole.operations} changes of the disk, ${whole.asked} requests; digest ${whole.digest.slice(0, 16)}`);

let failures = 0;
let kills = 0;
for (let i = 0; i < points; i++) {
  const directory = join(root, String(i));
  let askedAgain = 0;
  for (let k = 0; k <= i % 3; k++) {
    const outcome = evaluateUntilKilled(directory, 1 + draws.integer(whole.operations));
    kills += Number(outcome.killed);
    askedAgain += outcome.askedAgain;
  }
  const end = evaluateUntilKilled(directory, 0);
  if (end.digest !== whole.digest || askedAgain + end.askedAgain > 0) {
    failures++;
    console.log(`point ${i}: digest ${end.digest.slice(0, 16)}, ${askedAgain + end.askedAgain} requests asked again`);
  }
  rmSync(directory, { recursive: true });
}
console.log(`${points} evaluations killed ${kills} times: ${points - failures} left the same bytes and asked no durable request again`);
rmSync(root, { recursive: true });
process.exitCode = failures > 0 ? 1 : 0;
