import { describe, expect, it } from "vitest";
import { cl100k } from "../node/encoding.ts";
import { pieceEnd } from "./cl100k.ts";
import { expectTiktokenIds } from "../testing/tiktoken.ts";
import { CASELESS, codePointClass } from "../unicode/classTable.ts";

function piecesOf(input: string | Uint8Array): string[] {
  const bytes = typeof input === "string" ? Buffer.from(input) : input;
  const pieces: string[] = [];
  for (let start = 0; start < bytes.length; ) {
    const end = pieceEnd(bytes, start);
    pieces.push(Buffer.from(bytes.subarray(start, end)).toString("latin1"));
    start = end;
  }
  return pieces;
}

describe("pieceEnd", () => {
  it.each([
    ["Hello world", ["Hello", " world"]],
    ["I'll we'RE don'tx 'S", ["I", "'ll", " we", "'RE", " don", "'t", "x", " '", "S"]],
    ["12345", ["123", "45"]],
    ["a  b", ["a", " ", " b"]],
    ["a \n\n  b", ["a", " \n\n", " ", " b"]],
    ["x = !!\n\ny", ["x", " =", " !!\n\n", "y"]],
    ["tail  ", ["tail", "  "]],
    ["\t\tif", ["\t", "\tif"]],
    ["\r\nword", ["\r\n", "word"]],
    ["!word", ["!word"]],
    ["\t!", ["\t", "!"]],
  ])("cuts %j as the pattern does", (text, pieces) => {
    expect(piecesOf(text)).toEqual(pieces);
  });

  it("counts bytes outside valid UTF-8 as single characters of class other", () => {
    expect(piecesOf(Uint8Array.of(0x61, 0xff, 0xc3, 0x20, 0xe4, 0xb8))).toEqual(["a", "\xff\xc3", " \xe4\xb8"]);
  });
});

describe("code point classes", () => {
  // Probes around every border between classes; scripts/verifyUnicode.ts asks for all 0x110000 code points.
  it("agree with tiktoken on both sides of every border between classes", () => {
    const borders: number[] = [];
    for (let codePoint = 1; codePoint < 0x110000; codePoint++) {
      if (codePointClass[codePoint] !== codePointClass[codePoint - 1]) borders.push(codePoint - 1, codePoint);
    }
    expect(borders.length).toBeGreaterThan(2000);
    for (let i = 0; i < borders.length; i += 512) {
      const text = borders.slice(i, i + 512).map((codePoint) => `${String.fromCodePoint(codePoint)}'s\n`);
      expectTiktokenIds(cl100k(), text.join(""));
    }
  });

  it("follow Unicode 16.0 whatever the engine knows", () => {
    expect(codePointClass[0x105c0]).toBe(CASELESS); // letter new in 16.0
    expect([0x088f, 0x0c5c, 0x10940].map((codePoint) => codePointClass[codePoint])).toEqual([0, 0, 0]); // letters of 17.0
    expect([0x85, 0xfeff].map((codePoint) => codePointClass[codePoint])).toEqual([3, 0]); // JavaScript's \s has it the other way round
  });
});
