import { existsSync, readFileSync } from "node:fs";

/** What `addonPlatform` looks at; in tests another machine's. */
export interface Machine {
  platform: string;
  arch: string;
  exists(path: string): boolean;
  read(path: string): string;
}

const thisMachine: Machine = { platform: process.platform, arch: process.arch, exists: existsSync, read: (path) => readFileSync(path, "utf8") };
const muslNames: Readonly<Record<string, string>> = { x64: "x86_64", arm64: "aarch64" };

/**
 * Folder of the addon below `build/`: platform and architecture, and `-musl` where this Node runs on musl in place of glibc
 * (Alpine). A machine may have both, so that what is mapped into this process decides.
 */
export function addonPlatform({ platform, arch, exists, read }: Machine = thisMachine): string {
  const name = `${platform}-${arch}`;
  if (platform !== "linux" || !exists(`/lib/ld-musl-${muslNames[arch] ?? arch}.so.1`)) return name;
  try {
    return read("/proc/self/maps").includes("/ld-musl-") ? `${name}-musl` : name;
  } catch {
    return name;
  }
}
