import { random } from "@espalier/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { randomText } from "../../testing/randomText.ts";
import { aligned, alignedStep, placesOf, textOf } from "./aligned.ts";
import type { Part } from "./file.ts";
import { normalizerOf } from "./normalize.ts";
import { readHuggingFaceTokenizer } from "./read.ts";

const replace = (pattern: string, content: string): Part => ({ type: "Replace", pattern: { String: pattern }, content });
const steps: Part[] = [
  { type: "Prepend", prepend: "\u2581" }, replace(" ", "\u2581"), replace("aa", ""), replace("e", "ee"), replace("", "-"),
  { type: "Lowercase" }, ...["NFC", "NFD", "NFKC", "NFKD"].map((type) => ({ type })),
];
/** A file of BPE over the letters given, with `<unk>` 0 or without. */
function fileOf({ tokens, merges = [], normalizer = null, unknown = true, fuse = false, fallback = false, metaspace = false }: { tokens: string[]; merges?: [string, string][]; normalizer?: unknown; unknown?: boolean; fuse?: boolean; fallback?: boolean; metaspace?: boolean }) {
  const bytes = fallback ? Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`) : [];
  const vocab = Object.fromEntries(["<unk>", ...tokens, ...bytes].map((token, id) => [token, id]));
  const model = { type: "BPE", vocab, merges, unk_token: unknown ? "<unk>" : null, fuse_unk: fuse, byte_fallback: fallback };
  const pre_tokenizer = metaspace ? { type: "Metaspace", replacement: "\u2581", prepend_scheme: "always", split: true } : null;
  return readHuggingFaceTokenizer(JSON.stringify({ model, normalizer, pre_tokenizer }), "t");
}

describe("alignedStep", () => {
  it("makes the text that the normaliser makes, from places in order", () => {
    const generator = random(3, "aligned");
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...steps), { maxLength: 4 }), fc.nat(1000), fc.string({ unit: "grapheme" }), (chosen, i, text) => {
        for (const each of [randomText(generator, i).toWellFormed(), text.toWellFormed()]) {
          const file = { normalizer: { type: "Sequence", normalizers: chosen } };
          let parts = aligned(each);
          for (const step of chosen) parts = alignedStep(step, parts);
          expect(textOf(parts)).toBe(normalizerOf(file as never, "t")(each));
          for (const [n, { start, end }] of parts.entries()) expect(start >= (parts[n - 1]?.start ?? 0) && end >= start).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });

  it("keeps the place of what it changed", () => {
    expect(alignedStep({ type: "NFKC" }, aligned("x\ufb01e\u0301"))).toEqual([
      { text: "x", start: 0, end: 1 }, { text: "fi", start: 1, end: 4 }, { text: "\u00e9", start: 4, end: 7 },
    ]);
    expect(placesOf(alignedStep(replace("bc", "X"), aligned("abcd")), [1, 1, 1])).toEqual([{ start: 0, end: 1 }, { start: 1, end: 3 }, { start: 3, end: 4 }]);
  });
});

describe("spans of a tokeniser of characters", () => {
  const sentencePiece = { type: "Sequence", normalizers: [{ type: "Prepend", prepend: "\u2581" }, replace(" ", "\u2581")] };

  it("names tokens as the vocabulary does and places them in the text", () => {
    const tokenizer = fileOf({ tokens: ["\u2581", "a", "b", "\u2581a"], merges: [["\u2581", "a"]], normalizer: sentencePiece });
    expect(tokenizer.spans("a b")).toEqual([
      { id: 4, start: 0, end: 1, text: "a", token: "\u2581a" },
      { id: 1, start: 1, end: 2, text: " ", token: "\u2581" },
      { id: 3, start: 2, end: 3, text: "b", token: "b" },
    ]);
    expect(tokenizer.spans("")).toEqual([]);
  });

  it("covers unknown characters: by one token each, fused, by bytes, or with the next", () => {
    const tokens = ["a", "b"];
    const places = (options: Parameters<typeof fileOf>[0]) => fileOf(options).spans("a\u8a9e\u8a9eb").map(({ start, end, token }) => [token, start, end]);
    expect(places({ tokens })).toEqual([["a", 0, 1], ["<unk>", 1, 4], ["<unk>", 4, 7], ["b", 7, 8]]);
    expect(places({ tokens, fuse: true })).toEqual([["a", 0, 1], ["<unk>", 1, 7], ["b", 7, 8]]);
    expect(places({ tokens, fallback: true }).slice(0, 4)).toEqual([["a", 0, 1], ["<0xE8>", 1, 2], ["<0xAA>", 2, 3], ["<0x9E>", 3, 4]]);
    expect(places({ tokens, unknown: false })).toEqual([["a", 0, 1], ["b", 1, 8]]);
  });

  it("gives the ids of encode, in order and inside the text, whatever the text", () => {
    const forms = [null, sentencePiece, { type: "NFKC" }].flatMap((normalizer) => [true, false].map((metaspace) => fileOf({ tokens: ["\u2581", "a", "e", "i", "\u2581a"], merges: [["\u2581", "a"]], normalizer, metaspace, fallback: !metaspace })));
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("a", " ", "e", "\u0301", "\ufb01", "\u2581", "\u8a9e", "i", "\u{1f600}", "<unk>") }), (text) => {
        for (const tokenizer of forms) {
          const spans = tokenizer.spans(text);
          expect(spans.map(({ id }) => id)).toEqual([...tokenizer.encode(text)]);
          for (const [i, { start, end }] of spans.entries()) expect(start >= (spans[i - 1]?.end ?? 0) && end >= start && end <= Buffer.byteLength(text)).toBe(true);
        }
      }),
    );
  });
});
