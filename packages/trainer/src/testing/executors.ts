import { type Executor, referenceExecutor } from "@espalier/graph";
import { cpuExecutor, instructionPaths } from "@espalier/kernels";

/** An executor to test on, with the accuracy that its arithmetic promises: max |a - b| / max |a| of a tensor. */
export interface TestedExecutor {
  name: string;
  make: () => Executor;
  tolerance: number;
}

/** The reference, and every native instruction path of this machine. In CI a missing addon is a failure. */
export function testedExecutors(): TestedExecutor[] {
  const native = instructionPaths.flatMap((isa): TestedExecutor[] => {
    try {
      cpuExecutor({ numThreads: 1, isa });
    } catch (error) {
      if (process.env.CI && isa === "portable") throw error;
      return [];
    }
    return [{ name: isa, make: () => cpuExecutor({ numThreads: 2, isa }), tolerance: 2e-5 }];
  });
  return [{ name: "reference", make: () => referenceExecutor(), tolerance: 1e-6 }, ...native];
}

/** max |a - b| / max |a| */
export function relativeError(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let difference = 0;
  let size = 0;
  for (let i = 0; i < a.length; i++) {
    difference = Math.max(difference, Math.abs(a[i]! - b[i]!));
    size = Math.max(size, Math.abs(a[i]!));
  }
  return difference / (size || 1);
}
