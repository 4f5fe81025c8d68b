import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { LockError } from "../errors.ts";
import { acquireLock } from "./lock.ts";

let directory: string;
beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), "espalier-core-"))));
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** A process that holds the lock and then waits to be killed. */
async function holder() {
  const lock = JSON.stringify(new URL("./lock.ts", import.meta.url).href);
  const source = `const { acquireLock } = await import(${lock});
    acquireLock(${JSON.stringify(directory)}); console.log("held"); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", "--input-type=module", "-e", source]);
  await once(child.stdout, "data");
  return child;
}

describe("acquireLock", () => {
  it("refuses a second holder in the same process until the first releases", () => {
    const lock = acquireLock(directory);
    expect(() => acquireLock(directory)).toThrow(LockError);
    expect(() => acquireLock(directory)).toThrow(`${directory}: another process is working in this directory.`);
    lock.release();
    lock.release();
    acquireLock(directory).release();
  });

  it("refuses while another process holds it, and is free once that process was killed", async () => {
    const child = await holder();
    expect(() => acquireLock(directory)).toThrow(LockError);
    child.kill("SIGKILL");
    await once(child, "exit");
    acquireLock(directory).release();
  });

  it("creates the directory", () => {
    acquireLock(join(directory, "a", "b")).release();
  });

  it("says in one sentence that a directory cannot be made, or is a file", () => {
    writeFileSync(join(directory, "file"), "");
    expect(() => acquireLock(join(directory, "file"))).toThrow(/locking .*file: a file stands where a directory is needed\. Name another path\./);
    expect(() => acquireLock(join(directory, "file", "below"))).toThrow(/a file stands where a directory is needed/);
    mkdirSync(join(directory, "readOnly"), { mode: 0o555 });
    if (process.platform !== "win32" && process.getuid!() !== 0) expect(() => acquireLock(join(directory, "readOnly"))).toThrow(/readOnly: permission denied\. Check its owner and mode\./);
    if (process.platform === "linux") expect(() => acquireLock("/proc/espalier")).toThrow(/locking \/proc\/espalier: it does not exist/);
  });
});
