import { FileError } from "@espalier/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { tokenByteLengths } from "../../data/bitsPerByte.ts";
import { llamaFile } from "../../testing/llamaFile.ts";
import { tokenSpans } from "../../tokenSpans.ts";
import { readTokenizerJson, writeTokenizerJson } from "../json.ts";
import { readHuggingFaceTokenizer } from "./read.ts";
import { textTokenizer } from "./textTokenizer.ts";
import { writeHuggingFaceTokenizer } from "./write.ts";

const tokenizer = textTokenizer(llamaFile(), "llama");
const utf8 = new TextEncoder();

describe("textTokenizer", () => {
  it.each(["auto", "wasm", "typescript"] as const)("gives the file's ids of one text and of many, and the texts again (%s)", (encoder) => {
    const made = textTokenizer(llamaFile(), "llama", encoder);
    const reference = readHuggingFaceTokenizer(llamaFile(), "llama", { encoder: "typescript" });
    expect(made.digest).toBe(tokenizer.digest);
    fc.assert(
      fc.property(fc.array(fc.string({ unit: fc.constantFrom("a", "t", "he", " ", " the", "語", "é", "\u{1f600}", "\n", "12", "</s>") }), { minLength: 1 }), fc.boolean(), (texts, separated) => {
        const bytes = texts.map((text) => utf8.encode(text));
        let end = 0;
        const ends = Uint32Array.from(bytes, ({ length }) => (end += length));
        const out = new Uint32Array(texts.length % 2 === 0 ? end + texts.length * 2 + 16 : 0);
        const found = made.encodeDocuments(new Uint8Array(Buffer.concat(bytes)), ends, { ...(separated && { separator: 2 }), out });
        expect([...found.ids]).toEqual(texts.flatMap((text) => [...reference.encode(text), ...(separated ? [2] : [])]));
        expect(found.ends.at(-1)).toBe(found.ids.length);
        for (const text of texts) {
          expect(made.count(utf8.encode(text))).toBe(reference.encode(text).length);
          expect(made.decodeText(made.encode(text))).toBe(text);
        }
      }),
    );
  });

  it("says how many bytes of text are behind each id, and none behind special ones", () => {
    const lengths = tokenByteLengths(tokenizer);
    const bytesOf = (text: string) => [...tokenizer.encode(text)].reduce((sum, id) => sum + lengths[id]!, 0);
    for (const text of ["the end 12", "é語\n\u{1f600}", "a"]) expect(bytesOf(text)).toBe(utf8.encode(text).length + 1); // a space is set in front
    expect([0, 1, 2].map((id) => lengths[id])).toEqual([0, 0, 0]);
    expect([...tokenizer.tokenBytes(tokenizer.encode("\n").at(-1)!)]).toEqual([10]);
  });

  it("is stored whole and read again, and knows damage", () => {
    const stored = writeTokenizerJson(tokenizer);
    const again = readTokenizerJson(stored, "tokenizer.json");
    expect([again.name, again.digest, again.vocabSize]).toEqual(["llama", tokenizer.digest, tokenizer.vocabSize]);
    expect([...again.encode("the end")]).toEqual([...tokenizer.encode("the end")]);
    expect(tokenSpans(again, "a the")).toEqual(tokenSpans(readHuggingFaceTokenizer(llamaFile(), "llama"), "a the"));
    expect(writeHuggingFaceTokenizer(tokenizer)).toBe(llamaFile());
    expect(() => readTokenizerJson(stored.replace('"fuse_unk":true', '"fuse_unk":false'), "t")).toThrow(/digest of the tokenizer/);
    expect(() => readTokenizerJson(stored.replace(/"huggingFace".*$/s, '"huggingFace":null}'), "t")).toThrow(FileError);
  });

  it("refuses an id, a special token and ends that are not there", () => {
    expect(() => tokenizer.tokenBytes(9999)).toThrow(/id 9999 is no token/);
    expect(() => tokenizer.specialId("<|endoftext|>")).toThrow(/it has <unk> <s> <\/s>/);
    expect(() => tokenizer.encodeDocuments(new Uint8Array(3), Uint32Array.of(4))).toThrow(/ends at 4/);
  });
});
