import { describe, expect, it } from "vitest";
import { clock, placeText, quantity } from "./format.ts";

describe("quantity", () => {
  it.each([
    [0, "bytes", "0 B"],
    [999, "bytes", "999 B"],
    [12_345_678, "bytes", "12.3 MB"],
    [2.5e9, "bytes", "2.50 GB"],
    [7, "tokens", "7 tokens"],
    [3.14159, "steps", "3.14 steps"],
    [1280.4, "tokens", "1280 tokens"],
    [9999, "tokens", "9999 tokens"],
    [12_345, "tokens", "12.3 k tokens"],
    [12_345_678, "tokens", "12.3 M tokens"],
  ])("%d %s is %s", (value, unit, text) => expect(quantity(value, unit)).toBe(text));
});

describe("clock", () => {
  it.each([
    [0.4, "0 s"],
    [59.4, "59 s"],
    [59.6, "1 min 0 s"],
    [75, "1 min 15 s"],
    [3600, "1 h 0 min"],
    [3599.7, "1 h 0 min"],
    [7380, "2 h 3 min"],
  ])("%d seconds are %s", (seconds, text) => expect(clock(seconds)).toBe(text));
});

describe("placeText", () => {
  it("is relative below where the user stands, absolute elsewhere", () => {
    expect(["/a/b/c/d", "/a/b", "/a/x"].map((path) => placeText("/a/b", path))).toEqual(["c/d", ".", "/a/x"]);
  });
});
