import { existsSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { DataError, FileError, random } from "@espalier/core";
import { Tokenizer as Oracle } from "@huggingface/tokenizers";
import { describe, expect, it } from "vitest";
import { encoding } from "../../node/encoding.ts";
import type { PatternName } from "../../pretokenize/patterns.ts";
import { randomText } from "../../testing/randomText.ts";
import { createTokenizer } from "../../tokenizer.ts";
import { trainTokenizer } from "../../train/trainTokenizer.ts";
import { ranksOf } from "../../vocabulary.ts";
import { readHuggingFaceTokenizer } from "./read.ts";
import { writeHuggingFaceTokenizer } from "./write.ts";

const SHARED = new URL("../../../../../../shared/data/", import.meta.url);
const utf8 = new TextEncoder();

/** What @huggingface/tokenizers 0.2.0 makes of text without special tokens in it. */
function oracleOf(json: string) {
  const oracle = new Oracle(JSON.parse(json) as object, {});
  return (text: string) => oracle.encode(text, { add_special_tokens: false }).ids;
}

// Without what the oracle takes for special tokens, and without code points that engines class differently.
const texts = Array.from({ length: 300 }, (_, i) => randomText(random(21, "hf"), i).toWellFormed().replaceAll("<|endoftext|>", "").replace(/[\u{10000}-\u{10ffff}\u0085\ufeff]/gu, ""));

describe("writeHuggingFaceTokenizer", () => {
  const corpus = utf8.encode("The model grows. It's 2026, and 模型在预算内生长 THE End of HTTPServer x=12345;\n\n  return camelCase\n".repeat(40));
  const { ranks } = trainTokenizer([corpus], { vocabSize: 420 });

  it.each(["cl100k", "gpt2", "o200k", "qwen2"] as PatternName[])("writes a %s file that the library of the format reads to the same ids", (pattern) => {
    const tokenizer = createTokenizer({ name: "t", ranks, pattern, specialTokens: new Map([["<|endoftext|>", 500]]) });
    const json = writeHuggingFaceTokenizer(tokenizer);
    const oracle = oracleOf(json);
    for (const text of ["It's HTTPServer's 12345 grows", "a  b\n\n c", ...texts.slice(0, 150)].filter((text) => !/[ſ\u0903\u200d]/u.test(text))) {
      expect([text, ...tokenizer.encode(text)]).toEqual([text, ...oracle(text)]);
    }
    const again = readHuggingFaceTokenizer(json, "t");
    expect(again.byteLevel!.digest).toBe(tokenizer.digest);
    expect(again.vocabSize).toBe(501);
  });

  it("gives back gpt2 whole", () => {
    const gpt2 = encoding("gpt2");
    expect(readHuggingFaceTokenizer(writeHuggingFaceTokenizer(gpt2), "gpt2").byteLevel!.digest).toBe(gpt2.digest);
  });

  it("refuses a vocabulary that a list of merges cannot say", () => {
    const unreachable = ranksOf([...Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte)), utf8.encode("abcd")]);
    expect(() => writeHuggingFaceTokenizer(createTokenizer({ name: "v", ranks: unreachable, specialTokens: new Map() }))).toThrow(DataError);
  });
});

describe("readHuggingFaceTokenizer on byte-level files", () => {
  const trained = trainTokenizer([utf8.encode("low lower lowest new newer newest ".repeat(30))], { vocabSize: 300, specialTokens: ["<s>"] });
  const json = JSON.parse(writeHuggingFaceTokenizer(trained)) as {
    added_tokens: { id: number }[];
    pre_tokenizer: unknown;
    model: { vocab: Record<string, number>; merges: [string, string][]; type: string };
  };

  it("keeps the file's ids where they are not the order of merges", () => {
    const shifted = structuredClone(json);
    shifted.model.vocab = Object.fromEntries(Object.entries(json.model.vocab).map(([token, id]) => [token, id + 1]));
    shifted.added_tokens[0]!.id = 0; // as trainers write them: special tokens first
    const tokenizer = readHuggingFaceTokenizer(JSON.stringify(shifted), "shifted");
    expect([...tokenizer.encode("lowest newer")]).toEqual([...trained.encode("lowest newer")].map((id) => id + 1));
    expect(tokenizer.decodeText(tokenizer.encode("lowest 模型"))).toBe("lowest 模型");
    expect([...tokenizer.encode("<s>low", { special: "recognize" })][0]).toBe(0);
    expect([...tokenizer.encode("<s>low")]).not.toContain(0);
    expect(oracleOf(JSON.stringify(shifted))("lowest newer")).toEqual([...tokenizer.encode("lowest newer")]);
  });

  it("reads the old form of merges", () => {
    const old = { ...json, model: { ...json.model, merges: json.model.merges.map((pair) => pair.join(" ")) } };
    expect(readHuggingFaceTokenizer(JSON.stringify(old), "old").byteLevel!.digest).toBe(trained.digest);
  });

  it("names what it cannot read", () => {
    const changed = (change: (file: typeof json) => void) => () => {
      const file = structuredClone(json);
      change(file);
      return readHuggingFaceTokenizer(JSON.stringify(file), "t.json");
    };
    expect(changed((file) => (file.model.merges = []))().vocabSize).toBe(trained.vocabSize); // tokens without merges never appear
    expect(changed((file) => file.model.merges.push(["zz", "qq"]))).toThrow(/t\.json: token "zzqq" is not in the vocabulary/);
    expect(changed((file) => file.model.merges.splice(1, 1))).toThrow(/no listed merge ends in token|not in the vocabulary/);
    expect(changed((file) => (file.pre_tokenizer = { type: "Sequence", pretokenizers: [{ type: "Split", pattern: { Regex: "." }, behavior: "Isolated" }, { type: "ByteLevel", use_regex: false }] }))).toThrow(/pre-tokenizer "\."/);
    expect(changed((file) => (file.model = { type: "Unigram" } as never))).toThrow(/^t\.json: a "Unigram" model, expected BPE with vocab and merges\. WordPiece, Unigram and word-level tokenizers cannot be read\.$/);
    for (const id of [2 ** 32, -1, 1.5]) {
      const where = `expected a whole number up to 4294967295. The file is damaged.`;
      expect(changed((file) => (file.model.vocab["zz"] = id))).toThrow(new FileError(`t.json: token "zz" has id ${id}, ${where}`));
      expect(changed((file) => (file.added_tokens[0]!.id = id))).toThrow(where);
    }
    expect(() => readHuggingFaceTokenizer("{", "t.json")).toThrow(FileError);
  });
});

const tinyStories = new URL("models/tinystories-656k/tokenizer.json", SHARED);
describe.skipIf(!existsSync(tinyStories))("readHuggingFaceTokenizer on a file made from SentencePiece (skipped where shared/data is absent)", () => {
  // The body of a skipped suite still runs.
  if (!existsSync(tinyStories)) return void it("needs the model files of ../shared/data", () => {});
  const json = readFileSync(tinyStories, "utf8");
  const tokenizer = readHuggingFaceTokenizer(json, "tinystories");
  const oracle = oracleOf(json);

  it("agrees with the library of the format, unknown characters fused", () => {
    expect([...tokenizer.encode("语言模型 x")]).toEqual(oracle("语言模型 x"));
    const lines = gunzipSync(readFileSync(new URL("corpus/en-docs.jsonl.gz", SHARED))).toString("utf8").split("\n", 40);
    const documents = lines.filter(Boolean).map((line) => (JSON.parse(line) as { text: string }).text.slice(0, 2000));
    for (const text of [...texts.filter((text) => !/[<|]/.test(text)), ...documents]) {
      expect([text, ...tokenizer.encode(text)]).toEqual([text, ...oracle(text)]);
    }
  });

  it("merges over spaces, sets its template and decodes what it encoded", () => {
    const text = "Once upon a time, there was a dog named Max.\nBut then, he said.";
    const ids = tokenizer.encode(text, { template: true });
    expect(ids[0]).toBe(1);
    expect(ids.length).toBeLessThan(24);
    expect(tokenizer.decodeText(ids.subarray(1))).toBe(text);
    expect(tokenizer.vocabSize).toBe(2048);
  });

  it("says where its tokens stand in the text", () => {
    const text = "Once  upon a <s>time, 语言\n\u{1f600}x";
    const spans = tokenizer.spans(text);
    expect(spans.map(({ id }) => id)).toEqual([...tokenizer.encode(text)]);
    expect(spans[0]).toEqual({ id: 80, start: 0, end: 0, text: "", token: "\u2581" }); // what the normaliser put before the text
    const bytes = Buffer.from(text);
    for (const { start, end, text: covered } of spans) if (covered !== undefined) expect(bytes.subarray(start, end).toString()).toBe(covered);
    expect(spans.at(-1)!.end).toBe(bytes.length);
    const [special] = [...tokenizer.specialTokens.keys()];
    expect(tokenizer.spans(`a${special}b`, { special: "recognize" })).toContainEqual({ id: tokenizer.specialTokens.get(special!), start: 1, end: 1 + special!.length, text: special, token: special });
  });

  it("takes a long text in n log n", () => {
    const started = performance.now();
    expect(tokenizer.encode("a dog and a cat. ".repeat(20_000)).length).toBeGreaterThan(10_000);
    expect(performance.now() - started).toBeLessThan(5000); // 0.3 s on a free core
  });
});
