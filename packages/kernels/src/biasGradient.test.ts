/** The gradient of a bias beside that of its weight, by our own kernels on tensor cores: one launch, and the sums of columnSum. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { cpuExecutor } from "./cpuExecutor.ts";
import { matmulCases } from "./testing/cases/matmul.ts";
import { type OpCase, runCase, valuesOf } from "./testing/opCase.ts";

const folder = mkdtempSync(join(tmpdir(), "bias-gradient-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe.each(["mma", "wgmma"])("bias gradients beside products by %s", (kind) => {
  const trace = join(folder, kind);
  const { stdout, stderr } = spawnSync(process.execPath, ["--conditions=@espalier/source", join(import.meta.dirname, "testing", "biasGradientRuns.ts")], {
    encoding: "utf8", env: { ...process.env, ESPALIER_EMULATION_TRACE: trace, ESPALIER_CUDA_GEMM: kind, ESPALIER_CUDA_PRODUCTS: "own", NODE_NO_WARNINGS: "1" },
  });
  const rows = stdout.trim().split("\n").map((line) => JSON.parse(line) as { title: string; accumulate: number; errors: number[]; same: boolean });

  it("agree with the reference, with the same bits in any order of threads", () => {
    expect(stderr).toBe("");
    expect(rows).toHaveLength(14);
    // Sums of up to 2100 numbers in fp32; where both are fresh they are stored in bf16, and rounded once.
    expect(rows.filter(({ errors, accumulate }) => !errors.every((error) => error <= (accumulate ? 1e-6 : 2 ** -8)))).toEqual([]);
    expect(rows.every(({ same }) => same)).toBe(true);
  });

  it("are made by the product's own launch", () => {
    const launches = readFileSync(trace, "utf8").split("-- ").filter((part) => part.trim() && !/^(other orders|end)/.test(part));
    expect(launches).toHaveLength(14);
    for (const part of launches) {
      const kernels = part.split("\n").filter((line) => line.startsWith("kernel ") && line !== "kernel rounding to bf16"); // rows that are no multiple of 16 bytes
      // Cut along k there are passes that add the parts up, of the product and of the sums.
      expect(kernels, part.split("\n")[0]).toEqual(Array<string>(part.includes("cut along k") ? 3 : 1).fill("kernel matmul"));
    }
  });
});

describe("bias gradients beside products on the CPU", () => {
  const cases = matmulCases.filter(({ attributes }) => attributes!.biasGrad);

  it.each(cases.map((opCase) => [opCase.note, opCase] as const))("%s: have the bits of columnSum, and the product those of a plain one", async (_, opCase) => {
    const { biasGrad, accumulate, ...attributes } = opCase.attributes as Record<string, number>;
    const [fused, byOne] = await Promise.all([3, 1].map((numThreads) => runCase(cpuExecutor({ numThreads, parallelGrain: 0 }), opCase)));
    // The same values as the fused case has, whatever the op is called.
    const input = (i: number) => ({ ...opCase.inputs[i]!, value: (at: number) => valuesOf(opCase.inputs[i]!, "matmul", "input", i)[at]! });
    const into = (i: number) => (accumulate ? [{ ...opCase.into![i]!, value: (at: number) => valuesOf(opCase.into![i]!, "matmul", "into", i)[at]! }] : []);
    const flag = opCase.inputs.slice(2);
    const product: OpCase = { op: "matmul", note: "", inputs: [input(0), input(1), ...flag], attributes: { ...attributes, accumulate: accumulate! }, into: into(0) };
    const sum: OpCase = { op: "columnSum", note: "", inputs: [input(biasGrad! - 1), ...flag], attributes: { accumulate: accumulate! }, into: into(1) };
    const apart = [...(await runCase(cpuExecutor({ numThreads: 1 }), product)), ...(await runCase(cpuExecutor({ numThreads: 1 }), sum))];
    expect(fused).toEqual(apart);
    expect(byOne).toEqual(apart);
  });
});
