import { existsSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { random } from "@espalier/core";
import fc from "fast-check";
import { instructionSets } from "#native";
import { describe, expect, it } from "vitest";
import { randomText } from "../../testing/randomText.ts";
import { readHuggingFaceTokenizer } from "./read.ts";

const SHARED = new URL("../../../../../../shared/data/", import.meta.url);
const LLAMA = new URL("models/tinystories-656k/tokenizer.json", SHARED);
const kinds = instructionSets().length > 0 ? (["auto", "wasm"] as const) : (["wasm"] as const);

const alphabet = ["a", "b", "▁", "é", "語", "\u{1f600}", "<", "0"];
const characterTokens = fc.constantFrom(...alphabet);
const replace = (pattern: string, content: string) => ({ type: "Replace", pattern: { String: pattern }, content });
const normalizers = [
  null, { type: "NFKC" }, replace(" ", "▁"), replace("ab", "▁"), replace(" ", "▁▁"),
  { type: "Sequence", normalizers: [{ type: "Prepend", prepend: "▁" }, replace(" ", "▁")] },
  { type: "Sequence", normalizers: [{ type: "Lowercase" }, { type: "Prepend", prepend: "a " }, replace(" ", "▁")] },
  { type: "Sequence", normalizers: [replace(" ", "▁"), { type: "Prepend", prepend: " " }] },
];
const metaspace = (prepend_scheme: string, split: boolean) => ({ type: "Metaspace", replacement: "▁", prepend_scheme, split });

/** A file of random merges, each of tokens that are there, also of `<unk>` and of tokens of bytes. */
const file = fc
  .record({
    characters: fc.uniqueArray(characterTokens, { minLength: 1 }),
    choices: fc.array(fc.tuple(fc.nat(), fc.nat()), { maxLength: 40 }),
    fallback: fc.constantFrom("all", "some", "off"),
    unknown: fc.boolean(),
    fuse: fc.boolean(),
    normalizer: fc.constantFrom(...normalizers),
    pre_tokenizer: fc.constantFrom(null, null, metaspace("always", true), metaspace("never", true), metaspace("always", false)),
  })
  .map(({ characters, choices, fallback, unknown, fuse, normalizer, pre_tokenizer }) => {
    const bytes = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`);
    const tokens = ["<unk>", ...characters, ...(fallback === "all" ? bytes : fallback === "some" ? bytes.slice(0x80) : [])];
    const merges: [string, string][] = [];
    for (const [left, right] of choices) {
      const pair: [string, string] = [tokens[left % tokens.length]!, tokens[right % tokens.length]!];
      if (pair.join("").length > 60) continue;
      merges.push(pair);
      if (!tokens.includes(pair.join(""))) tokens.push(pair.join(""));
    }
    const vocab = Object.fromEntries(tokens.map((token, id) => [token, id]));
    const model = { type: "BPE", vocab, merges, unk_token: unknown ? "<unk>" : null, fuse_unk: fuse, byte_fallback: fallback !== "off" };
    return JSON.stringify({ model, normalizer, pre_tokenizer });
  });
const texts = fc.array(fc.string({ unit: fc.constantFrom(...alphabet, " ", " ", "中", "\u0301", "ﬁ", "Ａ", "x", "\n") , maxLength: 120 }), { minLength: 1, maxLength: 6 });

describe.each(kinds)("the core's BPE over characters (%s)", (encoder) => {
  it("gives the reference's ids, whatever the merges, the unknown and the text", () => {
    let ran = 0;
    fc.assert(
      fc.property(file, texts, (json, inputs) => {
        const core = readHuggingFaceTokenizer(json, "f", { encoder });
        const reference = readHuggingFaceTokenizer(json, "f", { encoder: "typescript" });
        if (core.encoder !== "typescript") ran++;
        for (const text of [...inputs, ...inputs, inputs.join(" ").repeat(8)]) expect([...core.encode(text)]).toEqual([...reference.encode(text)]); // twice: the second time remembered
      }),
      { numRuns: 400 },
    );
    expect(ran).toBeGreaterThan(200);
  });

  it("gives the reference's places, and names for them", () => {
    fc.assert(
      fc.property(file, texts, fc.constantFrom("text" as const, "recognize" as const), (json, inputs, special) => {
        const withSpecial = JSON.stringify({ ...(JSON.parse(json) as object), added_tokens: [{ id: 0, content: "<unk>" }] });
        const core = readHuggingFaceTokenizer(withSpecial, "f", { encoder });
        const reference = readHuggingFaceTokenizer(withSpecial, "f", { encoder: "typescript" });
        for (const text of [...inputs, inputs.join("<unk>")]) expect(core.spans(text, { special })).toEqual(reference.spans(text, { special }));
      }),
      { numRuns: 400 },
    );
  });

  it.skipIf(!existsSync(LLAMA))("gives them for a Llama-family file, on random text and on pages (without the shared files: skipped)", () => {
    const json = readFileSync(LLAMA, "utf8");
    const core = readHuggingFaceTokenizer(json, "llama", { encoder });
    const reference = readHuggingFaceTokenizer(json, "llama", { encoder: "typescript" });
    expect([core.encoder, reference.encoder]).toEqual([encoder === "auto" ? "native" : "wasm", "typescript"]);
    const draw = random(9, "characters");
    const pages = gunzipSync(readFileSync(new URL("corpus/en-docs.jsonl.gz", SHARED))).toString().split("\n").slice(0, 25).map((line) => (JSON.parse(line) as { text: string }).text.slice(0, 20_000));
    for (const text of [...Array.from({ length: 2000 }, (_, i) => randomText(draw, i)), ...pages]) {
      expect([...core.encode(text)]).toEqual([...reference.encode(text)]);
      expect(core.spans(text)).toEqual(reference.spans(text));
    }
  });

  it("takes a megabyte without a cut in n log n", () => {
    const tokens = ["<unk>", "a", "b", "aa", "aaaa", "ba"];
    const json = JSON.stringify({ model: { type: "BPE", vocab: Object.fromEntries(tokens.map((token, id) => [token, id])), merges: [["a", "a"], ["aa", "aa"], ["b", "a"]], unk_token: "<unk>" } });
    const core = readHuggingFaceTokenizer(json, "f", { encoder });
    const start = performance.now();
    expect(core.encode("a".repeat(1e6)).length).toBe(250_000);
    expect(core.encode("ab".repeat(5e5)).length).toBe(500_001);
    expect(performance.now() - start).toBeLessThan(3000);
  });
});
