import { existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { DataError, type ProgressEvent, random } from "@espalier/core";
import { disk, intercept } from "@espalier/core/node";
import { describe, expect, it } from "vitest";
import { ngramsOf } from "../../clean/ngrams.ts";
import { temporaryDirectory } from "../../testing/temporary.ts";
import { cl100k } from "../encoding.ts";
import { openCorpus } from "../manifest.ts";
import { prepareCorpus, type PrepareCorpusOptions } from "../prepareCorpus.ts";

const draw = random(3, "pipeline");
const vocabulary = Array.from({ length: 3000 }, (_, i) => draw.integer(i, 1e8).toString(36).replace(/\d/g, "e"));
const text = (seed: number, count: number) => Array.from({ length: count }, (_, i) => vocabulary[draw.derive(seed).integer(i, vocabulary.length)]!).join(" ");
/** About 6 MB: six batches, with copies, near copies, malformed lines and the wrong languages in it. */
const lines = Array.from({ length: 2400 }, (_, i) => {
  if (i % 50 === 7) return "broken {";
  if (i % 40 === 11) return JSON.stringify({ text: text(i - 1, 400) });
  if (i % 40 === 31) return JSON.stringify({ text: `${text(i - 2, 400)} and a new end` });
  if (i === 1000) return JSON.stringify({ text: `before ${text(99_999, 20)} behind` });
  return JSON.stringify({ text: i % 3 === 0 ? `${text(i, 400)} a@b.org` : text(i, 400) });
});

function sample(more: Partial<PrepareCorpusOptions> = {}): PrepareCorpusOptions {
  const directory = temporaryDirectory({ "in/a.jsonl": lines.slice(0, 900).join("\n"), "in/b.jsonl.gz": gzipSync(lines.slice(900, 2000).join("\n")), "in/c.jsonl": lines.slice(2000).join("\n") });
  return {
    inputs: [join(directory, "in")],
    directory: join(directory, "out"),
    tokenizer: cl100k(),
    validationShare: 0.1,
    clean: { mask: ["email"], ngrams: ngramsOf([text(99_999, 20)]) },
    nearDuplicates: { memoryBytes: 1 << 22 },
    ...more,
  };
}

describe("prepareCorpus over many batches", () => {
  it("gives the same bytes for any number of workers, and counts what it leaves out", async () => {
    const alone = await prepareCorpus(sample());
    for (const workers of [1, 3]) expect(await prepareCorpus(sample({ workers }))).toEqual(alone);
    const { documents } = alone;
    expect(documents).toMatchObject({ malformed: 48, duplicates: 40, dropped: { ngrams: 1 } });
    expect(documents.nearDuplicates).toBeGreaterThan(50);
    expect(documents.masked.email).toBeGreaterThan(700);
    expect(documents.read).toBe(2400 - 48);
    expect(documents.train + documents.validation + documents.duplicates + documents.nearDuplicates + 1).toBe(documents.read);
    expect(alone.nearDuplicateFalsePositiveRate).toBeLessThan(1e-4);
    expect(alone.droppedSamples.filter(({ rule }) => rule === "ngrams")).toEqual([{ source: "in/b.jsonl.gz:101", rule: "ngrams", detail: "13 words from word 2 on are of a test", excerpt: expect.stringMatching(/^before /), position: expect.any(Number) }]);
    expect(alone.droppedSamples.filter(({ rule }) => rule === "duplicate")).toHaveLength(5);
    expect(alone.malformedLines[0]).toEqual({ source: "in/a.jsonl:8", reason: expect.stringContaining('not JSON: "b" at byte 0') });
    expect(alone.malformedLines).toHaveLength(10);
  }, 120_000);

  it("keeps no text of a test and no address", async () => {
    const options = sample();
    await prepareCorpus(options);
    const { train, validation, tokenizer } = await openCorpus(options.directory);
    const all = tokenizer.decodeText([...train.tokens, ...validation.tokens]);
    expect(all).not.toContain(text(99_999, 20));
    expect(all).not.toContain("a@b.org");
    expect(all).toContain("<email>");
  });

  it("shows documents, tokens and what is dropped in its progress", async () => {
    const events: ProgressEvent[] = [];
    await prepareCorpus(sample({ progress: (event) => events.push(event) }));
    expect(events.at(-1)).toMatchObject({ task: "encode corpus", unit: "bytes", detail: expect.stringMatching(/^\d+ documents, \d+\.\d M tokens, \d+ dropped$/) });
    expect(events.at(-1)!.done).toBe(events.at(-1)!.total);
  });

  it("refuses a malformed line, a damaged file and a table too small when told so", async () => {
    await expect(prepareCorpus(sample({ malformed: "refuse" }))).rejects.toThrow(/reading in\/a\.jsonl:8: not JSON: .* Correct it, or allow malformed records/);
    await expect(prepareCorpus(sample({ duplicateMemoryBytes: 40_000 }))).rejects.toThrow(DataError);
    const options = sample();
    const path = join(options.inputs[0] as string, "b.jsonl.gz");
    truncateSync(path, readFileSync(path).length >> 1);
    await expect(prepareCorpus(options)).rejects.toThrow(/b\.jsonl\.gz: the gzip data are damaged or cut short/);
    const manifest = await prepareCorpus({ ...options, damaged: "skip" });
    expect(manifest.damaged).toEqual([{ source: "in/b.jsonl.gz", reason: expect.stringContaining("cut short") }]);
    expect(manifest.documents.read).toBeGreaterThan(1500);
    expect(await prepareCorpus({ ...sample({ damaged: "skip", workers: 2 }), inputs: options.inputs })).toEqual(manifest);
  });
});

describe("a full disk", () => {
  it("at any write of the encoding pass leaves what a second call completes to the same shards", async () => {
    const small = () => {
      const options = sample({ nearDuplicates: { memoryBytes: 1 << 20 } });
      for (const name of ["b.jsonl.gz", "c.jsonl"]) writeFileSync(join(options.inputs[0] as string, name), name.endsWith("gz") ? gzipSync(lines[4]!) : lines[5]!);
      return options;
    };
    const whole = await prepareCorpus(small());
    for (let failing = 1; ; failing += 7) {
      let operations = 0;
      const full = intercept(disk, () => {
        if (++operations === failing) throw Object.assign(new Error("no space"), { code: "ENOSPC", errno: -28, syscall: "write" });
      });
      const options = small();
      const error: unknown = await prepareCorpus({ ...options, fileSystem: full }).catch((thrown: unknown) => thrown);
      if (operations < failing) break;
      if (error instanceof Error) {
        expect(error.message).toMatch(/disk is full/);
        const names = existsSync(options.directory) ? readdirSync(options.directory).filter((name) => name !== ".lock") : [];
        const isReached = names.includes("checkpoint.json") || names.includes("progress.json") || names.includes("manifest.json");
        if (!isReached && operations > failing) expect(names).toEqual([]); // what nobody goes on from has no room on a full disk
      }
      expect(await prepareCorpus(options)).toEqual(whole);
      for (const name of readdirSync(options.directory)) expect(name).not.toMatch(/\.tmp$|\.partial$|progress|checkpoint/);
    }
  }, 240_000);
});

describe("a call that fails", () => {
  it("leaves nothing where no checkpoint reaches, and what one reaches to go on from", async () => {
    const content = gzipSync(lines.slice(0, 1500).join("\n"));
    const directory = temporaryDirectory({ "in/a.jsonl.gz": content.subarray(0, content.length - 9) });
    const options = { inputs: [join(directory, "in")], directory: join(directory, "out"), tokenizer: cl100k() };
    for (const workers of [0, 2]) {
      await expect(prepareCorpus({ ...options, workers })).rejects.toThrow(/cut short/);
      expect(readdirSync(options.directory)).toEqual([".lock"]);
    }
    await expect(prepareCorpus({ ...options, checkpointBytes: 1 })).rejects.toThrow(/cut short/);
    expect(readdirSync(options.directory)).toEqual(expect.arrayContaining(["checkpoint.json", "train.bin.partial", "tokenizer.json"]));
    writeFileSync(join(directory, "in/a.jsonl.gz"), content); // other bytes: another corpus
    const manifest = await prepareCorpus(options);
    expect(await prepareCorpus({ ...options, directory: join(directory, "anew") })).toEqual(manifest);
  });
});
