import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FileError, random } from "@espalier/core";
import { afterAll, describe, expect, it } from "vitest";
import { randomText } from "../../testing/randomText.ts";
import { cl100k } from "../encoding.ts";
import { batchesFrom } from "../pipeline/batchesFrom.ts";
import { startThreads } from "../pipeline/threads.ts";
import type { Treated } from "../pipeline/treat.ts";
import { prepareCorpus } from "../prepareCorpus.ts";
import { listCorpusFiles } from "../read/files.ts";
import { beginEarly } from "./earlyPass.ts";
import { definitionOf, readOptions, stageOf } from "./pass.ts";

const root = mkdtempSync(join(tmpdir(), "espalier-early-"));
afterAll(() => rmSync(root, { recursive: true }));
const draw = random(8, "early pass");
const paths = Array.from({ length: 3 }, (_, f) => {
  const path = join(root, `${f}.jsonl`);
  writeFileSync(path, Array.from({ length: 400 }, (_, i) => `${JSON.stringify({ text: `${f} ${i} ${randomText(draw, 1000 * f + i).repeat(40)}` })}\n`).join(""));
  return path;
});
const stage = stageOf({}, definitionOf(cl100k(), "<|endoftext|>"));
const options = readOptions({});

async function all(treated: AsyncIterable<Treated>): Promise<Treated[]> {
  const found: Treated[] = [];
  for await (const one of treated) found.push(structuredClone(one));
  return found;
}

describe("beginEarly", () => {
  it("gives what a pass gives, and tells all bytes that were read", async () => {
    const files = await listCorpusFiles(paths);
    const expected = await all(startThreads(stage, 0, true).treatInOrder(batchesFrom(files, { file: 0, batch: 0 }, { ...options, onBytes: () => {} })));
    for (const threads of [1, 2]) {
      const early = beginEarly(startThreads(stage, threads, true), files, options);
      await new Promise((resolve) => setTimeout(resolve, 20));
      const told: number[] = [];
      expect(await all(early.treatedInOrder((done) => told.push(done)))).toEqual(expected);
      expect(told).toEqual(told.toSorted((a, b) => a - b));
      expect(told.at(-1)).toBe(files.reduce((sum, { bytes }) => sum + bytes, 0));
    }
  });

  it("ends whether or not it was asked for anything, and after some", async () => {
    const files = await listCorpusFiles(paths);
    await beginEarly(startThreads(stage, 2, true), files, options).end();
    const unasked = beginEarly(startThreads(stage, 2, true), files, options);
    await new Promise((resolve) => setTimeout(resolve, 20));
    await unasked.end();
    for await (const { index } of beginEarly(startThreads(stage, 2, true), files, options).treatedInOrder(() => {})) {
      expect(index).toBe(0);
      break;
    }
  });

  it("fails when it is asked, not before, where a file cannot be read", async () => {
    const broken = join(root, "broken.jsonl.gz");
    writeFileSync(broken, "no gzip");
    const files = await listCorpusFiles([broken]);
    const early = beginEarly(startThreads(stage, 1, true), files, options);
    await new Promise((resolve) => setTimeout(resolve, 20));
    await expect(all(early.treatedInOrder(() => {}))).rejects.toThrow(FileError);
    await beginEarly(startThreads(stage, 1, true), files, options).end();
    await expect(prepareCorpus({ inputs: [broken], directory: join(root, "out"), tokenizer: cl100k(), workers: 1 })).rejects.toThrow(FileError);
  });
});
