import { random } from "@espalier/core";
import { instructionSets, nativeEncodeCore } from "#native";
import { describe, expect, it } from "vitest";
import { type EncodeCore, OUTPUT_SLACK, typescriptEncodeCore } from "./encodeCore.ts";
import type { EncodingName } from "./encodings.ts";
import { encoding } from "./node/encoding.ts";
import { type PatternName, patterns } from "./pretokenize/patterns.ts";
import { randomText } from "./testing/randomText.ts";
import { expectSameIds, expectTiktokenIds } from "./testing/tiktoken.ts";
import { createTokenizer, tokenizerOf } from "./tokenizer.ts";
import { trainTokenizer } from "./train/trainTokenizer.ts";
import { type Ranks, ranksOf } from "./vocabulary.ts";
import { webAssemblyEncodeCore } from "./wasm/encodeCore.ts";
import { safeCuts } from "./wasm/safeCuts.ts";

const names: EncodingName[] = ["cl100k_base", "o200k_base", "gpt2"];
const sets = instructionSets();
const patternNames: PatternName[] = ["cl100k", "gpt2", "o200k", "qwen2"];
const utf8 = new TextEncoder();

function ranks(core: EncodeCore, bytes: Uint8Array): Uint32Array {
  const out = new Uint32Array(bytes.length + OUTPUT_SLACK);
  return out.slice(0, core.encode(bytes, out));
}

const mergers = new Map<Ranks, (bytes: Uint8Array) => number[]>();

/** One piece by the definition: itself if it is a token, else by joins, found by looking at all pairs each time. */
function plainPiece(vocabulary: Ranks): (piece: Uint8Array) => number[] {
  let merge = mergers.get(vocabulary);
  if (merge) return merge;
  const rankOf = new Map(Array.from({ length: vocabulary.offsets.length - 1 }, (_, rank) => [key(vocabulary.bytes, vocabulary.offsets[rank]!, vocabulary.offsets[rank + 1]!), rank]));
  merge = (piece) => {
    const whole = rankOf.get(key(piece, 0, piece.length));
    if (whole !== undefined) return [whole];
    const starts = Array.from({ length: piece.length + 1 }, (_, i) => i);
    const rankAt = (i: number) => rankOf.get(key(piece, starts[i]!, starts[i + 2]!)) ?? Infinity;
    for (;;) {
      let best = -1;
      for (let i = 0; i + 2 < starts.length; i++) if (rankAt(i) < (best < 0 ? Infinity : rankAt(best))) best = i;
      if (best < 0) break;
      starts.splice(best + 1, 1);
    }
    return starts.slice(1).map((end, i) => rankOf.get(key(piece, starts[i]!, end))!);
  };
  mergers.set(vocabulary, merge);
  return merge;
}
const key = (bytes: Uint8Array, start: number, end: number) => Buffer.from(bytes.subarray(start, end)).toString("latin1");

/** What every encoder computes, slowly. */
function plainRanks(vocabulary: Ranks, pattern: PatternName, text: Uint8Array): Uint32Array {
  const ids: number[] = [];
  for (let start = 0; start < text.length; ) {
    const end = patterns[pattern].pieceEnd(text, start);
    ids.push(...plainPiece(vocabulary)(text.subarray(start, end)));
    start = end;
  }
  return Uint32Array.from(ids);
}

/** Bytes of every kind: text, text cut anywhere, and noise. */
function inputOf(index: number, draw = random(11, "inputs")): Uint8Array {
  if (index % 4 === 0) return Uint8Array.from({ length: draw.integer(index, 200) }, (_, i) => draw.integer(1e6 + index * 256 + i, 256));
  const bytes = Buffer.from(randomText(random(12, "texts"), index));
  return index % 4 === 1 ? bytes.subarray(draw.integer(index, bytes.length)) : bytes;
}

/** Every encoder of this machine: each instruction set of the addon, WebAssembly, TypeScript. */
const encoders: [string, (vocabulary: Ranks, pattern: PatternName) => EncodeCore][] = [
  ...sets.map((set): (typeof encoders)[number] => [`native ${set}`, (vocabulary, pattern) => nativeEncodeCore(vocabulary, pattern, set)!]),
  ["wasm", (vocabulary, pattern) => webAssemblyEncodeCore(vocabulary, pattern)!],
  ["typescript", (vocabulary, pattern) => typescriptEncodeCore(vocabulary, pattern, "v")],
];
const trained = trainTokenizer([utf8.encode("growing 语言模型 grows, and the 模型 grew. ".repeat(50))], { vocabSize: 320 }).ranks;
// Tokens that no joins lead to: they are found as a whole piece only.
const unreachable = ranksOf([
  ...Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte)),
  ...["abcd", "语言", "语", "a very long token without any path to it", "  "].map((text) => utf8.encode(text)),
]);
const vocabularies: [string, Ranks][] = [
  ["cl100k_base", encoding("cl100k_base").ranks],
  ["gpt2", encoding("gpt2").ranks],
  ["a trained vocabulary", trained],
  ["tokens without joins", unreachable],
];

// The same body on every encoder. The addon's are missing where it is not built; the other two never are.
describe.each(encoders)("the encoder %s", (kind, coreOf) => {
  it("is the one that was asked for", () => {
    expect(kind.startsWith(coreOf(trained, "cl100k").kind)).toBe(true);
  });

  it.each(names)("gives tiktoken's ids of %s on random text", (name) => {
    const { ranks, pattern, specialTokens } = encoding(name);
    const tokenizer = tokenizerOf({ name, ranks, pattern, specialTokens }, coreOf(ranks, pattern!));
    const draw = random(5, name);
    for (let i = 0; i < 3000; i++) expectTiktokenIds(tokenizer, randomText(draw, i), name);
  });

  it.each(vocabularies)("gives the plain definition's ranks for %s and each pattern, valid UTF-8 or not", (_, vocabulary) => {
    for (const pattern of patternNames) {
      const core = coreOf(vocabulary, pattern);
      const texts: Uint8Array[] = ["abcd xabcd 语言语言 x语言语", "语言x".repeat(60), ...["", "a", "中"].map((end) => ` very long${end}`)].map((text) => utf8.encode(text));
      for (let i = 0; i < 500; i++) texts.push(inputOf(i));
      for (const text of texts) expectSameIds(encoding("cl100k_base"), ranks(core, text), plainRanks(vocabulary, pattern, text));
    }
  });

  it("takes a megabyte without a break, and remembers nothing wrong of it", () => {
    const tokenizer = tokenizerOf({ name: "c", ranks: encoding("cl100k_base").ranks, specialTokens: new Map() }, coreOf(encoding("cl100k_base").ranks, "cl100k"));
    for (const text of ["ab".repeat(5e5), `${" ".repeat(50)}\n`.repeat(2e4), "语".repeat(3e5)]) {
      expect(tokenizer.decodeText(tokenizer.encode(text)) === text).toBe(true);
      expectTiktokenIds(tokenizer, text.slice(0, 3000));
    }
  });
});

describe("the encoder that is chosen", () => {
  it("is the addon where it is built, WebAssembly elsewhere, TypeScript on request", () => {
    const of = (encoder?: "wasm" | "typescript") => createTokenizer({ name: "v", ranks: trained, specialTokens: new Map(), encoder }).encoder;
    expect([of(), of("wasm"), of("typescript")]).toEqual([sets.length > 0 ? "native" : "wasm", "wasm", "typescript"]);
  });

  it("says what is wrong with a vocabulary that cannot be used", () => {
    const twice = ranksOf([...Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte)), Uint8Array.of(7)]);
    for (const vocabulary of [ranksOf([Uint8Array.of(1)]), twice]) {
      expect([nativeEncodeCore(vocabulary, "cl100k"), webAssemblyEncodeCore(vocabulary, "cl100k")]).toEqual([undefined, undefined]);
    }
    expect(() => createTokenizer({ name: "v", ranks: twice, specialTokens: new Map() })).toThrow(/token 256 has the same bytes as token 7/);
  });

  it.skipIf(sets.length === 0)("refuses too little room instead of writing behind it (addon)", () => {
    expect(() => nativeEncodeCore(trained, "cl100k")!.encode(utf8.encode("abc"), new Uint32Array(3))).toThrow(/no room/);
  });
});

describe("safeCuts", () => {
  it("cuts where the stretches have the pieces of the whole", () => {
    const draw = random(6, "cuts");
    const between = ["\n", "\n\n", "\n\u8bed", "\u3002\n\u8bed", "\u3000\n\u8bed", "\r\n", " \n", "\u2003\nA", "!\nA", ".\n\nA"];
    let cuts = 0;
    for (let i = 0; i < 1000; i++) {
      const text = Buffer.from([0, 1, 2, 3, 4].map((part) => randomText(draw, i * 5 + part) + between[(i + part * part) % between.length]!).join(""));
      for (const pattern of patternNames) {
        const { pieceEnd } = patterns[pattern];
        const pieces = (from: number, bytes: Uint8Array) => {
          const ends: number[] = [];
          for (let at = 0; at < bytes.length; ) ends.push(from + (at = pieceEnd(bytes, at)));
          return ends;
        };
        const stretches: number[] = [];
        let start = 0;
        for (const end of safeCuts(text, 8)) {
          stretches.push(...pieces(start, text.subarray(start, end)));
          start = end;
          cuts++;
        }
        expect(stretches).toEqual(pieces(0, text));
      }
    }
    expect(cuts).toBeGreaterThan(7000);
  });

  it("finds places in English and in Chinese", () => {
    const cutsOf = (text: string) => [...safeCuts(Buffer.from(text.repeat(100)), 16)].length;
    expect(cutsOf("A line of words.\n")).toBe(100);
    expect(cutsOf("小模型先学习。\n")).toBe(100);
    expect(cutsOf("a paragraph\n\n")).toBe(1);
  });
});
