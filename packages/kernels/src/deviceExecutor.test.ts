import { spawnSync } from "node:child_process";
import { ConfigError } from "@espalier/core";
import { describe, expect, it } from "vitest";
import { emulatedCuda } from "./cudaLibrary.ts";
import { type Device, deviceExecutor } from "./deviceExecutor.ts";

/** What `deviceExecutor` answers in a process with this CUDA library. */
function answer(library: string): string {
  const script = `import { deviceExecutor } from "./deviceExecutor.ts";
    try { console.log(deviceExecutor({ device: "cuda" }).instructionPath); } catch (error) { console.log(error.code + ": " + error.message); }`;
  return spawnSync(process.execPath, ["--conditions=@espalier/source", "--input-type=module", "-e", script], {
    encoding: "utf8", cwd: import.meta.dirname, env: { ...process.env, ESPALIER_CUDA_LIBRARY: library },
  }).stdout.trim();
}

describe("deviceExecutor", () => {
  it("takes the processor, with its threads", () => {
    expect(deviceExecutor({ numThreads: 2 })).toMatchObject({ name: "cpu", numThreads: 2 });
    expect(deviceExecutor({ isa: "portable" }).instructionPath).toBe("portable");
  });

  it("takes CUDA when asked to, and never anything else in its place", () => {
    expect(answer(emulatedCuda()!)).toBe("emulated");
    const said = answer("/nowhere/espalier_cuda.so");
    if (said.startsWith("sm_")) return; // a machine with a GPU and the package
    expect(said).toMatch(/^DEVICE\w*: cudaExecutor: /);
    expect(said).toMatch(/Install @espalier\/kernels-cuda, or use the CPU executor\.$|expected a GPU with a driver\. Run `espalier doctor`, or use the CPU executor\.$/);
  });

  it("refuses unknown devices and options of the other one", () => {
    expect(() => deviceExecutor({ device: "tpu" as Device })).toThrow(ConfigError);
    expect(() => deviceExecutor({ device: "cuda", numThreads: 2 })).toThrow(/numThreads: is of a processor, and the device is cuda/);
    expect(() => deviceExecutor({ device: "cuda", isa: "avx2" })).toThrow(/isa: is of a processor/);
  });
});
