import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { DeviceError } from "@espalier/core";
import type { Platform } from "./platforms.ts";
import type { InstructionSet } from "./sources.ts";
import { run } from "./run.ts";
import { fetchZig, zigVersion } from "./zig.ts";

/** A C++ compiler and the few things in which compilers differ. */
export interface Compiler {
  /** `g++ 12.2.0`, `clang++ 17.0.6`, `zig 0.12.0-dev.1286`. */
  name: string;
  /** Program and leading arguments. */
  command: readonly string[];
  env?: NodeJS.ProcessEnv;
  /** Arguments that allow a set's instructions. */
  instructionFlags(set: InstructionSet): string[];
  /** One sentence for the user: which compiler was taken, and why. */
  sentence: string;
}

/** Oldest versions that compile the sources (C++17, the AVX-512 intrinsics in use). */
const minimumMajor = { "g++": 11, "clang++": 14 } as const;

const featureFlags = (set: InstructionSet) => set.features.map((feature) => `-m${feature}`);

/** The first file of that name on the PATH. */
function onPath(name: string): string | undefined {
  const suffix = process.platform === "win32" ? ".exe" : "";
  return (process.env.PATH ?? "")
    .split(delimiter)
    .filter(Boolean)
    .map((folder) => join(folder, name + suffix))
    .find((path) => existsSync(path));
}

async function systemCompiler(name: keyof typeof minimumMajor): Promise<Compiler | undefined> {
  const path = onPath(name);
  if (!path) return undefined;
  const { code, stdout } = await run(path, ["--version"]);
  const version = /(\d+)\.\d+(?:\.\d+)?/.exec(stdout);
  if (code !== 0 || !version || Number(version[1]) < minimumMajor[name]) return undefined;
  return {
    name: `${name} ${version[0]}`,
    command: [path],
    instructionFlags: featureFlags,
    sentence: `native: compiling with ${name} ${version[0]} of this machine (${path}).`,
  };
}

/**
 * The system's g++ or clang++ when it is recent enough, else the zig toolchain from npm (clang 17 with libc++).
 *
 * @throws {DeviceError} when there is neither, naming what was tried
 */
export async function chooseCompiler(onFetch: (detail: string) => void): Promise<Compiler> {
  const names = process.platform === "darwin" ? (["clang++", "g++"] as const) : (["g++", "clang++"] as const);
  for (const name of names) {
    const compiler = await systemCompiler(name);
    if (compiler) return compiler;
  }
  const architecture = process.arch === "arm64" ? "aarch64" : "x86_64";
  // glibc 2.28 is Node's own minimum, so that an addon built here loads wherever Node does.
  const target = process.platform === "linux" ? `${architecture}-linux-gnu.2.28` : undefined;
  const sentence = `native: this machine has no g++ >= ${minimumMajor["g++"]} or clang++ >= ${minimumMajor["clang++"]}; compiling with zig ${zigVersion} (clang 17) from npm.`;
  return zigCompiler(target, sentence, onFetch);
}

async function zigCompiler(target: string | undefined, sentence: string, onFetch: (detail: string) => void): Promise<Compiler> {
  const { path, cache } = await fetchZig(onFetch);
  return {
    name: `zig ${zigVersion}`,
    command: [path, "c++", ...(target ? ["-target", target] : [])],
    env: { ...process.env, ZIG_GLOBAL_CACHE_DIR: join(cache, "zig-cache"), ZIG_LOCAL_CACHE_DIR: join(cache, "zig-cache") },
    // zig names processor features in -mcpu and does not forward -m flags.
    instructionFlags: (set) => (set.features.length === 0 ? [] : [`-mcpu=x86_64+${set.features.join("+")}`]),
    sentence,
  };
}

/**
 * The pinned zig for another platform, always: what is published must not depend on the machine that built it.
 *
 * @throws {DeviceError} when it can not be fetched
 */
export function crossCompiler(platform: Platform, onFetch: (detail: string) => void): Promise<Compiler> {
  return zigCompiler(platform.zigTarget, `native: compiling for every platform with zig ${zigVersion} (clang 17) from npm.`, onFetch);
}

/**
 * GPU architectures: Ampere and Hopper in machine code, with Hopper's own instructions beside, and PTX that drivers
 * compile for what is newer.
 */
const architectures = ["arch=compute_80,code=sm_80", "arch=compute_90,code=sm_90", "arch=compute_90a,code=sm_90a", "arch=compute_90,code=compute_90"];

/**
 * NVIDIA's compiler: on the PATH, under CUDA_HOME, CUDA_PATH or /usr/local/cuda.
 *
 * @throws {DeviceError} when it is not there, naming what was tried
 */
export async function chooseNvcc(): Promise<Compiler> {
  const roots = [process.env.CUDA_HOME, process.env.CUDA_PATH, "/usr/local/cuda"].filter((root) => root !== undefined);
  const candidates = [onPath("nvcc"), ...roots.map((root) => join(root, "bin", "nvcc"))].filter((path) => path !== undefined);
  for (const path of candidates) {
    const { code, stdout } = await run(path, ["--version"]);
    const version = /release (\d+\.\d+)/.exec(stdout);
    if (code !== 0 || !version) continue;
    return {
      name: `nvcc ${version[1]}`,
      command: [path, ...architectures.flatMap((architecture) => ["-gencode", architecture])],
      instructionFlags: () => [],
      sentence: `native: compiling CUDA with nvcc ${version[1]} (${path}).`,
    };
  }
  throw new DeviceError(
    `native: no nvcc. Tried: the PATH${candidates.length > 0 ? `, ${candidates.join(", ")}` : ""}. Install the CUDA toolkit (12.4 or later), or use the published package.`,
  );
}
