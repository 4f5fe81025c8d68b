import { ConfigError, DeviceError } from "@espalier/core";
import type { DeviceBuffer, Executor, Program } from "@espalier/graph";
import { loadAddon, platform } from "./addon.ts";
import { cudaStatus, openLibrary } from "./cudaLibrary.ts";
import { NativeBuffer } from "./nativeBuffer.ts";
import { NativeProgram } from "./nativeProgram.ts";

export interface CudaExecutorOptions {
  /** The library of kernels. Default: `ESPALIER_CUDA_LIBRARY`, else the package `@espalier/kernels-cuda`. */
  libraryPath?: string;
  /**
   * `bf16`: matrix products and attention on tensor cores, their factors rounded to bf16 (nearest, ties to even) as they are
   * read; sums, softmax, tensors in memory and so the master weights stay fp32. Attention of head sizes other than 64 and
   * 128 stays fp32. Default: `f32`.
   */
  precision?: "f32" | "bf16";
  /** Of the emulation alone: which order threads run in, from 1, the order of their numbers. */
  emulationSeed?: number;
}

/** The executor on a GPU; its programs can be cancelled between runs. */
export interface CudaExecutor extends Executor {
  load(program: Program): NativeProgram;
}

/**
 * Runs programs on the first GPU that the process may use (`CUDA_VISIBLE_DEVICES`), each as a captured CUDA graph.
 *
 * @throws {DeviceError} when there is no library or no GPU, naming what was tried
 * @throws {ConfigError} for an unknown precision or an emulation seed below 1
 */
export function cudaExecutor({ libraryPath, precision = "f32", emulationSeed = 1 }: CudaExecutorOptions = {}): CudaExecutor {
  if (!Number.isInteger(emulationSeed) || emulationSeed < 1) {
    throw new ConfigError(`cudaExecutor: emulationSeed: is ${emulationSeed}, expected a whole number from 1. Correct the number.`);
  }
  if (precision !== "f32" && precision !== "bf16") {
    throw new ConfigError(`cudaExecutor: precision: is "${String(precision)}", expected f32 or bf16. Correct the name.`);
  }
  const addon = loadAddon();
  const path = libraryPath ?? foundLibrary();
  let library;
  try {
    library = openLibrary(path);
  } catch (cause) {
    throw new DeviceError(`cudaExecutor: ${path} does not load: ${(cause as Error).message}. Install the package for ${platform}.`, { cause });
  }
  const { instructionPaths, device } = addon.describe(library);
  if (!instructionPaths) {
    throw new DeviceError(`cudaExecutor: ${device}, expected a GPU with a driver. Run \`espalier doctor\`, or use the CPU executor.`);
  }
  const executor = addon.createExecutor(emulationSeed, undefined, -1, library);
  const instructionPath = addon.executorPath(executor);
  return {
    name: "cuda",
    instructionPath,
    numThreads: 1,
    allocate: (bytes: number): DeviceBuffer => new NativeBuffer(addon, executor, bytes),
    load: (program: Program) => new NativeProgram(addon, executor, precision === "bf16" ? withBf16(program) : program),
  };
}

const productOps = new Set([
  "matmul", "causalAttention", "causalAttentionGrad", "linearCrossEntropy", "linearCrossEntropyGrad", "linearCrossEntropyWithGrad",
]);

/** The program with its products on tensor cores: these ops of the CUDA registry have an attribute for it. */
function withBf16(program: Program): Program {
  const instructions = program.instructions.map((node) =>
    productOps.has(node.op) ? { ...node, attributes: { ...node.attributes, bf16: 1 } } : node,
  );
  return { ...program, instructions };
}

function foundLibrary(): string {
  const { libraryPath, device, tried } = cudaStatus();
  if (libraryPath) return libraryPath;
  throw new DeviceError(
    `cudaExecutor: ${device}. Tried: ${tried.join(", ")}. Install @espalier/kernels-cuda, or use the CPU executor.`,
  );
}
