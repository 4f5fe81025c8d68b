/**
 * Starts `espalier reproduce` again and again; start n finds the disk full at its n-th change of the disk:
 *
 *     node --conditions=@espalier/source apps/cli/bench/fullDisk.soak.ts [starts = 60]
 *
 * Passes when every start ends with 1 and one sentence, nothing is half-written, and the last start, on a disk with room,
 * ends with the digests of the undisturbed run.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { halfWritten, outcome, reproduceOnce } from "./reproduction.ts";

const [starts = 60] = process.argv.slice(2).map(Number);
const scratch = mkdtempSync(join(tmpdir(), "espalier-soak-"));
const calm = join(scratch, "calm");
const first = await reproduceOnce(["--scale", "smoke", "--out", calm]);
if (first.status !== 0) throw new Error(`the undisturbed run ended with ${first.status}: ${first.stderr}`);
const expected = outcome(calm);
const again = ["--plan", join(calm, "plan.json"), "--out", join(scratch, "full")];

let failures = 0;
let n = 1;
for (; n <= starts; n++) {
  const { status, stderr } = await reproduceOnce(again, { preload: join(import.meta.dirname, "failDisk.ts"), env: { FAIL_DISK_AT: String(n) } });
  if (status === 0) break; // it got through before its n-th change
  const left = halfWritten(join(scratch, "full"));
  const oneSentence = /^\S*error\S* [^\n]*the disk is full\. Free some space[^\n]*\n$/.test(stderr);
  if (status !== 1 || !oneSentence || left.length) {
    failures++;
    console.log(`FAILED  full at change ${n}: ended with ${status}, left [${left.join(", ")}], said: ${stderr}`);
  }
}
const last = await reproduceOnce(again);
const equal = last.status === 0 && isDeepStrictEqual(outcome(join(scratch, "full")), expected);
if (!equal) {
  failures++;
  console.log(`FAILED  the last start ended with ${last.status} ${last.stderr}; digests ${equal ? "equal" : "differ"}`);
}
rmSync(scratch, { recursive: true });
console.log(`${n - 1} starts on a full disk, then one with room: ${equal ? "equal digests and losses" : "DIFFERENT"}; ${failures} failures`);
process.exitCode = failures ? 1 : 0;
