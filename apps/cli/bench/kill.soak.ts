/**
 * Kills a whole `espalier reproduce` again and again, at seeded moments, and starts it anew until it ends:
 *
 *     node --conditions=@espalier/source apps/cli/bench/kill.soak.ts [kills = 20] [seed = 1]
 *
 * Passes when every arm's digest and loss equal those of the undisturbed run of the same plan, and no file is half-written.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { random } from "@espalier/core";
import { halfWritten, outcome, reproduceOnce } from "./reproduction.ts";

const [kills = 20, seed = 1] = process.argv.slice(2).map(Number);
const scratch = mkdtempSync(join(tmpdir(), "espalier-soak-"));
const calm = join(scratch, "calm");
const first = await reproduceOnce(["--scale", "smoke", "--out", calm]);
if (first.status !== 0) throw new Error(`the undisturbed run ended with ${first.status}: ${first.stderr}`);
const expected = outcome(calm);
const plan = join(calm, "plan.json");
console.log(`undisturbed: ${Object.keys(expected).length} runs`);

let done = 0;
let failures = 0;
for (let round = 0; done < kills; round++) {
  const directory = join(scratch, `round-${round}`);
  const draws = random(seed, "kills", round).sequence();
  for (let ended = false; !ended; ) {
    // Once the kills are used up the command may finish.
    const killAfterMs = done < kills ? 400 + 5000 * draws.uniform() : undefined;
    const { status, signal, stderr } = await reproduceOnce(["--plan", plan, "--out", directory], { ...(killAfterMs ? { killAfterMs } : {}) });
    if (signal === "SIGKILL") {
      done++;
      const broken = halfWritten(directory).filter((path) => !path.endsWith(".tmp")); // temporary names are removed by the next start
      if (broken.length) {
        failures++;
        console.log(`FAILED  kill ${done} after ${killAfterMs!.toFixed(0)} ms: half-written ${broken.join(", ")}`);
      }
      continue;
    }
    ended = true;
    if (status !== 0) {
      failures++;
      console.log(`FAILED  round ${round} ended with ${status}: ${stderr}`);
      break;
    }
    const equal = isDeepStrictEqual(outcome(directory), expected);
    const left = halfWritten(directory);
    if (!equal || left.length) {
      failures++;
      console.log(`FAILED  round ${round}: ${equal ? `left ${left.join(", ")}` : "digests differ from the undisturbed run"}`);
    }
    console.log(`round ${round}: ${done} kills so far, ${equal ? "equal digests and losses" : "DIFFERENT"}`);
  }
}
rmSync(scratch, { recursive: true });
console.log(`${done} kills, ${failures} failures`);
process.exitCode = failures ? 1 : 0;
