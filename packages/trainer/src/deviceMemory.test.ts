/** What a stage is planned to take on a GPU against what the executor asks the device for, call by call. */
import { execFile } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { emulatedCuda } from "@espalier/kernels";
import { afterAll, describe, expect, it } from "vitest";
import { temporaryDirectory } from "./testing/runs.ts";

const directory = temporaryDirectory();
afterAll(() => rmSync(directory, { recursive: true }));

/** Most bytes that the device held at once, by a trace. */
function peakOf(trace: string): number {
  const held = new Map<string, number>();
  let [now, peak] = [0, 0];
  for (const [, bytes, address] of trace.matchAll(/^device memory (\d+|free) at (\S+)$/gm)) {
    now += bytes === "free" ? -held.get(address!)! : Number(bytes);
    held.set(address!, bytes === "free" ? 0 : Number(bytes));
    peak = Math.max(peak, now);
  }
  return peak;
}

async function run(precision: string, limited: boolean) {
  const path = join(directory, `${precision}${limited}`);
  const child = join(import.meta.dirname, "testing/deviceMemoryRun.ts");
  const { stdout } = await promisify(execFile)(process.execPath, ["--conditions=@espalier/source", child, precision, `${path}.run`, limited ? "1" : "0"], {
    env: { ...process.env, NODE_NO_WARNINGS: "1", ESPALIER_EMULATION_TRACE: `${path}.trace` },
  });
  const found = JSON.parse(stdout) as { planned: number; recomputedLayers: number; validationLoss: number };
  return { ...found, peak: peakOf(readFileSync(`${path}.trace`, "utf8")) };
}

const skipped = emulatedCuda() ? "" : " (skipped: the emulated CUDA kernels are not built)";

describe.skipIf(skipped !== "")(`memory of a run on a device${skipped}`, async () => {
  const runs = skipped ? [] : await Promise.all([run("fp32", false), run("bf16", false), run("bf16", true)]);
  const [fp32, bf16, limited] = runs as [Awaited<ReturnType<typeof run>>, Awaited<ReturnType<typeof run>>, Awaited<ReturnType<typeof run>>];

  it("is to the byte what the plan says, in both formats of activations", () => {
    expect(fp32.peak).toBe(fp32.planned);
    expect(bf16.peak).toBe(bf16.planned);
    expect(bf16.planned).toBeLessThan(0.85 * fp32.planned);
  });

  it("keeps to a limit, by computing layers again", () => {
    expect(limited.recomputedLayers).toBeGreaterThan(0);
    expect(limited.peak).toBe(limited.planned);
    expect(limited.peak).toBeLessThan(bf16.peak);
    expect(limited.validationLoss).toBe(bf16.validationLoss);
  });
});
