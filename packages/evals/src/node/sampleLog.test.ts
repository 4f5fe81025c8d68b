import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FileError } from "@espalier/core";
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
  const log = openSampleLog(path);
  await evaluate(randomModel(1), { ...options, done: log.done, onSample: log.append });
  log.close();
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

  it("refuses a file that is something else, naming the line", () => {
    const path = join(folder, "other.jsonl");
    writeFileSync(path, '{"loss": 3.1}\n');
    expect(() => openSampleLog(path)).toThrow(/line 1 of .* is not a sample/);
    appendFileSync(path, "{");
    expect(readFileSync(path, "utf8")).toBe('{"loss": 3.1}\n{'); // nothing was changed
  });

  it("says which path cannot be opened", () => {
    expect(() => openSampleLog(join(folder, "absent", "log.jsonl"))).toThrow(FileError);
  });
});
