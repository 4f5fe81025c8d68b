import { describe, expect, it } from "vitest";
import { addonPlatform, type Machine } from "./platform.ts";

const maps = (library: string) => `7f00-7f10 r-xp 00000000 00:00 0  ${library}\n`;
const machine = (platform: string, arch: string, files: Record<string, string>): Machine => ({
  platform,
  arch,
  exists: (path) => path in files,
  read(path) {
    if (!(path in files)) throw new Error(`no ${path}`);
    return files[path]!;
  },
});
const musl = "/lib/ld-musl-x86_64.so.1";

describe("addonPlatform", () => {
  it.each([
    ["glibc", "linux", "x64", { "/proc/self/maps": maps("/usr/lib/libc.so.6") }, "linux-x64"],
    ["musl", "linux", "x64", { [musl]: "", "/proc/self/maps": maps(musl) }, "linux-x64-musl"],
    ["musl on ARM", "linux", "arm64", { "/lib/ld-musl-aarch64.so.1": "", "/proc/self/maps": maps("/lib/ld-musl-aarch64.so.1") }, "linux-arm64-musl"],
    ["glibc beside an installed musl", "linux", "x64", { [musl]: "", "/proc/self/maps": maps("/usr/lib/libc.so.6") }, "linux-x64"],
    ["an installed musl without /proc", "linux", "x64", { [musl]: "" }, "linux-x64"],
    ["macOS", "darwin", "arm64", {}, "darwin-arm64"],
    ["Windows", "win32", "x64", {}, "win32-x64"],
  ])("knows %s", (_, platform, arch, files, expected) => {
    expect(addonPlatform(machine(platform, arch, files as Record<string, string>))).toBe(expected);
  });
});
