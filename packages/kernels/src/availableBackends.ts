import { type Executor, referenceExecutor } from "@espalier/graph";
import { cpuExecutor, type CpuExecutorOptions } from "./cpuExecutor.ts";
import { nativeStatus } from "./nativeStatus.ts";

/** An executor that this machine has, for tests that run on all of them. */
export interface Backend {
  /** `reference`, `cpu avx512`, `cpu avx2`, `cpu portable`. */
  name: string;
  create(options?: Omit<CpuExecutorOptions, "isa">): Executor;
}

/** The reference executor, then the native one on every instruction path of this machine, best first. */
export function availableBackends(): Backend[] {
  const native = nativeStatus().instructionPaths.map((isa): Backend => ({
    name: `cpu ${isa}`,
    create: (options) => cpuExecutor({ ...options, isa }),
  }));
  return [{ name: "reference", create: () => referenceExecutor() }, ...native];
}
