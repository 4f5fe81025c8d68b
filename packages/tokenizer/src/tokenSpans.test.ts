import { describe, expect, it } from "vitest";
import { cl100k } from "./node/encoding.ts";
import { tokenSpans } from "./tokenSpans.ts";

describe("tokenSpans", () => {
  it("gives id, place and characters of every token", () => {
    expect(tokenSpans(cl100k(), "Hello world")).toEqual([
      { id: 9906, start: 0, end: 5, text: "Hello" },
      { id: 1917, start: 5, end: 11, text: " world" },
    ]);
  });

  it("gives no characters for a token that ends inside one, and leaves out no byte", () => {
    const bytes = Buffer.from("\ufeffa𓀀b");
    const spans = tokenSpans(cl100k(), bytes);
    expect(spans.some(({ text }) => text === undefined)).toBe(true);
    expect(spans.map(({ start }) => start)).toEqual([0, ...spans.slice(0, -1).map(({ end }) => end)]);
    expect(spans.at(-1)).toMatchObject({ end: bytes.length, text: "b" });
    for (const { start, end, text } of spans) if (text !== undefined) expect(Buffer.from(text)).toEqual(bytes.subarray(start, end));
  });

  it("takes special tokens for text unless asked", () => {
    expect(tokenSpans(cl100k(), "<|endoftext|>").length).toBeGreaterThan(1);
    expect(tokenSpans(cl100k(), "<|endoftext|>", "recognize")).toEqual([{ id: 100257, start: 0, end: 13, text: "<|endoftext|>" }]);
  });
});
