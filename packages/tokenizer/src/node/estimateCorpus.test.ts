import { readdirSync } from "node:fs";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { random } from "@espalier/core";
import { describe, expect, it } from "vitest";
import { temporaryDirectory } from "../testing/temporary.ts";
import { encoding } from "./encoding.ts";
import { estimateCorpus } from "./estimateCorpus.ts";
import { prepareCorpus } from "./prepareCorpus.ts";

const draw = random(21, "estimate");
const words = Array.from({ length: 2000 }, (_, i) => draw.integer(i, 1e9).toString(36).replace(/\d/g, "e"));
/** Numbers make a document's ratio differ from another's. */
const document = (i: number) => {
  const own = draw.derive(i);
  return Array.from({ length: 200 + own.integer(0, 600) }, (_, at) => (own.integer(1, 4) === 0 ? String(own.integer(at + 2, 1e6)) : words[own.integer(at + 2, words.length)]!)).join(" ");
};
const lines = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => (i % 97 === 5 ? "broken" : JSON.stringify({ text: document(from + i) }))).join("\n");

describe("estimateCorpus", () => {
  it("foresees from a part of compressed files what a run gives, and writes nothing", async () => {
    const root = temporaryDirectory({ "in/a.jsonl.gz": gzipSync(lines(0, 3000)), "in/b.jsonl.zst": zstdCompressSync(Buffer.from(lines(3000, 5000))), "in/c.jsonl": lines(5000, 6000) });
    const options = { inputs: [join(root, "in")], directory: join(root, "out"), tokenizer: encoding("gpt2"), validationShare: 0.1 };
    const estimate = await estimateCorpus({ ...options, sampleBytes: 6 << 20 });
    expect(readdirSync(root)).toEqual(["in"]);
    const { train, validation, documents } = await prepareCorpus(options);
    const sum = (key: "numTokens" | "textBytes" | "numDocuments") => train[key] + validation[key];
    expect(estimate.sample.storedBytes / estimate.storedBytes).toBeLessThan(0.75);
    for (const [{ value, low, high }, real] of [[estimate.tokens, sum("numTokens")], [estimate.textBytes, sum("textBytes")], [estimate.documents, sum("numDocuments")]] as const) {
      expect(Math.abs(value / real - 1)).toBeLessThan(0.08);
      expect(low).toBeLessThan(value);
      expect(high).toBeGreaterThan(value);
    }
    expect(estimate.malformedShare).toBeCloseTo(documents.malformed / (documents.read + documents.malformed), 2);
    expect(estimate.diskBytes).toBeGreaterThan(4 * 0.9 * sum("numTokens"));
    expect(estimate.seconds).toBeGreaterThan(0);
    expect(estimate.freeBytes).toBeGreaterThan(0);
  });

  it("counts exactly when the sample is everything", async () => {
    const root = temporaryDirectory({ "in/a.jsonl": lines(0, 200), "in/b.txt": document(999) });
    const options = { inputs: [join(root, "in")], directory: join(root, "out"), tokenizer: encoding("cl100k_base"), validationShare: 0.1, clean: { quality: ["gopher-quality"] as const } };
    const { tokens, documents, droppedShare } = await estimateCorpus(options);
    const manifest = await prepareCorpus({ ...options, clean: { quality: ["gopher-quality"] } }).catch((error: unknown) => error as Error);
    expect(manifest).toBeInstanceOf(Error); // no stop words in any: all documents go
    expect(droppedShare).toEqual({ "gopher-quality": 1 });
    expect([tokens.value, documents.value]).toEqual([0, 0]);
    const all = await estimateCorpus({ ...options, clean: {} });
    const { train, validation } = await prepareCorpus({ ...options, clean: {} });
    expect(all.tokens).toEqual({ value: train.numTokens + validation.numTokens, low: all.tokens.value, high: all.tokens.value });
  });

  it("trains a vocabulary on the sample where one is to be trained, and looks at many small files", async () => {
    const files = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`in/${i}.txt`, document(i)]));
    const root = temporaryDirectory(files);
    const options = { inputs: [join(root, "in")], directory: join(root, "out"), tokenizer: { vocabSize: 600 }, validationShare: 0.1 };
    const estimate = await estimateCorpus({ ...options, sampleBytes: 300_000 });
    const { train, validation } = await prepareCorpus(options);
    expect(estimate.sample.numFiles).toBeLessThan(200);
    expect(Math.abs(estimate.tokens.value / (train.numTokens + validation.numTokens) - 1)).toBeLessThan(0.1);
    expect(estimate.vocabSize).toBe(600);
  });
});
