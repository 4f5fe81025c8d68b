import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { DeviceError } from "@espalier/core";

/** An object of the addon: an executor, a buffer or a program. */
declare const handle: unique symbol;
export type Handle = { readonly [handle]: true };

/** The program in the form that crosses: numbers in typed arrays, names as text. See `load` in native/addon/programs.cc. */
export interface PackedProgram {
  tensors: Float64Array;
  instructions: {
    op: string;
    attributeNames: string;
    attributes: Float64Array;
    inputs: Float64Array;
    outputs: Float64Array;
  }[];
  sizes: Float64Array;
}

/** What native/addon/ exports, by native/addon/functions.h. */
export interface Addon {
  /** Opens a library of device kernels; it takes the place of the addon's own CPU kernels where it is passed. */
  openLibrary(path: string): Handle;
  describe(library?: Handle): { ops: string; instructionPaths: string; device: string };
  createExecutor(numThreads: number, instructionPath: string | undefined, parallelGrain: number, library?: Handle): Handle;
  executorPath(executor: Handle): string;
  allocate(executor: Handle, bytes: number): Handle;
  write(buffer: Handle, source: ArrayBufferView, byteOffset: number): void;
  read(buffer: Handle, target: ArrayBufferView, byteOffset: number): void;
  freeBuffer(buffer: Handle): void;
  load(executor: Handle, program: PackedProgram): Handle;
  scratchBytes(program: Handle): number;
  bind(program: Handle, tensor: number, buffer: Handle): void;
  run(program: Handle, runtime: Uint8Array, output: Uint8Array): Promise<void>;
  cancel(program: Handle): void;
  readTensor(program: Handle, tensor: number, target: ArrayBufferView): void;
  profile(program: Handle, seconds: Float64Array, calls: BigInt64Array): void;
  freeProgram(program: Handle): void;
}

/** Status codes of native/espalier.h that are told apart here. */
export const status = { cancelled: 5 } as const;

/** An error as the addon throws it. */
export interface NativeError extends Error {
  status: number;
  /** Index of the instruction it concerns, or -1. */
  instruction: number;
}

export const platform = `${process.platform}-${process.arch}`;
const specifier = `#native/${platform}/espalier_kernels.node`;

export interface Loading {
  addon?: Addon;
  /** Files looked for, each with what was found. */
  tried: string[];
  cause?: unknown;
}

let loading: Loading | undefined;

/** Opens the addon once; a failure is an answer here, so that `doctor` can show it. */
export function tryLoadAddon(): Loading {
  if (loading?.addon) return loading;
  const require = createRequire(import.meta.url);
  let path = specifier;
  try {
    path = require.resolve(specifier);
    loading = { addon: require(path) as Addon, tried: [`${path} (loaded)`] };
  } catch (cause) {
    const found = path !== specifier && existsSync(path);
    loading = { tried: [`${path} (${found ? `does not load: ${(cause as Error).message}` : "not there"})`], cause };
  }
  return loading;
}

/**
 * The addon of this platform.
 *
 * @throws {DeviceError} when it is not there, naming what was tried and what to do
 */
export function loadAddon(): Addon {
  const { addon, tried, cause } = tryLoadAddon();
  if (addon) return addon;
  throw new DeviceError(
    `kernels: no native addon for ${platform}. Tried: ${tried.join(", ")}. Run \`pnpm native\`, or use the reference executor.`,
    { cause },
  );
}
