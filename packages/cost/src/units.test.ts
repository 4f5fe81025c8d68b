import { ConfigError } from "@espalier/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseQuantity, type UnitKind } from "./units.ts";

describe("parseQuantity", () => {
  it.each([
    ["311.5B", "tokens", 311.5e9],
    ["1.4 T", "tokens", 1.4e12],
    ["100,000", "dollars", 1e5],
    ["$100k", "dollars", 1e5],
    ["0.1 M USD", "dollars", 1e5],
    ["21.54 days", "days", 21.54],
    ["516.96h", "days", 21.54],
    ["250 ms", "seconds", 0.25],
    ["25 GB/s", "gigabits a second", 200],
    ["$1.29/h", "dollars an hour", 1.29],
    ["2e9", "tokens", 2e9],
  ] satisfies [string, UnitKind, number][])("reads %s as %s", (text, kind, value) => {
    expect(parseQuantity(text, kind, "x")).toBeCloseTo(value, 6 - Math.floor(Math.log10(value)));
  });
  it.each([
    ["21d", "dollars", /--x: is "21d", with a unit of days, expected dollars. Write for example 100k/],
    ["$100k", "tokens", /an amount of money, expected tokens/],
    ["100k", "days", /with a unit of tokens or dollars, expected days/],
    ["5 GB", "tokens", /with the unit "GB"/],
    ["-3", "tokens", /expected tokens/],
    ["0", "days", /expected days/],
    ["", "days", /expected days/],
    ["1e999", "tokens", /expected tokens/],
    ["4 constructor", "tokens", /unit "constructor"/],
  ] satisfies [string, UnitKind, RegExp][])("refuses %s for %s", (text, kind, sentence) => {
    expect(() => parseQuantity(text, kind, "--x")).toThrow(sentence);
  });
  it("gives a number above 0 or a ConfigError for any text", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.tuple(fc.double(), fc.constantFrom("k", " B", "d", "$", "/h", "GB")).map(([n, u]) => `${n}${u}`)), (text) => {
        try {
          expect(parseQuantity(text, "tokens", "x")).toBeGreaterThan(0);
        } catch (error) {
          expect(error).toBeInstanceOf(ConfigError);
        }
      }),
    );
  });
});
