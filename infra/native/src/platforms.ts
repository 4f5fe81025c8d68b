import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DeviceError } from "@espalier/core";
import type { Compiler } from "./compiler.ts";
import { run } from "./run.ts";

/** A platform that a published package has a binary for. */
export interface Platform {
  /** Folder below `build/`: `process.platform`, `process.arch`, and the C library where Node knows more than one. */
  name: string;
  system: "linux" | "darwin" | "win32";
  architecture: "x64" | "arm64";
  /** zig's name of it, with the oldest system that Node 22 runs on: glibc 2.28, macOS 11. */
  zigTarget: string;
}

export const platforms: readonly Platform[] = [
  { name: "linux-x64", system: "linux", architecture: "x64", zigTarget: "x86_64-linux-gnu.2.28" },
  { name: "linux-arm64", system: "linux", architecture: "arm64", zigTarget: "aarch64-linux-gnu.2.28" },
  { name: "linux-x64-musl", system: "linux", architecture: "x64", zigTarget: "x86_64-linux-musl" },
  { name: "linux-arm64-musl", system: "linux", architecture: "arm64", zigTarget: "aarch64-linux-musl" },
  { name: "darwin-x64", system: "darwin", architecture: "x64", zigTarget: "x86_64-macos.11.0" },
  { name: "darwin-arm64", system: "darwin", architecture: "arm64", zigTarget: "aarch64-macos.11.0" },
  { name: "win32-x64", system: "win32", architecture: "x64", zigTarget: "x86_64-windows-gnu" },
];

/**
 * What a link for Windows needs beside the objects: Node's own functions, as an import library of `node.exe`. Elsewhere
 * they are found when the addon is opened.
 *
 * @param definitions the list of Node-API's functions, a `.def` file
 * @returns arguments of the linker
 * @throws {DeviceError} with the message of zig
 */
export async function nodeImports(system: NodeJS.Platform, zig: Compiler, definitions: string, directory: string): Promise<string[]> {
  if (system !== "win32" || !zig.name.startsWith("zig")) return [];
  mkdirSync(directory, { recursive: true });
  const library = join(directory, "node_api.lib");
  const { code, stdout, stderr } = await run(zig.command[0]!, ["dlltool", "-m", "i386:x86-64", "-d", definitions, "-l", library], { env: zig.env });
  if (code !== 0) throw new DeviceError(`native: no import library of node.exe with ${zig.name}:\n${(stderr + stdout).trim()}`);
  return [library];
}
