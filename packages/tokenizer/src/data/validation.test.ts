import { DataError } from "@espalier/core";
import { describe, expect, it } from "vitest";
import { cl100k } from "../node/encoding.ts";
import { bitsPerByte, predictedBytes, tokenByteLengths } from "./bitsPerByte.ts";
import { validationStarts, windowsAt } from "./validation.ts";

describe("validationStarts", () => {
  it("spreads whole windows evenly", () => {
    expect(validationStarts(101, 10, 5)).toEqual([0, 20, 40, 60, 80]);
    expect(validationStarts(101, 10, 99)).toHaveLength(10);
  });

  it("refuses fewer tokens than one window", () => {
    expect(() => validationStarts(10, 10, 1)).toThrow(DataError);
  });
});

describe("windowsAt", () => {
  it("gives inputs and their successors row by row", () => {
    const { tokens, targets } = windowsAt(Uint32Array.from([5, 6, 7, 8, 9]), [0, 2], 2);
    expect([...tokens]).toEqual([5, 6, 7, 8]);
    expect([...targets]).toEqual([6, 7, 8, 9]);
  });
});

describe("bitsPerByte", () => {
  it("counts the bytes of predicted tokens, none for separators", () => {
    const tokenizer = cl100k();
    const lengths = tokenByteLengths(tokenizer);
    const ids = [...tokenizer.encode("hello 语言"), tokenizer.specialId("<|endoftext|>")];
    expect(predictedBytes(ids, lengths)).toBe(Buffer.byteLength("hello 语言"));
    expect(lengths).toHaveLength(tokenizer.vocabSize);
  });

  it("is 8 for a uniform guess over bytes", () => {
    expect(bitsPerByte(10 * Math.log(256), 10)).toBeCloseTo(8, 12);
  });
});
