import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DeviceError, FileError } from "@espalier/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { buildNative } from "./build.ts";
import { platforms } from "./platforms.ts";
import { readDependencies } from "./stamp.ts";
import { cacheDirectory, zigVersion } from "./zig.ts";

/** A workspace of one package whose addon exports a number from a header, through code of one instruction set. */
const files = {
  "sources.json": JSON.stringify({ output: "toy", include: ["native"], sources: ["native/addon.cc"], perInstructionSet: ["native/op_*.cc"] }),
  "value.h": "#define VALUE 7\n",
  "op_value.cc": '#include "value.h"\nnamespace ESPALIER_ISA { int value() { return VALUE; } }\n',
  "addon.cc": `#include <node_api.h>
namespace portable { int value(); }
static napi_value init(napi_env env, napi_value exports) {
  napi_value number;
  napi_create_int32(env, portable::value(), &number);
  napi_set_named_property(env, exports, "value", number);
  return exports;
}
NAPI_MODULE(toy, init)
`,
};

let workspace: string;
const write = (name: string, text: string) => writeFileSync(join(workspace, "packages", "toy", "native", name), text);
const build = (options = {}) => buildNative({ workspace, ...options });

beforeEach(() => {
  workspace = mkdtempSync(join(tmpdir(), "espalier native ")); // the space is part of the test
  mkdirSync(join(workspace, "packages", "toy", "native"), { recursive: true });
  for (const [name, text] of Object.entries(files)) write(name, text);
});
afterEach(() => rmSync(workspace, { recursive: true }));

describe("buildNative", () => {
  it("builds an addon that loads, then nothing, then what a header concerns", { timeout: 300_000 }, async () => {
    const progress: number[] = [];
    const first = await build({ onProgress: ({ done }: { done: number }) => progress.push(done) });
    expect(first.built).toBe(first.total);
    expect(first.sentence).toMatch(/^native: .*compiling with .*\.$/);
    expect(progress.at(-1)).toBe(first.total);
    const load = (path: string) => createRequire(import.meta.url)(path) as { value: number };
    expect(load(first.outputs[0]!).value).toBe(7);

    const second = await build();
    expect([second.built, second.total]).toEqual([0, first.total]);

    write("value.h", "#define VALUE 8\n");
    const third = await build();
    expect(third.built).toBe(first.total - 1); // all but addon.cc, which does not include it
    expect((await build({ force: true })).built).toBe(first.total);
    const commands = JSON.parse(readFileSync(join(workspace, "compile_commands.json"), "utf8")) as { file: string; arguments: string[] }[];
    expect(commands).toHaveLength(first.total - 1);
    expect(commands.every((command) => command.arguments.includes("-ffp-contract=off"))).toBe(true);
  });

  const zigIsHere = existsSync(join(cacheDirectory(), `zig-${zigVersion}`, "node_modules"));
  it.skipIf(!zigIsHere)("builds for other systems with the pinned zig, each in the format of its own (skipped where zig was never fetched)", { timeout: 600_000 }, async () => {
    const chosen = platforms.filter(({ name }) => ["linux-arm64-musl", "darwin-arm64", "win32-x64"].includes(name));
    const { outputs, sentence } = await build({ platforms: chosen });
    expect(sentence).toContain("zig");
    expect(outputs.map((output) => output.split(/[\\/]/).at(-2))).toEqual(chosen.map(({ name }) => name));
    const [elf, macho, pe] = outputs.map((output) => readFileSync(output));
    expect([elf!.toString("latin1", 1, 4), elf!.readUInt16LE(18)]).toEqual(["ELF", 183]); // AArch64
    expect([macho!.readUInt32LE(0), macho!.readUInt32LE(4)]).toEqual([0xfeedfacf, 0x0100000c]); // 64 bits, ARM64
    expect(pe!.toString("latin1", 0, 2)).toBe("MZ");
    expect(pe!.includes("NODE.EXE")).toBe(true);
    expect((await build({ platforms: chosen })).built).toBe(0);
  });

  it("names the file that does not compile, shows the compiler's message and keeps the old addon", { timeout: 300_000 }, async () => {
    const { outputs } = await build();
    const before = statSync(outputs[0]!).mtimeMs;
    write("op_value.cc", "int broken = nonsense;\n");
    const failure = await build().catch((error: unknown) => error as Error);
    expect(failure).toBeInstanceOf(DeviceError);
    expect((failure as Error).message).toMatch(/^native: packages\/toy\/native\/op_value\.cc does not compile for \w+ with /);
    expect((failure as Error).message).toContain("nonsense");
    expect(statSync(outputs[0]!).mtimeMs).toBe(before);
  });

  it("refuses a package without a source list, and a pattern that matches nothing", async () => {
    await expect(build({ packages: ["nowhere"] })).rejects.toThrow(FileError);
    write("sources.json", JSON.stringify({ output: "toy", include: [], sources: ["native/none_*.cc"] }));
    await expect(build()).rejects.toThrow(/"native\/none_\*\.cc" matches no file/);
  });

  it("says what to install where there is neither compiler nor package manager", async () => {
    const { PATH, npm_execpath: execPath, ESPALIER_CACHE: cache } = process.env;
    try {
      process.env.PATH = "";
      delete process.env.npm_execpath;
      process.env.ESPALIER_CACHE = join(workspace, "cache");
      await expect(build()).rejects.toThrow(/no C\+\+ compiler.*Install g\+\+/);
    } finally {
      Object.assign(process.env, { PATH, npm_execpath: execPath, ESPALIER_CACHE: cache });
      for (const name of ["npm_execpath", "ESPALIER_CACHE"] as const) if (process.env[name] === "undefined") delete process.env[name];
    }
  });
});

describe("readDependencies", () => {
  it("reads continued lines and escaped spaces, and leaves out what is not a file", () => {
    const spaced = join(workspace, "with space.h");
    writeFileSync(spaced, "");
    const list = join(workspace, "list.d");
    writeFileSync(list, `out.o: ${spaced.replaceAll(" ", "\\ ")} \\\n  ${join(workspace, "gone.h").replaceAll(" ", "\\ ")}\n`);
    expect(readDependencies(list)).toEqual([spaced]);
  });
});
