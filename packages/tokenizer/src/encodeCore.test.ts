import { random } from "@espalier/core";
import { instructionSets, nativeEncodeCore } from "#native";
import { describe, expect, it } from "vitest";
import { type EncodeCore, OUTPUT_SLACK, typescriptEncodeCore } from "./encodeCore.ts";
import type { EncodingName } from "./encodings.ts";
import { encoding } from "./node/encoding.ts";
import type { PatternName } from "./pretokenize/patterns.ts";
import { randomText } from "./testing/randomText.ts";
import { expectSameIds, expectTiktokenIds } from "./testing/tiktoken.ts";
import { createTokenizer } from "./tokenizer.ts";
import { trainTokenizer } from "./train/trainTokenizer.ts";
import { type Ranks, ranksOf } from "./vocabulary.ts";

const names: EncodingName[] = ["cl100k_base", "o200k_base", "gpt2"];
const sets = instructionSets();
const patternNames: PatternName[] = ["cl100k", "gpt2", "o200k", "qwen2"];
const utf8 = new TextEncoder();

function ranks(core: EncodeCore, bytes: Uint8Array): Uint32Array {
  const out = new Uint32Array(bytes.length + OUTPUT_SLACK);
  return out.slice(0, core.encode(bytes, out));
}

/** Bytes of every kind: text, text cut anywhere, and noise. */
function inputOf(index: number, draw = random(11, "inputs")): Uint8Array {
  if (index % 4 === 0) return Uint8Array.from({ length: draw.integer(index, 200) }, (_, i) => draw.integer(1e6 + index * 256 + i, 256));
  const bytes = Buffer.from(randomText(random(12, "texts"), index));
  return index % 4 === 1 ? bytes.subarray(draw.integer(index, bytes.length)) : bytes;
}

describe.each(names)("%s on every encoder", (name) => {
  const published = encoding(name);
  const plain = createTokenizer({ name, ranks: published.ranks, specialTokens: published.specialTokens, pattern: published.pattern, encoder: "typescript" });

  it("agrees with tiktoken on random text", () => {
    const draw = random(5, name);
    for (let i = 0; i < 3000; i++) {
      const text = randomText(draw, i);
      expectTiktokenIds(published, text, name);
      expectTiktokenIds(plain, text, name);
    }
  });
});

describe.skipIf(sets.length === 0)("the native encoder (skipped where the addon is not built)", () => {
  const trained = trainTokenizer([utf8.encode("growing 语言模型 grows, and the 模型 grew. ".repeat(50))], { vocabSize: 320 }).ranks;
  // Tokens that no joins lead to: they are found as a whole piece only.
  const unreachable = ranksOf([
    ...Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte)),
    ...["abcd", "语言", "语", "a very long token without any path to it", "  "].map((text) => utf8.encode(text)),
  ]);

  it.each([
    ["cl100k_base", encoding("cl100k_base").ranks],
    ["gpt2", encoding("gpt2").ranks],
    ["a trained vocabulary", trained],
    ["tokens without joins", unreachable],
  ] as [string, Ranks][])("gives the TypeScript encoder's ranks for %s, each pattern and instruction set", (name, vocabulary) => {
    for (const pattern of patternNames) {
      const reference = typescriptEncodeCore(vocabulary, pattern, name);
      const cores = sets.map((set) => nativeEncodeCore(vocabulary, pattern, set)!);
      expect(cores.map((core) => core.kind)).toEqual(sets.map(() => "native"));
      const texts: Uint8Array[] = ["abcd xabcd 语言语言 x语言语", "语言x".repeat(60), ...["", "a", "中"].map((end) => ` very long${end}`)].map((text) => utf8.encode(text));
      for (let i = 0; i < 700; i++) texts.push(inputOf(i));
      for (const text of texts) {
        const expected = ranks(reference, text);
        for (const core of cores) expectSameIds(encoding("cl100k_base"), ranks(core, text), expected);
      }
    }
  });

  it("leaves a vocabulary that cannot be used to the encoder that says why", () => {
    expect(nativeEncodeCore(ranksOf([Uint8Array.of(1)]), "cl100k")).toBeUndefined();
    const twice = ranksOf([...Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte)), Uint8Array.of(7)]);
    expect(nativeEncodeCore(twice, "cl100k")).toBeUndefined();
    expect(() => createTokenizer({ name: "v", ranks: twice, specialTokens: new Map() })).toThrow(/token 256 has the same bytes as token 7/);
  });

  it("refuses too little room instead of writing behind it", () => {
    const core = nativeEncodeCore(trained, "cl100k")!;
    expect(() => core.encode(utf8.encode("abc"), new Uint32Array(3))).toThrow(/no room/);
  });
});
