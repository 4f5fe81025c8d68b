import { createHash } from "node:crypto";
import { FileError } from "@espalier/core";
import { describe, expect, it } from "vitest";
import { cl100k } from "../node/encoding.ts";
import { sha256Hex } from "../sha256.ts";
import { trainTokenizer } from "../train/trainTokenizer.ts";
import { readCompactRanks, writeCompactRanks } from "./compactRanks.ts";
import { readTokenizerJson, writeTokenizerJson } from "./json.ts";
import { readTiktoken, writeTiktoken } from "./tiktoken.ts";

const small = trainTokenizer([Buffer.from("a small corpus, a small vocabulary, and a small test ".repeat(9))], { vocabSize: 290 });

describe("writeTiktoken", () => {
  it("gives OpenAI's cl100k_base file byte for byte", () => {
    const digest = createHash("sha256").update(writeTiktoken(cl100k().ranks)).digest("hex");
    expect(digest).toBe("223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7");
  });

  it("is read back", () => {
    expect(readTiktoken(writeTiktoken(small.ranks), "small")).toEqual(small.ranks);
  });
});

describe("readTiktoken", () => {
  it("names the line that does not fit", () => {
    expect(() => readTiktoken("IQ== 0\nIg== 2\n", "x.tiktoken")).toThrow(/x\.tiktoken: line 2 is "Ig== 2", expected a base64 token and rank 1/);
    expect(() => readTiktoken("{}", "x.tiktoken")).toThrow(FileError);
  });
});

describe("readTokenizerJson", () => {
  const text = writeTokenizerJson(small);

  it("is the text that JSON.stringify gives", () => expect(text).toBe(`${JSON.stringify(JSON.parse(text), null, 1)}\n`));

  it("gives back the tokeniser", () => {
    const again = readTokenizerJson(text, "t.json");
    expect(again.digest).toBe(small.digest);
    expect(again.specialTokens).toEqual(small.specialTokens);
    expect(again.encode("a small vocabulary")).toEqual(small.encode("a small vocabulary"));
  });

  it("refuses other, cut and changed files", () => {
    expect(() => readTokenizerJson(text.slice(0, 99), "t.json")).toThrow(/t\.json: not a JSON object/);
    expect(() => readTokenizerJson('{"version":"1.0"}', "t.json")).toThrow(/expected espalier-tokenizer version 1/);
    const changed = JSON.parse(text) as { tokens: string[] };
    changed.tokens[260] = Buffer.from("zzzz").toString("base64");
    expect(() => readTokenizerJson(JSON.stringify(changed), "t.json")).toThrow(/digest of the tokens is/);
  });
});

describe("readCompactRanks", () => {
  it("gives back the ranks and refuses a block that is cut or foreign", () => {
    const block = writeCompactRanks(small.ranks);
    expect(readCompactRanks(block, "r")).toEqual(small.ranks);
    expect(() => readCompactRanks(block.subarray(0, -1), "r")).toThrow(/cut short/);
    expect(() => readCompactRanks(Uint8Array.of(1, 2, 3), "r")).toThrow(FileError);
  });
});

describe("sha256Hex", () => {
  it("agrees with Node at every padding", () => {
    for (let length = 0; length < 200; length++) {
      const message = Uint8Array.from({ length }, (_, i) => (i * 37 + length) & 0xff);
      expect(sha256Hex(message)).toBe(createHash("sha256").update(message).digest("hex"));
    }
  });
});
