import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const platform = `${process.platform}-${process.arch}`;
let directory: string;

/** A package of its own inside this one: the loader's source, and no build or a broken one. */
beforeEach(() => {
  directory = mkdtempSync(join(import.meta.dirname, "..", ".addon-test-"));
  writeFileSync(join(directory, "package.json"), JSON.stringify({ type: "module", imports: { "#native/*": "./build/*" } }));
  copyFileSync(join(import.meta.dirname, "addon.ts"), join(directory, "addon.ts"));
});
afterEach(() => rmSync(directory, { recursive: true }));

function load(): { name: string; code: string; message: string } {
  const script = `
    import { loadAddon } from "./addon.ts";
    try { loadAddon(); } catch ({ name, code, message }) { console.log(JSON.stringify({ name, code, message })); }`;
  writeFileSync(join(directory, "main.ts"), script);
  const { stdout } = spawnSync(process.execPath, ["--conditions=@espalier/source", "main.ts"], { cwd: directory, encoding: "utf8" });
  return JSON.parse(stdout);
}

describe("loadAddon", () => {
  it("says what was tried and what to do when there is no addon", () => {
    const { name, code, message } = load();
    expect([name, code]).toEqual(["DeviceError", "DEVICE"]);
    expect(message.startsWith(`kernels: no native addon for ${platform}. Tried: `)).toBe(true);
    expect(message.endsWith("(not there). Run `pnpm native`, or use the reference executor.")).toBe(true);
  });

  it("says why when the file is there and does not load", () => {
    mkdirSync(join(directory, "build", platform), { recursive: true });
    writeFileSync(join(directory, "build", platform, "espalier_kernels.node"), "not a library");
    expect(load().message).toMatch(/espalier_kernels\.node \(does not load: .+\)\. Run `pnpm native`/);
  });
});
