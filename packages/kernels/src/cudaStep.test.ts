/** What the host asks of the device in a step: the calls of the emulation's runtime, run by run. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "cuda-step-"));
afterAll(() => rmSync(folder, { recursive: true }));

function traced(environment: Record<string, string> = {}) {
  const path = join(folder, `trace${Object.keys(environment).join("")}`);
  const { stdout, stderr } = spawnSync(process.execPath, ["--conditions=@espalier/source", join(import.meta.dirname, "testing", "tracedRuns.ts")], {
    encoding: "utf8", env: { ...process.env, ESPALIER_EMULATION_TRACE: path, NODE_NO_WARNINGS: "1", ...environment },
  });
  expect(stderr).toBe("");
  const runs = new Map(readFileSync(path, "utf8").split("-- ").map((part) => {
    const [title, ...lines] = part.trim().split("\n");
    return [title!, lines] as const;
  }));
  return { losses: JSON.parse(stdout) as number[], runs };
}

const isKernel = (line: string) => line.startsWith("kernel ");
const withoutKernels = (lines: string[]) => lines.filter((line) => !isKernel(line)).map((line) => line.replace(/\d+ on stream (\d)/, "N on stream $1"));

describe("a step on the CUDA executor", () => {
  const { runs, losses } = traced();

  it("is launched once, captured once and then replayed as a whole", () => {
    expect(runs.get("launched")!.filter(isKernel).length).toBeGreaterThan(10);
    expect(runs.get("launched")!.join()).not.toMatch(/capture|replay/);
    expect(runs.get("captured")!.filter((line) => /capture|replay/.test(line)).map((line) => line.replace(/\d+$/, "N"))).toEqual(["capture begins", "capture ends with N", "replay on stream N"]);
    for (const title of ["replayed", "replayed again"]) expect(runs.get(title)!.join()).not.toMatch(/capture/);
  });

  it("is, replayed, six calls: nothing is allocated, and nothing waited for but its end", () => {
    const calls = [
      "copy to the device N on stream 2",
      "stream 1 waits for an event",
      "copy on the device N on stream 1",
      "replay on stream 1",
      "copy to the host N on stream 1",
      "wait for an event",
    ];
    for (const title of ["replayed", "replayed again"]) expect(withoutKernels(runs.get(title)!)).toEqual(calls);
  });

  it("copies the inputs of the next run before the end of one is waited for", () => {
    const lines = withoutKernels(runs.get("five at once")!);
    expect(lines.filter((line) => line === "wait for an event")).toHaveLength(5);
    let underWay = 0;
    let most = 0;
    for (const line of lines) {
      if (line.startsWith("copy to the device")) most = Math.max(most, ++underWay);
      else if (line === "wait for an event") underWay--;
    }
    expect(most).toBe(2);
  });

  it("updates many tensors in one launch, with the bits of single ones", () => {
    expect(runs.get("launched")!.filter((line) => line === "kernel adamw")).toHaveLength(4);
    expect(runs.get("replayed")!.filter((line) => line.startsWith("kernel adamw"))).toEqual(["kernel adamw together"]);
    const single = traced({ ESPALIER_CUDA_GRAPHS: "0" });
    expect(single.runs.get("replayed")!.join()).not.toMatch(/capture|replay/);
    expect(single.losses).toEqual(losses);
    expect(new Set(losses).size).toBe(4);
  });
});
