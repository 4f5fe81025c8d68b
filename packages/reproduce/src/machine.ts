import { availableParallelism, cpus, totalmem } from "node:os";

/** The machine as the report names it. */
export interface MachineFacts {
  cpu: string;
  cores: number;
  memoryBytes: number;
  node: string;
}

export function machineFacts(): MachineFacts {
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown processor",
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    node: process.versions.node,
  };
}
