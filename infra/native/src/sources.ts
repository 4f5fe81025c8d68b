import { existsSync, globSync, readdirSync, readFileSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { FileError } from "@espalier/core";

/** `native/sources.json` of a package: what it compiles. Paths and patterns are relative to the package. */
interface SourceList {
  /** Name of the addon without `.node`; absent in a package that has libraries alone. */
  output?: string;
  include: string[];
  /** Compiled once, for the platform's base instruction set. */
  sources?: string[];
  /** Compiled once per instruction set, with `-DESPALIER_ISA=<name>`. */
  perInstructionSet?: string[];
  /** Also built for WebAssembly, into a TypeScript file that holds the module. */
  webAssembly?: WebAssemblyList;
  /** Shared libraries that are opened at run time. */
  libraries?: LibrarySource[];
  /** Built only when the package is named: it needs a toolchain that few machines have. */
  onRequest?: boolean;
}

/** What becomes one WebAssembly module; paths are relative to the package. */
export interface WebAssemblyList {
  sources: string[];
  /** A TypeScript file, committed. */
  output: string;
}

interface LibrarySource {
  /** Name of the library without `.so`. */
  output: string;
  /** `nvcc` compiles for GPUs; `c++` compiles .cu files as C++. */
  compiler: "c++" | "nvcc";
  defines: string[];
  sources: string[];
}

/** A package with native code, its source list read and its patterns expanded. */
export interface NativePackage {
  name: string;
  directory: string;
  include: string[];
  targets: NativeTarget[];
  webAssembly?: WebAssemblyList;
}

/** An addon or a library, and what it is made of. */
export interface NativeTarget {
  /** File name with its ending. */
  output: string;
  compiler: "c++" | "nvcc";
  units: CompileUnit[];
}

/** One file compiled one way. */
export interface CompileUnit {
  source: string;
  /** Absent: base flags. */
  instructionSet?: InstructionSet;
  /** Preprocessor names, as `NAME=value`. */
  defines?: readonly string[];
}

export interface InstructionSet {
  name: "portable" | "avx2" | "avx512" | "avx512bf16";
  /** Processor features beyond the platform's base, by the names that g++ and clang share. */
  features: readonly string[];
}

const instructionSets: Record<string, readonly InstructionSet[]> = {
  x64: [
    { name: "portable", features: [] },
    { name: "avx2", features: ["avx2", "fma"] },
    { name: "avx512", features: ["avx2", "fma", "avx512f", "avx512bw", "avx512dq", "avx512vl"] },
    { name: "avx512bf16", features: ["avx2", "fma", "avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512bf16"] },
  ],
};
const portableOnly: readonly InstructionSet[] = [{ name: "portable", features: [] }];

/** Instruction sets that kernels are compiled for on a processor architecture (a `process.arch`). */
function instructionSetsOf(architecture: string): readonly InstructionSet[] {
  return instructionSets[architecture] ?? portableOnly;
}

/** Folders under `packages/` that have a `native/sources.json` and are built unasked. */
export function packagesWithNativeCode(workspace: string): string[] {
  return readdirSync(join(workspace, "packages")).filter((folder) => {
    const file = join(workspace, "packages", folder, "native", "sources.json");
    return existsSync(file) && !(JSON.parse(readFileSync(file, "utf8")) as SourceList).onRequest;
  });
}

/**
 * Reads a package's source list.
 *
 * @throws {FileError} when the list is missing or a pattern matches nothing
 */
export function readSourceList(workspace: string, folder: string, architecture: string): NativePackage {
  const directory = join(workspace, "packages", folder);
  const file = join(directory, "native", "sources.json");
  if (!existsSync(file)) {
    throw new FileError(`native: ${relative(workspace, file)} does not exist. Only packages with that file have native code.`);
  }
  const list = JSON.parse(readFileSync(file, "utf8")) as SourceList;
  const expand = (pattern: string) => {
    const found = globSync(pattern, { cwd: directory }).sort();
    if (found.length === 0) throw new FileError(`native: ${relative(workspace, file)}: "${pattern}" matches no file. Correct the list.`);
    return found.map((path) => join(directory, path));
  };
  const addon: NativeTarget[] = list.output === undefined ? [] : [{
    output: `${list.output}.node`,
    compiler: "c++",
    units: [
      ...(list.sources ?? []).flatMap(expand).map((source) => ({ source })),
      ...(list.perInstructionSet ?? []).flatMap(expand).flatMap((source) =>
        instructionSetsOf(architecture).map((instructionSet) => ({ source, instructionSet })),
      ),
    ],
  }];
  const libraries = (list.libraries ?? []).map(({ output, compiler, defines, sources }): NativeTarget => ({
    output: `${output}.so`,
    compiler,
    units: sources.flatMap(expand).map((source) => ({ source, defines })),
  }));
  return {
    name: basename(directory),
    directory,
    include: list.include.map((path) => join(directory, path)),
    targets: [...addon, ...libraries],
    ...(list.webAssembly && { webAssembly: list.webAssembly }),
  };
}
