import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { ConfigError, DeviceError } from "@espalier/core";
import { describe, expect, it } from "vitest";
import { cudaExecutor } from "./cudaExecutor.ts";
import { emulatedCuda, openLibrary } from "./cudaLibrary.ts";
import { loadAddon } from "./addon.ts";

/** `cudaStatus` in a process of its own, so that its environment can differ. */
function statusWith(environment: Record<string, string>) {
  const script = `import { cudaStatus } from ${JSON.stringify(join(import.meta.dirname, "index.ts"))}; console.log(JSON.stringify(cudaStatus()));`;
  const { stdout, stderr } = spawnSync(process.execPath, ["--conditions=@espalier/source", "--input-type=module", "-e", script], {
    encoding: "utf8",
    env: { ...process.env, ...environment },
  });
  expect(stderr).toBe("");
  return JSON.parse(stdout) as { available: boolean; device: string; tried: string[]; libraryPath?: string };
}

describe("cudaStatus", () => {
  it("says where it looked and what it found", () => {
    const { tried } = statusWith({ ESPALIER_CUDA_LIBRARY: "/nowhere/espalier_cuda.so" });
    expect(tried[0]).toBe("/nowhere/espalier_cuda.so (not there)");
    expect(tried[1]).toMatch(/^@espalier\/kernels-cuda\/library\/|espalier_cuda\.so \(loaded\)/);
  });

  it("says why a file is no library of kernels", () => {
    expect(statusWith({ ESPALIER_CUDA_LIBRARY: import.meta.filename }).tried[0]).toMatch(/cudaLibrary\.test\.ts \(does not load: .+\)$/);
  });

  it("names NVIDIA's libraries, or what was tried to find them", () => {
    const { device, available, libraryPath } = statusWith({ ESPALIER_CUDA_LIBRARY: emulatedCuda()! });
    expect(libraryPath).toBe(emulatedCuda());
    expect(available).toBe(true);
    expect(device).toMatch(/^CUDA emulated on the CPU, for tests; (cuBLASLt from|no cuBLASLt, tried libcublasLt\.so\.13, ).*; (NCCL from|no NCCL, tried libnccl\.so\.2, )/);
  });
});

describe("cudaExecutor", () => {
  it("refuses a library that does not load and a seed that is none", () => {
    expect(() => cudaExecutor({ libraryPath: "/nowhere/espalier_cuda.so" })).toThrow(DeviceError);
    expect(() => cudaExecutor({ libraryPath: "/nowhere/espalier_cuda.so" })).toThrow(/does not load: .*nowhere/);
    expect(() => cudaExecutor({ emulationSeed: 0 })).toThrow(ConfigError);
  });

  it("has every op of the CPU's registry", () => {
    const names = (library?: ReturnType<typeof openLibrary>) => loadAddon().describe(library).ops.split(";").map((op) => op.split("(")[0]!);
    const own = new Set(names(openLibrary(emulatedCuda()!)));
    expect(names().filter((op) => !own.has(op))).toEqual([]);
  });
});
