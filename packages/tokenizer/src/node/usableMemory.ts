import { totalmem } from "node:os";

/** Bytes of memory that this process may use: the machine's, or fewer where a container or control group sets a limit. */
export const usableMemoryBytes = (): number => {
  const limit = process.constrainedMemory(); // 0: not known; without a limit more than any machine has
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
};
