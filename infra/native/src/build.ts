import { mkdirSync, renameSync, rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import { basename, dirname, extname, join, relative } from "node:path";
import { DeviceError, type Progress } from "@espalier/core";
import { chooseCompiler, chooseNvcc, type Compiler, crossCompiler } from "./compiler.ts";
import { nodeImports, type Platform } from "./platforms.ts";
import { run } from "./run.ts";
import { type CompileUnit, type NativePackage, type NativeTarget, packagesWithNativeCode, readSourceList } from "./sources.ts";
import { Digests, isCurrent, readDependencies, writeStamp, writeWhole } from "./stamp.ts";

export interface BuildOptions {
  /** Folder names under `packages/`; default: every one with a `native/sources.json`. */
  packages?: readonly string[];
  /** Build the addons for these instead of for this machine, with the pinned zig. Libraries are left out. */
  platforms?: readonly Platform[];
  onProgress?: Progress;
  /** Compile everything, whatever the stamps say. */
  force?: boolean;
  /** Called once, before the first file: which compiler was taken. */
  onCompiler?: (sentence: string) => void;
  /** The folder that holds `packages/`. Default: the checkout that this file is part of. */
  workspace?: string;
}

export interface BuildResult {
  /** Files compiled or linked; 0 when everything was current. */
  built: number;
  /** Files that had to be looked at. */
  total: number;
  compiler: string;
  /** Which compiler was taken, in one sentence. */
  sentence: string;
  seconds: number;
  /** The addons and libraries, built now or before. */
  outputs: string[];
}

const checkout = join(import.meta.dirname, "..", "..", "..");
const nodeApi = join(import.meta.dirname, "..", "node_modules", "node-api-headers");
const headers = join(nodeApi, "include");

const commonFlags = [
  "-O3",
  "-std=c++17",
  "-fPIC",
  "-ffp-contract=off", // a sum is fused where the source says fma, and nowhere else: same bits from every compiler
  "-fno-math-errno",
  "-fvisibility=hidden",
  "-DNAPI_VERSION=8",
  "-Wall",
  "-Wextra",
  "-Wno-unknown-warning-option",
  "-Wno-uninitialized", // g++ 12 reports its own AVX-512 intrinsics
  "-Wno-maybe-uninitialized",
];
/** nvcc's own flags; contraction to fma is the rule on a GPU, and fixed for one compiler and architecture. */
const nvccFlags = [
  "-O3",
  "-std=c++17",
  "-Xcompiler",
  "-fPIC,-fvisibility=hidden",
  "--expt-relaxed-constexpr",
  "--threads=0", // architectures side by side
];
/** .cu files compiled as C++: unrolling is nvcc's word. */
const emulationFlags = ["-Wno-unknown-pragmas", "-Wno-strict-aliasing"];

interface Step {
  output: string;
  command: string[];
  unit: CompileUnit;
}

function compileSteps(native: NativePackage, target: NativeTarget, compiler: Compiler, objects: string): Step[] {
  const include = [...native.include, headers].flatMap((path) => ["-I", path]);
  return target.units.map((unit) => {
    const set = unit.instructionSet;
    const perSet = set ? [`-DESPALIER_ISA=${set.name}`, ...compiler.instructionFlags(set)] : [];
    const defines = (unit.defines ?? []).map((define) => `-D${define}`);
    const kind = extname(unit.source);
    const folder = target.output.endsWith(".node") ? (set?.name ?? "base") : basename(target.output, ".so");
    const output = join(objects, folder, `${basename(unit.source, kind)}.o`);
    const own = target.compiler === "nvcc" ? nvccFlags : commonFlags;
    // A .cu file is C++ to a C++ compiler, and a .cc file stays one to nvcc.
    const language = target.compiler === "c++" && kind === ".cu" ? [...emulationFlags, "-x", "c++"] : [];
    return { output, unit, command: [...compiler.command, ...own, ...perSet, ...defines, ...include, ...language, "-c", unit.source] };
  });
}

/** One file to link. */
interface Target {
  output: string;
  steps: Step[];
  chosen: Compiler;
  objects: string[];
  command: string[];
}

/** What is built for. */
interface Host {
  name: string;
  system: NodeJS.Platform;
  architecture: string;
  compiler: Compiler;
  /** Whether libraries that are opened at run time are built too. */
  libraries: boolean;
}

async function thisHost(onFetch: (detail: string) => void): Promise<Host> {
  const { platform, arch } = process;
  return { name: `${platform}-${arch}`, system: platform, architecture: arch, compiler: await chooseCompiler(onFetch), libraries: true };
}

async function crossHost(platform: Platform, onFetch: (detail: string) => void): Promise<Host> {
  return { ...platform, compiler: await crossCompiler(platform, onFetch), libraries: false };
}

/** What identifies a command in a stamp: its words and the compiler's version (the target is among the words). */
const identity = (command: readonly string[], compiler: Compiler) => JSON.stringify([compiler.name, command]);

async function compile(step: Step, workspace: string, compiler: Compiler, digests: Digests): Promise<void> {
  mkdirSync(dirname(step.output), { recursive: true });
  const temporary = `${step.output}.${process.pid}.o`;
  const dependencies = `${temporary}.d`;
  const [program, ...args] = [...step.command, "-MMD", "-MF", dependencies, "-o", temporary];
  const { code, stdout, stderr } = await run(program!, args, { cwd: workspace, env: compiler.env });
  if (code !== 0) {
    rmSync(temporary, { force: true });
    const file = relative(workspace, step.unit.source);
    const set = step.unit.instructionSet ? ` for ${step.unit.instructionSet.name}` : "";
    throw new DeviceError(`native: ${file} does not compile${set} with ${compiler.name}:\n${(stderr + stdout).trim()}`);
  }
  renameSync(temporary, step.output);
  writeStamp(step.output, identity(step.command, compiler), readDependencies(dependencies), digests);
  rmSync(dependencies, { force: true });
}

function linkCommand(compiler: Compiler, objects: readonly string[], nvcc: boolean, system: NodeJS.Platform, imports: readonly string[]): string[] {
  if (nvcc) return [...compiler.command, "-shared", "-cudart", "static", "-Xcompiler", "-pthread", ...objects, "-ldl"];
  const symbols = system === "darwin" ? ["-Wl,-undefined,dynamic_lookup"] : ["-s"]; // -s: no symbol table
  return [...compiler.command, "-shared", "-pthread", ...symbols, ...objects, ...imports, ...(system === "linux" ? ["-ldl"] : [])];
}

async function link(
  command: string[],
  { output, objects }: { output: string; objects: readonly string[] },
  workspace: string,
  compiler: Compiler,
  digests: Digests,
): Promise<void> {
  const temporary = `${output}.${process.pid}.tmp`;
  const [program, ...args] = [...command, "-o", temporary];
  const { code, stdout, stderr } = await run(program!, args, { cwd: workspace, env: compiler.env });
  if (code !== 0) {
    rmSync(temporary, { force: true });
    throw new DeviceError(`native: ${relative(workspace, output)} does not link with ${compiler.name}:\n${(stderr + stdout).trim()}`);
  }
  renameSync(temporary, output); // a process that has the old file mapped keeps it
  writeStamp(output, identity(command, compiler), objects, digests);
}

/** Runs `work` on every item, a few at a time; the first failure stops what has not begun. */
async function inParallel<T>(items: readonly T[], width: number, work: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  let failed = false;
  const lane = async () => {
    while (next < items.length && !failed) {
      try {
        await work(items[next++]!);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const lanes = await Promise.allSettled(Array.from({ length: Math.min(width, items.length) }, lane));
  for (const result of lanes) if (result.status === "rejected") throw result.reason;
}

/**
 * Builds the native addons of the workspace into `packages/<name>/build/<platform>/<output>.node`, for this machine or
 * for others.
 *
 * Every object has a stamp of its command, compiler version and the content of every file it read; what is current
 * is left alone. Outputs are replaced by renaming. Also writes `compile_commands.json` for editors.
 *
 * Libraries that are opened at run time become `packages/<name>/build/<platform>/<output>.so`; those for GPUs need nvcc.
 *
 * @throws {DeviceError} when there is no compiler, or with the file and the compiler's message
 */
export async function buildNative(options: BuildOptions = {}): Promise<BuildResult> {
  const started = performance.now();
  const report = options.onProgress ?? (() => {});
  const workspace = options.workspace ?? checkout;
  const folders = options.packages ?? packagesWithNativeCode(workspace);
  const onFetch = (detail: string) => report({ task: "native", done: 0, unit: "files", detail });
  const hosts: Host[] = [];
  for (const platform of options.platforms ?? []) hosts.push(await crossHost(platform, onFetch)); // one after another: the first may fetch zig
  if (!options.platforms) hosts.push(await thisHost(onFetch));
  const { compiler } = hosts[0]!;
  options.onCompiler?.(compiler.sentence);
  const digests = new Digests();

  const targets: Target[] = [];
  for (const host of hosts) {
    const packages = folders.map((folder) => readSourceList(workspace, folder, host.architecture));
    const usesNvcc = host.libraries && packages.some((native) => native.targets.some((target) => target.compiler === "nvcc"));
    const nvcc = usesNvcc ? await chooseNvcc() : undefined;
    for (const native of packages) {
      const directory = join(native.directory, "build", host.name);
      const imports = await nodeImports(host.system, host.compiler, join(nodeApi, "def", "node_api.def"), join(directory, "objects"));
      for (const target of native.targets) {
        if (!host.libraries && !target.output.endsWith(".node")) continue;
        const chosen = target.compiler === "nvcc" ? nvcc! : host.compiler;
        const steps = compileSteps(native, target, chosen, join(directory, "objects"));
        const objects = steps.map((step) => step.output);
        targets.push({ output: join(directory, target.output), steps, chosen, objects, command: linkCommand(chosen, objects, target.compiler === "nvcc", host.system, imports) });
      }
    }
  }
  const everything = targets.flatMap((target) => target.steps.map((step) => ({ ...step, chosen: target.chosen })));
  const stale = everything.filter((step) => options.force || !isCurrent(step.output, identity(step.command, step.chosen), digests));
  const total = everything.length + targets.length;
  let done = everything.length - stale.length;
  let built = 0;
  await inParallel(stale, availableParallelism(), async (step) => {
    await compile(step, workspace, step.chosen, digests);
    built++;
    const set = step.unit.instructionSet ? ` (${step.unit.instructionSet.name})` : "";
    report({ task: "native", done: ++done, total, unit: "files", detail: basename(step.unit.source) + set });
  });
  const fresh = new Digests(); // objects have changed since the first look
  for (const target of targets) {
    const { output, command } = target;
    if (options.force || !isCurrent(output, identity(command, target.chosen), fresh)) {
      await link(command, target, workspace, target.chosen, fresh);
      built++;
    }
    report({ task: "native", done: ++done, total, unit: "files", detail: basename(output) });
  }
  const commands = everything.map((step) => ({ directory: workspace, file: step.unit.source, arguments: step.command, output: step.output }));
  if (built > 0 && !options.platforms) writeWhole(join(workspace, "compile_commands.json"), JSON.stringify(commands, null, 1));
  return {
    built,
    total,
    compiler: compiler.name,
    sentence: compiler.sentence,
    seconds: (performance.now() - started) / 1000,
    outputs: targets.map((target) => target.output),
  };
}
