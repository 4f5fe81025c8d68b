/**
 * NVIDIA's libraries, opened at run time. Stand-ins of native/emulation take the place of cuBLASLt and NCCL, so that the
 * calls, their column-major terms and the epilogues are tested without a GPU; processes of their own, since a library is
 * opened once in a process.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { emulatedCuda } from "./cudaLibrary.ts";

const built = dirname(emulatedCuda()!);
const folder = mkdtempSync(join(tmpdir(), "cuda-libraries-"));
afterAll(() => rmSync(folder, { recursive: true }));

function inProcess(source: string, environment: Record<string, string>): { stdout: string; stderr: string; status: number | null } {
  const args = ["--conditions=@espalier/source", "--input-type=module", "-e", source];
  return spawnSync(process.execPath, args, { encoding: "utf8", cwd: import.meta.dirname, env: { ...process.env, ...environment } });
}

const summaryWith = (environment: Record<string, string>) => {
  const source = `import { cudaStatus } from "./cudaLibrary.ts"; console.log(cudaStatus().device);`;
  return inProcess(source, { ESPALIER_CUDA_LIBRARY: emulatedCuda()!, ...environment }).stdout.trim();
};

/** Loads and runs one product, and says how that went. */
const productWith = (environment: Record<string, string>) => {
  const source = `
    import { cudaExecutor } from "./cudaExecutor.ts";
    import { matmulCases } from "./testing/cases/matmul.ts";
    import { runCase } from "./testing/opCase.ts";
    try { await runCase(cudaExecutor(), matmulCases[0]); console.log("it ran"); } catch (error) { console.log(error.code + " " + error.message); }`;
  return inProcess(source, { ESPALIER_CUDA_LIBRARY: emulatedCuda()!, ...environment }).stdout.trim();
};

/** As `ops.test.ts` and `bf16Storage.test.ts` have them; a bias that is rounded too doubles the latter. */
const tolerances: Record<string, number> = { matmul: 2e-6, linearCrossEntropy: 1e-6, linearCrossEntropyGrad: 4e-6, linearCrossEntropyWithGrad: 1e-5, "stored in bf16": 1e-2 };

describe("products by cuBLASLt", () => {
  const log = join(folder, "calls");
  const environment = { ESPALIER_CUDA_LIBRARIES: built, ESPALIER_FAKE_CUBLASLT_LOG: log, ESPALIER_CUDA_PRODUCTS: "cublasLt" };
  const run = inProcess(`await import("./testing/productErrors.ts");`, environment);
  const errors = run.stdout.trim().split("\n").map((line) => JSON.parse(line) as { op: string; title: string; error: number });
  const calls = existsSync(log) ? readFileSync(log, "utf8").trim().split("\n") : [];
  const epilogues = new Set(calls.filter((call) => call.startsWith("product")).map((call) => Number(/epilogue=(\d+)/.exec(call)![1])));

  it("agree with the reference in every layout and with every epilogue", () => {
    expect(run.stderr).toBe("");
    expect(errors.length).toBeGreaterThan(100);
    expect(errors.filter(({ op, error }) => !(error <= tolerances[op]!))).toEqual([]);
  });

  it("take the bias, GELU with its argument, the gradients of GELU and of a bias into the library's epilogue", () => {
    expect([...epilogues].sort((a, b) => a - b)).toEqual([1, 4, 32, 164, 192, 256, 512]);
  });

  it("read on the device whether a sum goes on", () => {
    expect(calls.some((call) => call.startsWith("product with scales of the device"))).toBe(true);
  });

  it("ask for an algorithm once for each kind of product", () => {
    const asked = calls.filter((call) => call.startsWith("heuristic")).length;
    const multiplied = calls.filter((call) => call.startsWith("product")).length;
    expect(asked).toBeGreaterThan(0);
    expect(multiplied).toBeGreaterThan(asked);
  });

  it("fall to the own kernel where the library has no algorithm", () => {
    expect(calls.some((call) => /^heuristic .*k=9 /.test(call))).toBe(true);
    expect(calls.some((call) => /^product.* k=9 /.test(call))).toBe(false);
    // A bias gradient that the library does not sum beside a product: the product is still the library's.
    expect(calls.some((call) => /^heuristic .*k=40 epilogue=(256|512)$/.test(call))).toBe(true);
    expect(calls.some((call) => /^product.* k=40 epilogue=(256|512)$/.test(call))).toBe(false);
    expect(calls.some((call) => /^product m=40 n=24 k=40 epilogue=1$/.test(call))).toBe(true);
  });
});

describe("libraries that are absent or broken", () => {
  it("are an error that says what was tried, where they are demanded", () => {
    const said = productWith({ ESPALIER_CUDA_PRODUCTS: "cublasLt", ESPALIER_CUDA_LIBRARIES: "/nowhere:/nowhere/else" });
    expect(said).toMatch(/^DEVICE\w* kernels.*: products: no cuBLASLt, tried \/nowhere\/libcublasLt\.so\.13, .*\/nowhere\/else\/libcublasLt\.so,/);
    expect(said).toMatch(/Install it, name its directory in ESPALIER_CUDA_LIBRARIES, or unset ESPALIER_CUDA_PRODUCTS\.$/);
    expect(productWith({ ESPALIER_CUDA_LIBRARIES: "/nowhere" })).toBe("it ran");
  });

  it("are told apart: not there, not a library, without the functions", () => {
    writeFileSync(join(folder, "libcublasLt.so.12"), "no library");
    expect(summaryWith({ ESPALIER_CUDA_LIBRARIES: folder })).toContain(`no cuBLASLt, tried ${folder}/libcublasLt.so.13, ${folder}/libcublasLt.so.12 (`);
    symlinkSync(join(built, "libnccl.so"), join(folder, "libcublasLt.so.13"));
    expect(summaryWith({ ESPALIER_CUDA_LIBRARIES: folder })).toContain(`cuBLASLt: ${folder}/libcublasLt.so.13 has no function cublasLtGetVersion.`);
  });

  it("are named with their version when they are there, or as not wanted", () => {
    expect(summaryWith({ ESPALIER_CUDA_LIBRARIES: built })).toBe(
      `CUDA emulated on the CPU, for tests; cuBLASLt 13.0.2 from ${built}/libcublasLt.so; NCCL 2.27.3 from ${built}/libnccl.so`,
    );
    expect(summaryWith({ ESPALIER_CUDA_PRODUCTS: "own" })).toContain("cuBLASLt not wanted (ESPALIER_CUDA_PRODUCTS=own)");
  });
});
