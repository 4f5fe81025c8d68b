import { existsSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { ConfigError, DataError, random } from "@espalier/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cl100kFromGzip } from "./encodings.ts";
import { cl100k } from "./node/encoding.ts";
import { expectTiktokenIds, tiktokenIds } from "./testing/tiktoken.ts";
import { createTokenizer } from "./tokenizer.ts";
import { ranksOf } from "./vocabulary.ts";

const tokenizer = cl100k();
const CORPUS = new URL("../../../../shared/data/corpus/", import.meta.url);
const ASSET = new URL("../assets/cl100k_base.ranks.gz", import.meta.url);

/** The 256 bytes, then `more`. */
const byteRanks = (...more: string[]) =>
  ranksOf([...Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte)), ...more.map((text) => Buffer.from(text))]);

describe("createTokenizer", () => {
  it("joins the pair of lowest rank first, leftmost first", () => {
    const small = createTokenizer({ name: "small", ranks: byteRanks("bc", "ab", "abc", "aa"), specialTokens: new Map() });
    expect([...small.encode("abc")]).toEqual([258]); // a whole piece that is a token
    expect([...small.encode("xabc")]).toEqual([0x78, 258]); // b+c, then a+bc spells abc
    expect([...small.encode("xaaa")]).toEqual([0x78, 259, 0x61]);
  });

  it("refuses a vocabulary without all bytes, a token twice, and special ids that are taken", () => {
    const make = (tokens: Uint8Array[]) => () => createTokenizer({ name: "v", ranks: ranksOf(tokens), specialTokens: new Map() });
    expect(make([Uint8Array.of(0)])).toThrow(new DataError("v: byte 1 is not a token, expected all 256. Only byte-level vocabularies can be used."));
    expect(make([Uint8Array.of(7), Uint8Array.of(7)])).toThrow(/token 1 has the same bytes as token 0/);
    expect(() => createTokenizer({ name: "v", ranks: byteRanks(), specialTokens: new Map([["<s>", 255]]) })).toThrow(ConfigError);
  });

  it("has a digest of what it does, not of its name", () => {
    const make = (name: string, ...tokens: string[]) => createTokenizer({ name, ranks: byteRanks(...tokens), specialTokens: new Map() }).digest;
    expect(make("a", "ab")).toBe(make("b", "ab"));
    expect(make("a", "ab")).not.toBe(make("a", "ac"));
    expect(make("a", "ab", "c d")).not.toBe(make("a", "abc", " d"));
  });
});

describe("cl100k", () => {
  it("gives the ids that tiktoken prints", () => {
    expect([...tokenizer.encode("hello world")]).toEqual([15339, 1917]);
    expect([...tokenizer.encode("hasOwnProperty")]).toEqual([4752, 19964]);
    expect(tokenizer.vocabSize).toBe(100277);
  });

  it.each([
    ["names that every JavaScript object has", "toString valueOf constructor __proto__ hasOwnProperty isPrototypeOf"],
    ["a byte order mark", "\ufeffimport x"],
    ["NEL, NBSP, U+2028 and ideographic space", "a\u0085b \u00a0c\u2028\u2029d\u3000\u3000e\ufeff \ufeff"],
    ["contractions with long s and Kelvin sign", "it'ſ IT'S 'ſx we'LL I'D x'K K'ſ"],
    ["lone surrogates", "a\ud800b\udc00\udc00 \ud83d"],
    ["special tokens as text", "<|endoftext|> <|fim_prefix|>x<|endofprompt|>"],
    ["Chinese and emoji", "语言模型在预算内生长。👩‍👩‍👧 🏳️‍🌈\n"],
    ["nothing", ""],
  ])("agrees with tiktoken on %s", (_, text) => {
    expectTiktokenIds(tokenizer, text);
  });

  it("agrees with tiktoken on random text made of what its pattern looks at", () => {
    const characters = [..."aszS'ſK019²中é!.-_ \t\n\r\u0085\u00a0\u3000\ufeff\u200d👩\u0301\ud800<|>", "'ll", "'s", "\r\n", "<|endoftext|>", "   "];
    const text = fc.array(fc.oneof(fc.constantFrom(...characters), fc.string({ unit: "binary", maxLength: 3 })), { maxLength: 60 });
    fc.assert(fc.property(text, (parts) => expectTiktokenIds(tokenizer, parts.join(""))), { numRuns: 2000 });
  });

  it("agrees with tiktoken on decoded random bytes", () => {
    const bits = random(1, "bytes");
    const text = Buffer.from(Array.from({ length: 20_000 }, (_, i) => bits.integer(i, 256))).toString("utf8");
    expectTiktokenIds(tokenizer, text);
  });

  it("agrees with tiktoken on more distinct pieces than it remembers", () => {
    const bits = random(2, "words");
    const words = Array.from({ length: 180_000 }, (_, i) => bits.integer(i, 36 ** 6).toString(36));
    expectTiktokenIds(tokenizer, words.join(" "));
  });

  it("decodes to the bytes it was given, valid UTF-8 or not", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(tokenizer.decode(tokenizer.encode(bytes))).toEqual(bytes);
      }),
    );
    expect(tokenizer.decodeText(tokenizer.encode("\ufeff语言 <|endoftext|>"))).toBe("\ufeff语言 <|endoftext|>");
  });

  it("encodes a long first text whole", async () => {
    const fresh = await cl100kFromGzip(new Uint8Array(readFileSync(ASSET)));
    const text = "Growth, step by step. ".repeat(20_000);
    expect(fresh.decodeText(fresh.encode(text))).toBe(text);
    expect(fresh.count(text)).toBe(fresh.encode(text).length);
  });

  it("recognizes special tokens only when asked", () => {
    const text = "a<|endoftext|><|endoftext|>b<|endof";
    expect([...tokenizer.encode(text)]).not.toContain(100257);
    const ids = tokenizer.encode(text, { special: "recognize" });
    expect([...ids]).toEqual([64, 100257, 100257, 65, ...tiktokenIds("<|endof")]);
    expect(tokenizer.decodeText(ids)).toBe(text);
  });

  it("names an id that is no token, and a special token it does not have", () => {
    expect(() => tokenizer.decode([100261])).toThrow(/id 100261 is no token/);
    expect(() => tokenizer.decode([-1])).toThrow(DataError);
    expect(() => tokenizer.specialId("<pad>")).toThrow(/no special token "<pad>", it has <\|endoftext\|>/);
  });
});

describe("cl100k on input made to be slow", () => {
  const draw = random(3, "adversarial");
  const characters = (count: number, first: number, range: number) =>
    Array.from({ length: count }, (_, i) => String.fromCodePoint(first + draw.integer(i, range))).join("");
  const kinds: [string, (bytes: number) => string][] = [
    ["one letter", (n) => "a".repeat(n)],
    ["blanks", (n) => " ".repeat(n)],
    ["newlines", (n) => "\n".repeat(n)],
    ["one sign", (n) => "!".repeat(n)],
    ["random signs", (n) => characters(n, 33, 15)],
    ["one random word", (n) => characters(n, 97, 26)],
    ["Chinese without a break", (n) => characters(n / 3, 0x4e00, 20_000)],
    ["joined emoji", (n) => "👩‍👩‍👧".repeat(n / 18)],
    ["blanks and newlines in turn", (n) => `${" ".repeat(50)}\n`.repeat(n / 51)],
    ["digits", (n) => characters(n, 48, 10)],
  ];
  it.each(kinds)("%s: as tiktoken, and a megabyte in far less than quadratic time", (_, make) => {
    expectTiktokenIds(tokenizer, make(4000));
    const start = performance.now();
    const text = make(1_000_000);
    expect(tokenizer.decode(tokenizer.encode(text)).length).toBe(Buffer.byteLength(text));
    expect(performance.now() - start).toBeLessThan(5000); // 0.05 to 0.6 s on a free core; quadratic merging takes minutes
  });
});

describe.skipIf(!existsSync(CORPUS))("cl100k on the development corpus (skipped where shared/data is absent)", () => {
  it.each(["code", "zh-wiki", "zh-classical", "en-docs", "en-books-fiction"])("agrees with tiktoken on documents of %s", (name) => {
    const lines = gunzipSync(readFileSync(new URL(`${name}.jsonl.gz`, CORPUS))).toString("utf8").trim().split("\n");
    const step = Math.ceil(lines.length / 40);
    for (let i = 0; i < lines.length; i += step) expectTiktokenIds(tokenizer, (JSON.parse(lines[i]!) as { text: string }).text);
  });
});
