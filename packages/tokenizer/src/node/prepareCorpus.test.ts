import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CancelledError, ConfigError, DataError, type ProgressEvent, random } from "@espalier/core";
import { acquireLock, disk, intercept } from "@espalier/core/node";
import { describe, expect, it } from "vitest";
import { temporaryDirectory } from "../testing/temporary.ts";
import { trainTokenizer } from "../train/trainTokenizer.ts";
import { cl100k } from "./encoding.ts";
import { exportCorpus } from "./exportCorpus.ts";
import { openCorpus } from "./manifest.ts";
import { prepareCorpus, type PrepareCorpusOptions } from "./prepareCorpus.ts";
import { readDocumentEnds, type Shard } from "./shard.ts";
import { documentHash, splitPosition } from "./split.ts";

const words = ["growth", "budget", "model", "token", "layer", "loss", "grows", "trains", "a", "the"];
const draw = random(7, "documents").sequence();
const texts = Array.from({ length: 120 }, () => Array.from({ length: 60 }, () => draw.pick(words)).join(" "));
const jsonl = (documents: readonly string[]) => documents.map((text) => `${JSON.stringify({ text })}\n`).join("");

/** The sample corpus in a directory of its own, and options that prepare it into `out`. */
function sample(content = jsonl(texts)): PrepareCorpusOptions & { directory: string } {
  const directory = temporaryDirectory({ "corpus.jsonl": content });
  return {
    inputs: [join(directory, "corpus.jsonl")],
    directory: join(directory, "out"),
    tokenizer: { vocabSize: 300 },
    validationShare: 0.1,
    extra: { name: "sums", digest: "1", documents: () => ["1+1=2", "1+2=3"] },
  };
}

async function documentsOf(shard: Shard): Promise<Uint32Array[]> {
  return [...(await readDocumentEnds(shard))].map((end, i, ends) => shard.tokens.slice(i === 0 ? 0 : ends[i - 1]!, end));
}

describe("prepareCorpus", () => {
  it("puts every document into one shard, with a separator behind it, split by hash", async () => {
    const options = sample();
    const manifest = await prepareCorpus(options);
    const { tokenizer, train, validation, extra } = await openCorpus(options.directory);
    const decoded = async (shard: typeof train) =>
      (await documentsOf(shard)).map((ids) => {
        expect(ids.at(-1)).toBe(tokenizer.specialId("<|endoftext|>"));
        return tokenizer.decodeText(ids.subarray(0, -1));
      });
    const inValidation = (text: string) => splitPosition(documentHash(Buffer.from(text))) < 0.1;
    expect(await decoded(train)).toEqual(texts.filter((text) => !inValidation(text)));
    expect(await decoded(validation)).toEqual(texts.filter(inValidation));
    expect(await decoded(extra!)).toEqual(["1+1=2", "1+2=3"]);
    expect(manifest.documents).toEqual({
      read: 120, duplicates: 0, nearDuplicates: 0, dropped: {}, masked: {}, malformed: 0, train: train.header.numDocuments, validation: validation.header.numDocuments,
    });
    expect(manifest.validation.numDocuments).toBeGreaterThan(3);
    expect(manifest.train.textBytes + manifest.validation.textBytes).toBe(texts.join("").length);
    expect(readdirSync(options.directory).filter((name) => name !== ".lock").toSorted()).toEqual([
      "extra.bin", "extra.bin.ends", "extra.bin.json", "manifest.json", "tokenizer.json", "train.bin", "train.bin.ends", "train.bin.json",
      "validation.bin", "validation.bin.ends", "validation.bin.json",
    ]);
  });

  it("leaves out copies and malformed lines, and says so", async () => {
    const options = sample(`${jsonl([...texts, texts[3]!, texts[9]!])}not json\n`);
    const manifest = await prepareCorpus(options);
    expect(manifest.documents).toMatchObject({ read: 122, duplicates: 2, malformed: 1 });
    expect(manifest.malformedLines).toEqual([{ source: "corpus.jsonl:123", reason: expect.stringContaining("not JSON") }]);
    const plain = sample();
    const withoutCopies = await prepareCorpus(plain);
    expect(manifest.train.sha256).toBe(withoutCopies.train.sha256);
  });

  it("learns the vocabulary from training and extra documents alone", async () => {
    const options = sample();
    await prepareCorpus(options);
    const training = texts.filter((text) => splitPosition(documentHash(Buffer.from(text))) >= 0.1);
    const expected = trainTokenizer([...training, "1+1=2", "1+2=3"].map((text) => Buffer.from(text)), { vocabSize: 300 });
    expect((await openCorpus(options.directory)).tokenizer.digest).toBe(expected.digest);
    const fromAll = trainTokenizer([...texts, "1+1=2", "1+2=3"].map((text) => Buffer.from(text)), { vocabSize: 300 });
    expect(fromAll.digest).not.toBe(expected.digest);
  });

  it("holds one document back when none falls below the share", async () => {
    const two = ["the first text", "and the second"];
    const manifest = await prepareCorpus({ ...sample(jsonl(two)), validationShare: 1e-9 });
    expect(manifest.documents).toMatchObject({ train: 1, validation: 1 });
  });

  it("never puts parts of one long text on both sides", async () => {
    const book = (i: number) => Array.from({ length: 900 }, (_, line) => `Book ${i}, paragraph ${line}: ${texts[(i * 31 + line) % texts.length]!.slice(0, 150)}\n\n`).join("");
    const directory = temporaryDirectory(Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`books/${i}.txt`, book(i)])));
    const options = { inputs: [join(directory, "books")], directory: join(directory, "out"), tokenizer: cl100k(), validationShare: 0.3 };
    await prepareCorpus(options);
    const { train, validation, tokenizer } = await openCorpus(options.directory);
    const booksOf = (shard: typeof train) => new Set([...tokenizer.decodeText(shard.tokens).matchAll(/Book (\d+),/g)].map(([, i]) => i));
    expect(train.header.numDocuments + validation.header.numDocuments).toBeGreaterThan(24);
    expect(booksOf(train).size + booksOf(validation).size).toBe(12);
    expect(booksOf(validation).size).toBeGreaterThan(0);
  });

  it("holds back the end of a single long text", async () => {
    const book = Array.from({ length: 9000 }, (_, line) => `Paragraph ${line}: ${texts[line % texts.length]!.slice(0, 150)}\n\n`).join("");
    const directory = temporaryDirectory({ "book.txt": book });
    await prepareCorpus({ inputs: [join(directory, "book.txt")], directory: join(directory, "out"), tokenizer: cl100k(), validationShare: 0.1 });
    const { train, validation, tokenizer } = await openCorpus(join(directory, "out"));
    expect(tokenizer.decodeText([...train.tokens, ...validation.tokens]).replaceAll("<|endoftext|>", "") === book).toBe(true);
    expect(validation.header.numDocuments / (validation.header.numDocuments + train.header.numDocuments)).toBeCloseTo(0.1, 1);
  });

  it("takes a finished tokenizer as it is", async () => {
    const options = { ...sample(), tokenizer: cl100k() };
    const manifest = await prepareCorpus(options);
    expect(manifest.tokenizer).toMatchObject({ name: "cl100k_base", digest: cl100k().digest });
    const { train, tokenizer } = await openCorpus(options.directory);
    expect(tokenizer.decodeText(train.tokens)).toContain("growth");
  });

  it("does nothing when all is there, and makes again what is missing or damaged", async () => {
    const options = sample();
    const first = await prepareCorpus(options);
    const tasks = new Set<string>();
    const progress = ({ task }: ProgressEvent) => tasks.add(task);
    expect(await prepareCorpus({ ...options, progress })).toEqual(first);
    expect([...tasks]).toEqual([]);
    writeFileSync(join(options.directory, "validation.bin"), "torn");
    expect(await prepareCorpus({ ...options, progress })).toEqual(first);
    expect([...tasks]).toContain("encode corpus");
    expect((await openCorpus(options.directory)).validation.header.numTokens).toBe(first.validation.numTokens);
  });

  it("makes everything again when an option, an input or the extra documents change", async () => {
    const options = sample();
    const { digest } = await prepareCorpus(options);
    const changed: Partial<PrepareCorpusOptions>[] = [
      { validationShare: 0.2 }, { tokenizer: { vocabSize: 301 } }, { extra: { ...options.extra!, digest: "2" } }, { extra: undefined },
    ];
    for (const change of changed) {
      const manifest = await prepareCorpus({ ...options, ...change });
      expect(manifest.digest).not.toBe(digest);
      expect((await openCorpus(options.directory)).manifest.digest).toBe(manifest.digest);
    }
    writeFileSync(options.inputs[0] as string, jsonl(texts.slice(1)));
    expect((await prepareCorpus(options)).documents.read).toBe(119);
  });

  it("goes on after a failure at any write, to the same shards", async () => {
    const whole = await prepareCorpus(sample());
    for (let failing = 1; ; failing++) {
      let operations = 0;
      const full = intercept(disk, () => {
        if (++operations === failing) throw Object.assign(new Error("no space"), { code: "ENOSPC", errno: -28, syscall: "write" });
      });
      const options = sample();
      const error: unknown = await prepareCorpus({ ...options, fileSystem: full }).catch((thrown: unknown) => thrown);
      if (operations < failing) {
        expect(failing).toBeGreaterThan(40); // nine files: open, write, sync, rename, directory sync of each
        return;
      }
      if (error instanceof Error) expect(error.message).toMatch(/disk is full/);
      mkdirSync(options.directory, { recursive: true });
      writeFileSync(join(options.directory, ".train.bin.4711.0.tmp"), "what a killed process leaves");
      expect(await prepareCorpus(options)).toEqual(whole);
      for (const name of readdirSync(options.directory)) expect(name).not.toMatch(/\.tmp$|\.partial$|progress|checkpoint/);
    }
  });

  it("refuses a corpus without text, in one sentence", async () => {
    const empty = sample("\n\n");
    await expect(prepareCorpus(empty)).rejects.toThrow(
      new DataError(`corpus: no text in ${empty.inputs[0] as string}, expected documents. Name files with text, or JSONL lines with a string "text".`),
    );
    await expect(prepareCorpus(sample('{"body":"x"}\n'))).rejects.toThrow(/1 malformed lines, the first corpus\.jsonl:1: no string "text"/);
    await expect(prepareCorpus(sample(jsonl(["alone"])))).rejects.toThrow(/1 training and 0 validation documents/);
    await expect(prepareCorpus({ ...sample(), inputs: [] })).rejects.toThrow(/no inputs/);
    await expect(prepareCorpus({ ...sample(), validationShare: 1 })).rejects.toThrow(ConfigError);
  });

  it("trains within the memory it is given, and leaves out rare pieces on request", async () => {
    const whole = sample();
    await prepareCorpus(whole);
    const floored: PrepareCorpusOptions & { directory: string } = { ...sample(), tokenizer: { vocabSize: 300, minPieceCount: 1e6 }, trainingMemoryBytes: 2 ** 24 };
    expect((await prepareCorpus(floored)).optionsDigest).not.toBe((await openCorpus(whole.directory)).manifest.optionsDigest);
    expect((await openCorpus(floored.directory)).tokenizer.vocabSize).toBe(257); // nothing is left to learn from
    await expect(prepareCorpus({ ...sample(), trainingMemoryBytes: 1000 })).rejects.toThrow(/memoryBytes is 1000, expected at least 16777216/);
    const many = sample(jsonl(Array.from({ length: 500 }, (_, i) => Array.from({ length: 400 }, (_, j) => (i * 400 + j).toString(26).replaceAll(/\d/g, (digit) => "qrstuvwxyz"[Number(digit)]!)).join(" "))));
    await expect(prepareCorpus({ ...many, trainingMemoryBytes: 2 ** 24 })).rejects.toThrow(/training on \d+ distinct pieces .* expected at most 16 MiB/);
    expect(readdirSync(many.directory)).toEqual([".lock"]); // no counts that were spilled
  });

  it("refuses the same corpus again, and leaves nothing of it", async () => {
    for (const content of ["", "\n\n", jsonl(texts.slice(0, 1)), jsonl(Array.from({ length: 20 }, () => texts[0]!))]) {
      const options = { ...sample(content), tokenizer: cl100k(), extra: undefined as never };
      for (const workers of [0, 0, 2]) {
        await expect(prepareCorpus({ ...options, workers })).rejects.toThrow(/^corpus: .*, expected (documents|some of both)\. /);
        expect(readdirSync(options.directory)).toEqual([".lock"]);
      }
    }
  });

  it("goes on to the same split of few documents after a failure at any write", async () => {
    const few = () => ({ ...sample(jsonl(texts.slice(0, 5))), tokenizer: cl100k(), validationShare: 0.0001, extra: undefined as never });
    const whole = await prepareCorpus(few());
    expect(whole.documents).toMatchObject({ train: 4, validation: 1 });
    for (let failing = 1; ; failing++) {
      let operations = 0;
      const full = intercept(disk, (operation) => {
        if (operation !== "remove" && ++operations === failing) throw Object.assign(new Error("no space"), { code: "ENOSPC", errno: -28, syscall: "write" });
      });
      const options = few();
      const failed = await prepareCorpus({ ...options, fileSystem: full }).then(() => false, () => true);
      if (!failed) break;
      expect(await prepareCorpus(options)).toEqual(whole);
    }
  });

  it("is refused a directory in which another call is at work, also for other formats and slices", async () => {
    const options = sample();
    const [first, second] = await Promise.allSettled([prepareCorpus(options), prepareCorpus(options)]);
    expect(first.status).toBe("fulfilled");
    expect(second).toMatchObject({ reason: { code: "LOCKED", message: expect.stringContaining("another process is working in this directory") as string } });
    const lock = acquireLock(options.directory);
    await expect(exportCorpus(options.directory, "megatron")).rejects.toThrow(/another process is working/);
    lock.release();
    await exportCorpus(options.directory, "megatron");
  });

  it("stops when asked", async () => {
    const controller = new AbortController();
    const progress = ({ task }: ProgressEvent) => task === "encode corpus" && controller.abort();
    const options = sample();
    await expect(prepareCorpus({ ...options, progress, signal: controller.signal })).rejects.toThrow(CancelledError);
    expect(readdirSync(options.directory)).not.toContain("manifest.json");
    expect(readFileSync(join(options.directory, "tokenizer.json"), "utf8")).toContain("espalier-tokenizer");
  });
});
