import { type Executor, referenceExecutor } from "@espalier/graph";
import { cpuExecutor, type CpuExecutorOptions } from "./cpuExecutor.ts";
import { cudaExecutor, type CudaExecutorOptions } from "./cudaExecutor.ts";
import { cudaStatus, emulatedCuda } from "./cudaLibrary.ts";
import { nativeStatus } from "./nativeStatus.ts";

/** `precision` is of CUDA alone. */
export type BackendOptions = Omit<CpuExecutorOptions, "isa"> & Pick<CudaExecutorOptions, "precision">;

/** An executor that this machine has, for tests that run on all of them. */
export interface Backend {
  /** `reference`, `cpu avx512bf16`, `cpu avx512`, `cpu avx2`, `cpu portable`, `cuda sm_90`, `cuda emulated`. */
  name: string;
  create(options?: BackendOptions): Executor;
}

/**
 * The reference executor, the native one on every instruction path of this machine, best first, then CUDA: on a GPU where
 * there is one, and emulated where the checkout has been built. Emulated, `numThreads` is the seed of the order in which
 * the threads of a block run, so that tests of many thread counts look for missing barriers.
 */
export function availableBackends(): Backend[] {
  const native = nativeStatus().instructionPaths.map((isa): Backend => ({
    name: `cpu ${isa}`,
    create: (options) => cpuExecutor({ ...options, isa }),
  }));
  const { available, libraryPath, instructionPath } = cudaStatus();
  const cuda: Backend[] = available ? [{ name: `cuda ${instructionPath}`, create: ({ precision } = {}) => cudaExecutor({ libraryPath, ...(precision && { precision }) }) }] : [];
  const emulated = emulatedCuda();
  if (emulated) {
    cuda.push({ name: "cuda emulated", create: ({ numThreads, precision } = {}) => cudaExecutor({ libraryPath: emulated, emulationSeed: numThreads, ...(precision && { precision }) }) });
  }
  return [{ name: "reference", create: () => referenceExecutor() }, ...native, ...cuda];
}
