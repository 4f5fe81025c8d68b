import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FileError } from "@espalier/core";
import { disk, intercept } from "@espalier/core/node";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { evaluate } from "../evaluate.ts";
import { randomModel } from "../models/mock.ts";
import { tasksNamed } from "../tasks/table.ts";
import { openSampleLog } from "./sampleLog.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "espalier-samples-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const options = { tasks: tasksNamed(["counting", "copying", "symbolMappingChinese"]), items: 10, batchItems: 4 };

async function logged(path: string): Promise<string> {
  const log = await openSampleLog(path);
  await evaluate(randomModel(1), { ...options, done: log.done, onSample: log.append });
  await log.close();
  return readFileSync(path, "utf8");
}

describe("openSampleLog", () => {
  it("leaves the same bytes wherever a run was cut off", async () => {
    const whole = await logged(join(folder, "whole.jsonl"));
    expect(whole.trimEnd().split("\n")).toHaveLength(30);
    const bytes = Buffer.from(whole);
    for (let k = 0; k <= 12; k++) {
      const path = join(folder, `cut-${k}.jsonl`);
      writeFileSync(path, bytes.subarray(0, Math.floor((bytes.length * k) / 12))); // mostly in the middle of a line
      expect(await logged(path), `cut ${k}`).toBe(whole);
    }
  });

  it("goes on to the same bytes after the disk was full at any write", async () => {
    const whole = await logged(join(folder, "whole.jsonl"));
    for (const full of [1, 7, 30]) {
      const path = join(folder, `full-${full}.jsonl`);
      let writes = 0;
      const fileSystem = intercept(disk, (operation) => {
        if (operation === "write" && ++writes === full) throw Object.assign(new Error("no space"), { code: "ENOSPC", errno: -28 });
      });
      const log = await openSampleLog(path, fileSystem);
      await expect(evaluate(randomModel(1), { ...options, onSample: log.append })).rejects.toThrow(/the disk is full/);
      await log.close();
      expect(readFileSync(path, "utf8").split("\n").length - 1).toBe(full - 1);
      expect(await logged(path)).toBe(whole);
    }
  });

  it("refuses a file that is something else, naming the line, and leaves it alone", async () => {
    const path = join(folder, "other.jsonl");
    writeFileSync(path, '{"loss": 3.1}\n{');
    await expect(openSampleLog(path)).rejects.toThrow(/line 1 of .* is not a sample/);
    expect(readFileSync(path, "utf8")).toBe('{"loss": 3.1}\n{');
  });

  it("says which path cannot be opened", async () => {
    await expect(openSampleLog(join(folder, "absent", "log.jsonl"))).rejects.toThrow(FileError);
  });
});
