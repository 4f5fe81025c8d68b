import { mkdirSync, renameSync, rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import { basename, dirname, join, relative } from "node:path";
import { DeviceError, type Progress } from "@espalier/core";
import { chooseCompiler, type Compiler } from "./compiler.ts";
import { run } from "./run.ts";
import { type CompileUnit, type NativePackage, packagesWithNativeCode, readSourceList } from "./sources.ts";
import { Digests, isCurrent, readDependencies, writeStamp, writeWhole } from "./stamp.ts";

export interface BuildOptions {
  /** Folder names under `packages/`; default: every one with a `native/sources.json`. */
  packages?: readonly string[];
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
  /** The addons, built now or before. */
  outputs: string[];
}

const checkout = join(import.meta.dirname, "..", "..", "..");
const headers = join(import.meta.dirname, "..", "node_modules", "node-api-headers", "include");

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

interface Step {
  output: string;
  command: string[];
  unit: CompileUnit;
}

function compileSteps(native: NativePackage, compiler: Compiler, objects: string): Step[] {
  const include = [...native.include, headers].flatMap((path) => ["-I", path]);
  return native.units.map((unit) => {
    const set = unit.instructionSet;
    const perSet = set ? [`-DESPALIER_ISA=${set.name}`, ...compiler.instructionFlags(set)] : [];
    const output = join(objects, set?.name ?? "base", `${basename(unit.source, ".cc")}.o`);
    return { output, unit, command: [...compiler.command, ...commonFlags, ...perSet, ...include, "-c", unit.source] };
  });
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

function linkCommand(compiler: Compiler, objects: readonly string[]): string[] {
  const platform = process.platform === "darwin" ? ["-undefined", "dynamic_lookup"] : ["-s"]; // -s: no symbol table
  return [...compiler.command, "-shared", "-pthread", ...platform, ...objects];
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
 * Builds the native addons of the workspace into `packages/<name>/build/<platform>/<output>.node`.
 *
 * Every object has a stamp of its command, compiler version and the content of every file it read; what is current
 * is left alone. Outputs are replaced by renaming. Also writes `compile_commands.json` for editors.
 *
 * @throws {DeviceError} when there is no compiler, or with the file and the compiler's message
 */
export async function buildNative(options: BuildOptions = {}): Promise<BuildResult> {
  const started = performance.now();
  const report = options.onProgress ?? (() => {});
  const workspace = options.workspace ?? checkout;
  const folders = options.packages ?? packagesWithNativeCode(workspace);
  const compiler = await chooseCompiler((detail) => report({ task: "native", done: 0, unit: "files", detail }));
  options.onCompiler?.(compiler.sentence);
  const digests = new Digests();
  const platform = `${process.platform}-${process.arch}`;

  const targets = folders.map((folder) => {
    const native = readSourceList(workspace, folder, process.arch);
    const directory = join(native.directory, "build", platform);
    const steps = compileSteps(native, compiler, join(directory, "objects"));
    return { output: join(directory, `${native.output}.node`), steps, objects: steps.map((step) => step.output) };
  });
  const everything = targets.flatMap((target) => target.steps);
  const stale = everything.filter((step) => options.force || !isCurrent(step.output, identity(step.command, compiler), digests));
  const total = everything.length + targets.length;
  let done = everything.length - stale.length;
  let built = 0;
  await inParallel(stale, availableParallelism(), async (step) => {
    await compile(step, workspace, compiler, digests);
    built++;
    const set = step.unit.instructionSet ? ` (${step.unit.instructionSet.name})` : "";
    report({ task: "native", done: ++done, total, unit: "files", detail: basename(step.unit.source) + set });
  });
  const fresh = new Digests(); // objects have changed since the first look
  for (const target of targets) {
    const { output, objects } = target;
    const command = linkCommand(compiler, objects);
    if (options.force || !isCurrent(output, identity(command, compiler), fresh)) {
      await link(command, target, workspace, compiler, fresh);
      built++;
    }
    report({ task: "native", done: ++done, total, unit: "files", detail: basename(output) });
  }
  const commands = everything.map((step) => ({ directory: workspace, file: step.unit.source, arguments: step.command, output: step.output }));
  if (built > 0) writeWhole(join(workspace, "compile_commands.json"), JSON.stringify(commands, null, 1));
  return {
    built,
    total,
    compiler: compiler.name,
    sentence: compiler.sentence,
    seconds: (performance.now() - started) / 1000,
    outputs: targets.map((target) => target.output),
  };
}
