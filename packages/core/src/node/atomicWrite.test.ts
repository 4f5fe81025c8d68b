import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FileError } from "../errors.ts";
import { atomicWrite } from "./atomicWrite.ts";
import { disk, type DiskOperation, intercept } from "./fileSystem.ts";

let directory: string;
beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), "espalier-core-"))));
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function failAt(target: number, code = "ENOSPC") {
  const operations: DiskOperation[] = [];
  const fileSystem = intercept(disk, (operation) => {
    operations.push(operation);
    if (operations.length === target) throw Object.assign(new Error(code), { code, errno: -28, syscall: operation });
  });
  return { operations, fileSystem };
}

describe("atomicWrite", () => {
  it("writes text, bytes and pieces, and leaves nothing else behind", async () => {
    await atomicWrite(join(directory, "a"), "text");
    await atomicWrite(join(directory, "b"), new Uint8Array([1, 2]));
    await atomicWrite(join(directory, "c"), async (write) => {
      await write("one ");
      await write(Buffer.from("two"));
    });
    expect(readdirSync(directory).sort()).toEqual(["a", "b", "c"]);
    expect(readFileSync(join(directory, "a"), "utf8")).toBe("text");
    expect([...readFileSync(join(directory, "b"))]).toEqual([1, 2]);
    expect(readFileSync(join(directory, "c"), "utf8")).toBe("one two");
  });

  it("syncs the bytes before the rename and the directory after it", async () => {
    const { operations, fileSystem } = failAt(0);
    await atomicWrite(join(directory, "a"), "text", fileSystem);
    expect(operations).toEqual(["open", "write", "sync", "rename", "syncDirectory"]);
  });

  it.each([1, 2, 3, 4])("keeps the old content and no temporary file when step %i finds the disk full", async (step) => {
    const path = join(directory, "a");
    writeFileSync(path, "old");
    const error = await atomicWrite(path, "new", failAt(step).fileSystem).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(FileError);
    expect((error as Error).message).toContain(`${path}: the disk is full. Free some space`);
    expect(readdirSync(directory)).toEqual(["a"]);
    expect(readFileSync(path, "utf8")).toBe("old");
  });

  it("passes on what the writer function throws, and writes nothing", async () => {
    const write = atomicWrite(join(directory, "a"), async (chunk) => {
      await chunk("half");
      throw new RangeError("no more");
    });
    await expect(write).rejects.toThrow(RangeError);
    expect(readdirSync(directory)).toEqual([]);
  });

  it("says so when the directory does not exist", async () => {
    await expect(atomicWrite(join(directory, "no", "a"), "x")).rejects.toThrow(/no[/\\]a: it does not exist\. Check the path\./);
  });
});

describe("disk.makeDirectory", () => {
  it("makes parents, leaves what is there, and refuses where a file stands", async () => {
    writeFileSync(join(directory, "file"), "");
    for (let i = 0; i < 2; i++) await disk.makeDirectory(join(directory, "a", "b"));
    expect(readdirSync(directory).sort()).toEqual(["a", "file"]);
    for (const path of ["file", "file/below"]) await expect(disk.makeDirectory(join(directory, path))).rejects.toThrow(/^(EEXIST|ENOTDIR)/);
  });
});

describe("disk.rename", () => {
  it("gives up with the first error that waiting cannot cure", async () => {
    await expect(disk.rename(join(directory, "absent"), join(directory, "b"))).rejects.toThrow(/ENOENT/);
  });
});
