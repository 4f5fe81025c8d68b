import { ConfigError } from "@espalier/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { pieceEnd } from "../pretokenize/cl100k.ts";
import { byteOrder } from "./byteOrder.ts";
import { createPieceCounts } from "./pieceCounts.ts";
import { trainTokenizer } from "./trainTokenizer.ts";

const bytesOf = (texts: readonly string[]) => texts.map((text) => Buffer.from(text));
const learned = (texts: readonly string[], vocabSize: number, minFrequency = 2) => {
  const tokenizer = trainTokenizer(bytesOf(texts), { vocabSize, minFrequency, specialTokens: [] });
  return Array.from({ length: tokenizer.vocabSize - 256 }, (_, i) => tokenizer.decodeText([256 + i]));
};

/** The definition, with all pairs counted anew before every join. */
function learnedSlowly(texts: readonly string[], numTokens: number, minFrequency: number): string[] {
  const pieces: string[][] = [];
  for (const bytes of bytesOf(texts)) {
    for (let start = 0; start < bytes.length; ) {
      const end = pieceEnd(bytes, start);
      pieces.push([...bytes.subarray(start, end)].map((byte) => String.fromCharCode(byte)));
      start = end;
    }
  }
  const vocabulary = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte));
  while (vocabulary.length < 256 + numTokens) {
    const counts = new Map<string, number>();
    for (const piece of pieces) {
      for (let i = 0; i + 1 < piece.length; i++) {
        const pair = `${vocabulary.indexOf(piece[i]!)} ${vocabulary.indexOf(piece[i + 1]!)}`;
        counts.set(pair, (counts.get(pair) ?? 0) + 1);
      }
    }
    const order = [...counts].map(([pair, count]) => ({ pair: pair.split(" ").map(Number) as [number, number], count }));
    const place = (id: number) => (id < 256 ? byteOrder[id]! : id);
    order.sort((a, b) => b.count - a.count || place(a.pair[0]) - place(b.pair[0]) || place(a.pair[1]) - place(b.pair[1]));
    const best = order[0];
    if (!best || best.count < minFrequency) break;
    const [left, right] = best.pair.map((id) => vocabulary[id]!) as [string, string];
    if (!vocabulary.includes(left + right)) vocabulary.push(left + right);
    for (const piece of pieces) {
      for (let i = 0; i + 1 < piece.length; i++) if (piece[i] === left && piece[i + 1] === right) piece.splice(i, 2, left + right);
    }
  }
  return vocabulary.slice(256).map((token) => Buffer.from(token, "latin1").toString("utf8"));
}

describe("trainTokenizer", () => {
  it("joins the most frequent pair first, worked out by hand", () => {
    // Pieces: "low" 5 times, "lower" 2, "newest" 6, "widest" 3 (Sennrich et al. 2016, figure 1), a line each.
    const text = ["low\n".repeat(5), "lower\n".repeat(2), "newest\n".repeat(6), "widest\n".repeat(3)];
    expect(learned(text, 256 + 5)).toEqual(["es", "est", "lo", "low", "ew"]);
  });

  it("learns what the definition learns", () => {
    const text = fc.array(fc.string({ unit: fc.constantFrom("a", "b", "c", " ", "é"), maxLength: 40 }), { maxLength: 6 });
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 12 }), (texts, numTokens) => {
        expect(learned(texts, 256 + numTokens)).toEqual(learnedSlowly(texts, numTokens, 2));
      }),
      { numRuns: 300 },
    );
  });

  it("does not depend on the order of documents", () => {
    const texts = ["the cat sat", "on the mat", "and the hat", "of that cat"];
    const digest = (order: readonly string[]) => trainTokenizer(bytesOf(order), { vocabSize: 280 }).digest;
    expect(digest(texts.toReversed())).toBe(digest(texts));
  });

  it("stops at the minimum frequency, and the ids stay without gaps", () => {
    const tokenizer = trainTokenizer(bytesOf(["abab abab cd"]), { vocabSize: 1000, minFrequency: 2 });
    expect(tokenizer.vocabSize).toBeLessThan(270);
    expect(tokenizer.specialId("<|endoftext|>")).toBe(tokenizer.vocabSize - 1);
    expect(learned(["abcabc"], 300, 3)).toEqual([]);
  });

  it("makes no token longer than allowed", () => {
    const tokenizer = trainTokenizer(bytesOf(["=".repeat(10_000)]), { vocabSize: 300, maxTokenBytes: 8 });
    const lengths = Array.from({ length: tokenizer.vocabSize - 1 }, (_, id) => tokenizer.tokenBytes(id).length);
    expect(Math.max(...lengths)).toBe(8);
  });

  it("encodes with what it learned, to fewer tokens, and back", () => {
    const text = "growing a model while it trains, and training a model while it grows. ".repeat(20);
    const tokenizer = trainTokenizer(bytesOf([text]), { vocabSize: 320 });
    expect(tokenizer.encode(text).length).toBeLessThan(text.length / 3);
    expect(tokenizer.decodeText(tokenizer.encode(text))).toBe(text);
  });

  it("cuts by the pattern that is asked for, and refuses counts of another", () => {
    const text = bytesOf(["1234 1234 1234"]);
    const longest = (pattern: "gpt2" | "cl100k") => {
      const tokenizer = trainTokenizer(text, { vocabSize: 300, pattern });
      return Array.from({ length: tokenizer.vocabSize - 1 }, (_, id) => tokenizer.decodeText([id])).reduce((a, b) => (b.length > a.length ? b : a));
    };
    expect([longest("gpt2"), longest("cl100k")]).toEqual([" 1234", "123"]);
    const counts = createPieceCounts("gpt2");
    expect(trainTokenizer(counts, { vocabSize: 300 }).pattern).toBe("gpt2");
    expect(() => trainTokenizer(counts, { vocabSize: 300, pattern: "o200k" })).toThrow(/pattern is o200k, expected gpt2/);
  });

  it("refuses a vocabulary with no room for the bytes", () => {
    expect(() => trainTokenizer([], { vocabSize: 256 })).toThrow(
      new ConfigError("trainTokenizer: vocabSize is 256, expected at least 257 (256 bytes and 1 special tokens). Raise it."),
    );
  });
});
