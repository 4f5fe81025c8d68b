import { availableParallelism } from "node:os";
import { platform, tryLoadAddon } from "./addon.ts";
import type { InstructionPath } from "./cpuExecutor.ts";

export interface NativeStatus {
  /** `linux-x64`, ... */
  platform: string;
  available: boolean;
  /** Best first; empty without the addon. */
  instructionPaths: InstructionPath[];
  /** Ops of the native registry with their attributes, as `matmul(transA,...)`. */
  ops: string[];
  /** Cores that this process may use. */
  cores: number;
  /** Files looked for, each with what was found. */
  tried: string[];
}

/** What there is of the native executor on this machine; throws nothing. */
export function nativeStatus(): NativeStatus {
  const { addon, tried } = tryLoadAddon();
  const { ops, instructionPaths } = addon?.describe() ?? { ops: "", instructionPaths: "" };
  return {
    platform,
    available: addon !== undefined,
    instructionPaths: instructionPaths.split(",").filter(Boolean) as InstructionPath[],
    ops: ops.split(";").filter(Boolean),
    cores: availableParallelism(),
    tried,
  };
}
