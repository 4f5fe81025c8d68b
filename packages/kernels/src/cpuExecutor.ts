import { availableParallelism } from "node:os";
import { ConfigError, DeviceError } from "@espalier/core";
import type { DeviceBuffer, Executor, Program } from "@espalier/graph";
import { loadAddon } from "./addon.ts";
import { NativeBuffer } from "./nativeBuffer.ts";
import { NativeProgram } from "./nativeProgram.ts";

/** Instruction sets that kernels are compiled for. */
export type InstructionPath = "portable" | "avx2" | "avx512" | "avx512bf16";
export const instructionPaths: readonly InstructionPath[] = ["avx512bf16", "avx512", "avx2", "portable"];

export interface CpuExecutorOptions {
  /** Threads that share an op's work. Results do not depend on it. Default: the cores this process may use. */
  numThreads?: number;
  /** Default: `ESPALIER_ISA` from the environment, else the widest of this processor. */
  isa?: InstructionPath;
  /** FLOPs below which an op is not shared among threads. Default: measured; 0 shares every op. */
  parallelGrain?: number;
}

/** The native executor; its programs can be cancelled. */
export interface CpuExecutor extends Executor {
  load(program: Program): NativeProgram;
}

/**
 * The native CPU executor: programs run on a thread of its own and share their work with `numThreads - 1` others.
 *
 * @throws {DeviceError} when the addon is not there or the processor lacks the instruction path
 * @throws {ConfigError} for a number of threads below 1, or an unknown instruction path
 */
export function cpuExecutor({
  numThreads = availableParallelism(),
  isa = forcedPath(),
  parallelGrain = -1,
}: CpuExecutorOptions = {}): CpuExecutor {
  if (!Number.isInteger(numThreads) || numThreads < 1) {
    throw new ConfigError(`cpuExecutor: numThreads: is ${numThreads}, expected a whole number from 1. Correct the number.`);
  }
  expectPath("cpuExecutor: isa", isa);
  const addon = loadAddon();
  const available = addon.describe().instructionPaths;
  if (isa && !available.split(",").includes(isa)) {
    throw new DeviceError(`cpuExecutor: isa: ${isa} is not available on this machine, expected one of ${available}. Leave it out for the best one.`);
  }
  const executor = addon.createExecutor(numThreads, isa, parallelGrain);
  return {
    name: "cpu",
    instructionPath: addon.executorPath(executor),
    numThreads,
    allocate: (bytes: number): DeviceBuffer => new NativeBuffer(addon, executor, bytes),
    load: (program: Program) => new NativeProgram(addon, executor, program),
  };
}

function forcedPath(): InstructionPath | undefined {
  const forced = process.env.ESPALIER_ISA;
  if (!forced) return undefined;
  expectPath("ESPALIER_ISA", forced);
  return forced as InstructionPath;
}

function expectPath(where: string, path: string | undefined): void {
  if (path !== undefined && !instructionPaths.includes(path as InstructionPath)) {
    throw new ConfigError(`${where}: is "${path}", expected one of ${instructionPaths.join(", ")}. Correct the name.`);
  }
}
