import { random } from "@espalier/core";
import { describe, expect, it } from "vitest";
import { findDocumentEnds } from "./findDocumentEnds.ts";

describe("findDocumentEnds", () => {
  it("finds every separator, the rest behind the last, and the same behind a reader", () => {
    const draw = random(3, "ends").sequence();
    for (const length of [0, 1, 2, 100, (1 << 20) + 5]) {
      const tokens = Uint32Array.from({ length }, () => draw.integer(7));
      const expected: number[] = [];
      for (const [i, id] of tokens.entries()) if (id === 0) expected.push(i + 1);
      if (length > 0 && tokens.at(-1) !== 0) expected.push(length);
      const reader = { length, read: (start: number, into: Int32Array) => into.set(tokens.subarray(start, start + into.length)) };
      for (const from of [tokens, reader]) {
        const ends = findDocumentEnds(from, 0);
        expect(ends.length).toBe(expected.length);
        expect(Array.from(ends.slice(0, ends.length))).toEqual(expected);
        expect(Array.from(ends.slice(1, 3))).toEqual(expected.slice(1, 3));
      }
    }
  });
});
