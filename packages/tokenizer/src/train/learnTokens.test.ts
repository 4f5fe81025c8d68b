import { random } from "@espalier/core";
import { nativeLearnTokens, nativePieceCounts } from "#native";
import fc from "fast-check";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Tokenizer } from "tokenizers";
import { describe, expect, it } from "vitest";
import { bytesToCharacters } from "../formats/huggingFace/byteCharacters.ts";
import { writeHuggingFaceTokenizer } from "../formats/huggingFace/write.ts";
import { type PatternName, patterns } from "../pretokenize/patterns.ts";
import { randomText } from "../testing/randomText.ts";
import { createTokenizer } from "../tokenizer.ts";
import { ranksOf } from "../vocabulary.ts";
import { type LearnedPairs, learnTokens } from "./learnTokens.ts";
import { type Pieces, typescriptPieceCounts } from "./pieceCounts.ts";
import { tokensOf } from "./trainTokenizer.ts";

const patternNames = Object.keys(patterns) as PatternName[];
const addon = nativePieceCounts("cl100k") !== undefined;

/** Pieces of the documents, in order of their bytes. */
function sorted({ bytes, offsets, counts }: Pieces): [piece: string, count: number][] {
  return Array.from(counts, (count, i): [string, number] => [Buffer.from(bytes.subarray(offsets[i]!, offsets[i + 1]!)).toString("latin1"), count]).sort(([a], [b]) => (a < b ? -1 : 1));
}

function counted(counts: { add(document: Uint8Array): void; pieces(): Pieces }, documents: readonly Uint8Array[]): Pieces {
  for (const document of documents) counts.add(document);
  return counts.pieces();
}

const documents = (seed: number, count: number): Uint8Array[] => Array.from({ length: count }, (_, i) => Buffer.from(randomText(random(seed, "train"), i)));

describe.skipIf(!addon)("the addon's counter", () => {
  it.each(patternNames)("counts the pieces of the %s pattern as TypeScript does", (pattern) => {
    const noise = Array.from({ length: 300 }, (_, i) => Uint8Array.from({ length: i }, (_, k) => random(3, "noise").integer(i * 300 + k, 256)));
    const all = [...documents(1, 3000), ...noise];
    expect(sorted(counted(nativePieceCounts(pattern)!, all))).toEqual(sorted(counted(typescriptPieceCounts(pattern), all)));
  });

  it("starts from nothing after it was drained, and says what it holds", () => {
    const counter = nativePieceCounts("cl100k")!;
    const before = counter.heldBytes;
    counter.add(Buffer.concat(documents(2, 5000)));
    expect(counter.heldBytes).toBeGreaterThan(before);
    expect(counter.drain().counts.length).toBeGreaterThan(1000);
    expect([counter.numPieces, counter.heldBytes]).toEqual([0, before]);
  });
});

describe.skipIf(!addon)("the addon's learner", () => {
  it("learns the pairs that TypeScript learns", () => {
    const texts = fc.array(fc.tuple(fc.string({ unit: fc.constantFrom("a", "b", "ab", "é", "\u0000", "~"), maxLength: 20 }), fc.integer({ min: 1, max: 4 })), { maxLength: 12 });
    fc.assert(
      fc.property(texts, fc.integer({ min: 256, max: 300 }), fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 9 }), (entries, size, minFrequency, maxTokenBytes) => {
        const pieces = counted(typescriptPieceCounts("cl100k"), entries.map(([text, times]) => Buffer.from(text.repeat(times))));
        const limits = { size, minFrequency, maxTokenBytes };
        expect(nativeLearnTokens(pieces, limits)).toEqual(learnTokens(pieces, limits));
      }),
      { numRuns: 500 },
    );
    const pieces = counted(typescriptPieceCounts("o200k"), documents(4, 4000));
    const limits = { size: 4000, minFrequency: 2, maxTokenBytes: 128 };
    expect(nativeLearnTokens(pieces, limits)).toEqual(learnTokens(pieces, limits));
  });

  it("counts beyond 32 bits", () => {
    const pieces: Pieces = { bytes: Buffer.from("abcd"), offsets: Uint32Array.of(0, 2, 4), counts: Float64Array.of(2 ** 33, 2 ** 33 + 1) };
    expect(nativeLearnTokens(pieces, { size: 257, minFrequency: 2 ** 33 + 1, maxTokenBytes: 8 })).toEqual(Uint32Array.of(99, 100));
    expect(learnTokens(pieces, { size: 257, minFrequency: 2 ** 33 + 1, maxTokenBytes: 8 })).toEqual(Uint32Array.of(99, 100));
  });
});

/** What Hugging Face's trainer learns from the lines of a text: 30,000 tokens, as far as there are pairs. */
function huggingFaceMerges(lines: string, pattern: PatternName): string[] {
  const directory = mkdtempSync(join(tmpdir(), "espalier-train-"));
  try {
    const [text, file] = [join(directory, "text.txt"), join(directory, "tokenizer.json")];
    writeFileSync(text, lines);
    const bytes = ranksOf(tokensOf(new Uint32Array()));
    const tokenizer = Tokenizer.fromString(writeHuggingFaceTokenizer(createTokenizer({ name: "bytes", ranks: bytes, specialTokens: new Map(), pattern })));
    tokenizer.train([text]);
    tokenizer.save(file);
    const { model } = JSON.parse(readFileSync(file, "utf8")) as { model: { merges: [string, string][] } };
    return model.merges.map((pair) => pair.join(" "));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function mergesOf(learned: LearnedPairs): string[] {
  const tokens = tokensOf(learned).map(bytesToCharacters);
  return Array.from({ length: learned.length / 2 }, (_, i) => `${tokens[learned[2 * i]!]} ${tokens[learned[2 * i + 1]!]}`);
}

describe("learnTokens", () => {
  it.each(["cl100k", "gpt2"] as const)("makes the merges of Hugging Face's trainer, ties included (%s)", (pattern) => {
    const words = ["low", "lower", "newest", "widest", "größe", "语言模型", "语言", "don't", "x=1", "\t\t", "…"];
    const draw = random(8, "words");
    const lines = Array.from({ length: 400 }, (_, i) => Array.from({ length: 8 }, (_, k) => words[draw.integer(i * 8 + k, words.length)]).join(" ")).join("\n");
    const counts = typescriptPieceCounts(pattern);
    for (const line of lines.split(/(?<=\n)/)) counts.add(Buffer.from(line));
    const theirs = huggingFaceMerges(lines, pattern);
    expect(theirs.length).toBeGreaterThan(50);
    expect(mergesOf(learnTokens(counts.pieces(), { size: 30_000, minFrequency: 1, maxTokenBytes: 128 }))).toEqual(theirs);
  });
});
