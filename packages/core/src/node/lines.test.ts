import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FileError } from "../errors.ts";
import { disk, intercept } from "./fileSystem.ts";
import { appendLine, openLines, readLines } from "./lines.ts";

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "espalier-core-"));
  path = join(directory, "events.jsonl");
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

describe("appendLine", () => {
  it("adds one JSON value a line", async () => {
    await appendLine(path, { step: 1 });
    await appendLine(path, { step: 2 });
    expect(readFileSync(path, "utf8")).toBe('{"step":1}\n{"step":2}\n');
  });

  it("cuts off a torn last line before it appends", async () => {
    writeFileSync(path, '{"step":1}\n{"ste');
    await appendLine(path, { step: 2 });
    expect(await readLines(path)).toEqual([{ step: 1 }, { step: 2 }]);
  });
});

describe("openLines", () => {
  it("takes back a line that the disk had no room for", async () => {
    await appendLine(path, { step: 1 });
    let writes = 0;
    const full = intercept(disk, (operation, file) => {
      if (operation !== "write" || ++writes < 2) return;
      appendFileSync(file, '{"half'); // what a full disk may leave
      throw Object.assign(new Error("full"), { code: "ENOSPC", errno: -28 });
    });
    const writer = await openLines(path, full);
    await writer.append({ step: 2 });
    await expect(writer.append({ step: 3 })).rejects.toThrow(FileError);
    await writer.close();
    expect(readFileSync(path, "utf8")).toBe('{"step":1}\n{"step":2}\n');
  });
});

describe("readLines", () => {
  it("is empty for a file that does not exist", async () => {
    expect(await readLines(path)).toEqual([]);
  });

  it("drops a torn last line, even one that happens to be JSON", async () => {
    writeFileSync(path, "1\n23");
    expect(await readLines(path)).toEqual([1]);
  });

  it("names the line that is not JSON", async () => {
    writeFileSync(path, "1\nbroken\n3\n");
    await expect(readLines(path)).rejects.toThrow(/line 2 is not JSON/);
  });
});
