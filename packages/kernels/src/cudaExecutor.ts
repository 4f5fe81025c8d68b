import { ConfigError, DeviceError } from "@espalier/core";
import { type DeviceBuffer, type Executor, type Precision, precisions, type Program } from "@espalier/graph";
import { loadAddon, platform } from "./addon.ts";
import { storedInBf16 } from "./bf16Storage.ts";
import { cudaStatus, openLibrary } from "./cudaLibrary.ts";
import { NativeBuffer } from "./nativeBuffer.ts";
import { NativeProgram } from "./nativeProgram.ts";

export interface CudaExecutorOptions {
  /** The library of kernels. Default: `ESPALIER_CUDA_LIBRARY`, else the package `@espalier/kernels-cuda`. */
  libraryPath?: string;
  /**
   * `bf16`: activations and their gradients are bf16 in memory, matrix products and attention multiply bf16 on tensor cores;
   * sums, softmax and the statistics of norms are fp32, and so are parameters, their gradients and moments. Attention of head
   * sizes other than 64 and 128 multiplies in fp32, and products that say `bf16: 0` do. Default: `fp32`.
   */
  precision?: Precision;
  /** Of the emulation alone: which order threads run in, from 1, the order of their numbers. */
  emulationSeed?: number;
}

/** The executor on a GPU; its programs can be cancelled between runs. */
export interface CudaExecutor extends Executor {
  load(program: Program): NativeProgram;
  stored(program: Program): Program;
}

/**
 * Runs programs on the first GPU that the process may use (`CUDA_VISIBLE_DEVICES`), each as a captured CUDA graph.
 *
 * @throws {DeviceError} when there is no library or no GPU, naming what was tried
 * @throws {ConfigError} for an unknown precision or an emulation seed below 1
 */
export function cudaExecutor({ libraryPath, precision = "fp32", emulationSeed = 1 }: CudaExecutorOptions = {}): CudaExecutor {
  if (!Number.isInteger(emulationSeed) || emulationSeed < 1) {
    throw new ConfigError(`cudaExecutor: emulationSeed: is ${emulationSeed}, expected a whole number from 1. Correct the number.`);
  }
  if (!precisions.includes(precision)) {
    throw new ConfigError(`cudaExecutor: precision: is "${String(precision)}", expected ${precisions.join(" or ")}. Correct the name.`);
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
  const placed = (program: Program): { program: Program; bf16?: ReadonlySet<number> } => {
    if (precision !== "bf16") return { program };
    const rounding = withBf16(program);
    // Nothing to multiply in bf16: a program of copies and sums, or one that asks for fp32.
    return rounding.instructions.some(({ attributes }) => attributes.bf16 === 1) ? storedInBf16(rounding) : { program };
  };
  const instructionPath = addon.executorPath(executor);
  return {
    name: "cuda",
    instructionPath,
    numThreads: 1,
    stagedInputs: RUNS_UNDER_WAY,
    allocate: (bytes: number): DeviceBuffer => new NativeBuffer(addon, executor, bytes),
    load: (program: Program) => {
      const { program: stored, bf16 } = placed(program);
      return new NativeProgram(addon, executor, stored, bf16);
    },
    stored: (program: Program) => placed(program).program,
  };
}

/** Runs whose inputs lie on the device at once, each in a place of its own: `kSlots` of native/cuda/run_cuda.cc. */
const RUNS_UNDER_WAY = 2;

const productOps = new Set([
  "matmul", "causalAttention", "causalAttentionGrad", "linearCrossEntropy", "linearCrossEntropyGrad", "linearCrossEntropyWithGrad",
]);

/** The program with its products on tensor cores, but for those that say `bf16: 0`. */
function withBf16(program: Program): Program {
  const instructions = program.instructions.map((node) =>
    productOps.has(node.op) ? { ...node, attributes: { bf16: 1, ...node.attributes } } : node,
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
