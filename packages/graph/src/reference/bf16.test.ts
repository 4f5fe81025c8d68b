import { random } from "@espalier/core";
import { describe, expect, it } from "vitest";
import { factorsOf, roundToBf16 } from "./bf16.ts";

describe("roundToBf16", () => {
  it("keeps what has 8 significant bits, and rounds ties to the even neighbour", () => {
    for (const x of [0, 1, -1, 255, 1.9921875, 2 ** -126, -(2 ** 127)]) expect(roundToBf16(x)).toBe(x);
    expect(roundToBf16(257)).toBe(256); // between 256 and 258
    expect(roundToBf16(259)).toBe(260); // between 258 and 260
    expect(roundToBf16(-257.00002)).toBe(-258); // just beyond the tie
  });

  it("passes infinities and not-a-number through, and overflows to an infinity", () => {
    expect([Infinity, -Infinity, NaN, 3.4e38, -3.4e38].map(roundToBf16)).toEqual([Infinity, -Infinity, NaN, Infinity, -Infinity]);
  });

  it("is within 2^-8 of any normal number, and no other number of 8 bits is nearer", () => {
    const stream = random(3, "bf16");
    for (let i = 0; i < 2000; i++) {
      const x = Math.fround(stream.normal(i) * 2 ** ((i % 200) - 100));
      const found = roundToBf16(x);
      const step = 2 ** (Math.floor(Math.log2(Math.abs(x))) - 7);
      expect(Math.abs(found - x)).toBeLessThanOrEqual(step / 2);
      expect(Math.abs(found - x)).toBeLessThanOrEqual(Math.abs(Math.round(x / step) * step - x));
    }
  });
});

describe("factorsOf", () => {
  it("leaves the values alone without the attribute", () => {
    const values = { data: Float64Array.of(1.001, 257), shape: [2] };
    expect(factorsOf(values, undefined)).toBe(values);
    expect(factorsOf(values, 0)).toBe(values);
    expect(factorsOf(values, 1).data).toEqual(Float64Array.of(1, 256));
    expect(values.data[0]).toBe(1.001);
  });
});
