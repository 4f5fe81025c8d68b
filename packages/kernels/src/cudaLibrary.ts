/**
 * Finding the CUDA kernels: a library of its own, in the opt-in package `@espalier/kernels-cuda`, opened when it is asked
 * for. Nothing of CUDA is needed to install or to build this package.
 */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { type Handle, loadAddon, platform, tryLoadAddon } from "./addon.ts";

/** What there is of CUDA on this machine. */
export interface CudaStatus {
  /** A library that opens, and a GPU that it can use. */
  available: boolean;
  /** The GPU and NVIDIA's libraries in one line, or why there is none. */
  device: string;
  /** `sm_90`: the GPU's instructions. */
  instructionPath?: string;
  /** The library, when one was found. */
  libraryPath?: string;
  /** Places looked at, each with what was found. */
  tried: string[];
}

const require = createRequire(import.meta.url);
const opened = new Map<string, Handle>();

/** Opens a library once in a process; it stays open. Throws the loader's reason. */
export function openLibrary(path: string): Handle {
  const library = opened.get(path) ?? loadAddon().openLibrary(path);
  opened.set(path, library);
  return library;
}

/** Where the library may be: `ESPALIER_CUDA_LIBRARY`, then the package of this platform. */
function places(): string[] {
  const named = process.env.ESPALIER_CUDA_LIBRARY;
  return [...(named ? [named] : []), `@espalier/kernels-cuda/library/${platform}`];
}

function resolved(place: string): string | undefined {
  if (!place.startsWith("@")) return existsSync(place) ? place : undefined;
  try {
    const path = require.resolve(place);
    return existsSync(path) ? path : undefined;
  } catch {
    return undefined;
  }
}

/** What there is of CUDA, and what was tried; throws nothing. */
export function cudaStatus(): CudaStatus {
  const tried: string[] = [];
  if (!tryLoadAddon().addon) return { available: false, device: "no native addon to open CUDA kernels with", tried };
  for (const place of places()) {
    const path = resolved(place);
    if (!path) {
      tried.push(`${place} (not there)`);
      continue;
    }
    try {
      const { device, instructionPaths } = loadAddon().describe(openLibrary(path));
      tried.push(`${path} (loaded)`);
      return { available: instructionPaths !== "", device, instructionPath: instructionPaths || undefined, libraryPath: path, tried };
    } catch (error) {
      tried.push(`${path} (does not load: ${(error as Error).message})`);
    }
  }
  return { available: false, device: "no CUDA kernels installed", tried };
}

/** The kernels compiled for the emulation, which a checkout has and the published package has not. */
export function emulatedCuda(): string | undefined {
  if (!tryLoadAddon().addon) return undefined;
  try {
    const path = require.resolve(`#native/${platform}/espalier_cuda_emulated.so`);
    return existsSync(path) ? path : undefined;
  } catch {
    return undefined;
  }
}
