import { existsSync, globSync, readdirSync, readFileSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { FileError } from "@espalier/core";

/** `native/sources.json` of a package: what it compiles. Paths and patterns are relative to the package. */
interface SourceList {
  /** Name of the addon without `.node`. */
  output: string;
  include: string[];
  /** Compiled once, for the platform's base instruction set. */
  sources: string[];
  /** Compiled once per instruction set, with `-DESPALIER_ISA=<name>`. */
  perInstructionSet?: string[];
  /** Also built for WebAssembly, into a TypeScript file that holds the module. */
  webAssembly?: WebAssemblyList;
}

/** What becomes one WebAssembly module; paths are relative to the package. */
export interface WebAssemblyList {
  sources: string[];
  /** A TypeScript file, committed. */
  output: string;
}

/** A package with native code, its source list read and its patterns expanded. */
export interface NativePackage {
  name: string;
  directory: string;
  output: string;
  include: string[];
  units: CompileUnit[];
  webAssembly?: WebAssemblyList;
}

/** One file compiled one way. */
export interface CompileUnit {
  source: string;
  /** Absent: base flags. */
  instructionSet?: InstructionSet;
}

export interface InstructionSet {
  name: "portable" | "avx2" | "avx512";
  /** Processor features beyond the platform's base, by the names that g++ and clang share. */
  features: readonly string[];
}

const instructionSets: Record<string, readonly InstructionSet[]> = {
  x64: [
    { name: "portable", features: [] },
    { name: "avx2", features: ["avx2", "fma"] },
    { name: "avx512", features: ["avx2", "fma", "avx512f", "avx512bw", "avx512dq", "avx512vl"] },
  ],
};
const portableOnly: readonly InstructionSet[] = [{ name: "portable", features: [] }];

/** Instruction sets that kernels are compiled for on a processor architecture (a `process.arch`). */
export function instructionSetsOf(architecture: string): readonly InstructionSet[] {
  return instructionSets[architecture] ?? portableOnly;
}

/** Folders under `packages/` that have a `native/sources.json`. */
export function packagesWithNativeCode(workspace: string): string[] {
  return readdirSync(join(workspace, "packages")).filter((folder) =>
    existsSync(join(workspace, "packages", folder, "native", "sources.json")),
  );
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
  return {
    name: basename(directory),
    directory,
    output: list.output,
    include: list.include.map((path) => join(directory, path)),
    ...(list.webAssembly && { webAssembly: list.webAssembly }),
    units: [
      ...list.sources.flatMap(expand).map((source) => ({ source })),
      ...(list.perInstructionSet ?? []).flatMap(expand).flatMap((source) =>
        instructionSetsOf(architecture).map((instructionSet) => ({ source, instructionSet })),
      ),
    ],
  };
}
