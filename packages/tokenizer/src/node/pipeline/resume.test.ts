import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { DataError, random } from "@espalier/core";
import { disk, intercept } from "@espalier/core/node";
import { describe, expect, it } from "vitest";
import { runKilled } from "../../testing/killedRun.ts";
import { temporaryDirectory } from "../../testing/temporary.ts";
import { cl100k } from "../encoding.ts";
import { joinSlices } from "../joinSlices.ts";
import { readManifest } from "../manifest.ts";
import { prepareCorpus, type PrepareCorpusOptions } from "../prepareCorpus.ts";

const draw = random(5, "resume");
const vocabulary = Array.from({ length: 2000 }, (_, i) => draw.integer(i, 1e8).toString(36));
const text = (seed: number) => Array.from({ length: 300 }, (_, i) => vocabulary[draw.derive(seed).integer(i, vocabulary.length)]!).join(" ");
const line = (i: number) => (i % 60 === 7 ? "broken" : JSON.stringify({ text: i % 10 === 9 ? text(Math.floor(i / 2)) : i % 10 === 8 ? `${text(Math.floor(i / 3))} end` : text(i) }));
const files = Object.fromEntries(
  Array.from({ length: 7 }, (_, f) => {
    const content = Array.from({ length: 120 + 60 * f }, (_, i) => line(f * 400 + i)).join("\n");
    return f % 2 === 1 ? [`in/${f}.jsonl.gz`, gzipSync(content)] : [`in/${f}.jsonl`, content];
  }),
);
const shards = (directory: string) => Object.fromEntries(readdirSync(directory).filter((name) => name !== ".lock").map((name) => [name, readFileSync(join(directory, name)).toString("latin1")]));

describe("a killed run", () => {
  it("goes on to the same files, whichever disk operations it is killed at", async () => {
    const root = temporaryDirectory(files);
    const input = join(root, "in");
    const kills = random(8, "kills").sequence();
    for (const [round, { workers, nearDuplicates }] of [{ workers: 0, nearDuplicates: true }, { workers: 1, nearDuplicates: true }, { workers: 2, nearDuplicates: false }].entries()) {
      expect(await runKilled({ input, directory: join(root, `whole${round}`), workers: 0, nearDuplicates })).toBe(true);
      const whole = shards(join(root, `whole${round}`));
      const directory = join(root, `killed${round}`);
      let numKills = 0;
      while (!(await runKilled({ input, directory, workers, nearDuplicates, kill: { operation: 12 + kills.integer(60) } }))) numKills++;
      expect(numKills).toBeGreaterThan(0);
      expect(shards(directory)).toEqual(whole);
    }
  }, 240_000);
});

describe("joinSlices", () => {
  const options = (root: string): PrepareCorpusOptions => ({
    inputs: [join(root, "in")],
    directory: join(root, "whole"),
    tokenizer: cl100k(),
    validationShare: 0.1,
    clean: { mask: ["ip"] },
    nearDuplicates: { memoryBytes: 1 << 22 },
  });

  it("gives the files of one run, for any number of slices", async () => {
    const root = temporaryDirectory(files);
    const whole = await prepareCorpus(options(root));
    expect(whole.documents.duplicates).toBeGreaterThan(20);
    expect(whole.documents.nearDuplicates).toBeGreaterThan(20);
    for (const count of [1, 2, 5, 9]) {
      const parts = Array.from({ length: count }, (_, index) => join(root, `slice${index}of${count}`));
      for (const [index, directory] of parts.entries()) await prepareCorpus({ ...options(root), directory, slice: { index, count } });
      const joined = await joinSlices(parts.toReversed(), join(root, `joined${count}`));
      expect(joined).toEqual(whole);
      expect(shards(join(root, `joined${count}`))).toEqual(shards(join(root, "whole")));
    }
  }, 120_000);

  it("refuses a missing slice, a whole corpus and other options", async () => {
    const root = temporaryDirectory(files);
    const slice = async (index: number, more: Partial<PrepareCorpusOptions> = {}) => {
      const directory = join(root, `s${index}${JSON.stringify(more).length}`);
      await prepareCorpus({ ...options(root), directory, slice: { index, count: 2 }, ...more });
      return directory;
    };
    const [first, second, other] = [await slice(0), await slice(1), await slice(1, { clean: {} })];
    await expect(joinSlices([first], join(root, "j"))).rejects.toThrow(new DataError("join slices: 1/2, expected every slice of one corpus once. Name all of them."));
    await expect(joinSlices([first, other], join(root, "j"))).rejects.toThrow(/made with other options/);
    await expect(joinSlices([first, second], join(root, "j", "..", "s12"))).rejects.toThrow(/is slice 2 itself, expected a directory of its own/);
    const full = intercept(disk, (operation) => {
      if (operation === "sync") throw Object.assign(new Error("no space"), { code: "ENOSPC", errno: -28, syscall: "fsync" });
    });
    await expect(joinSlices([first, second], join(root, "full"), { fileSystem: full })).rejects.toThrow(/disk is full/);
    expect(readdirSync(join(root, "full"))).toEqual([".lock"]);
    expect((await readManifest(second)).slice).toMatchObject({ index: 1, count: 2 });
    await expect(prepareCorpus({ ...options(root), tokenizer: { vocabSize: 300 }, slice: { index: 0, count: 2 } })).rejects.toThrow(/expected a finished tokenizer/);
  }, 60_000);
});
