import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bf16ToF32, f16ToF32, f32ToBf16, tensorBytes } from "./dtype.ts";

describe("f32ToBf16", () => {
  it("rounds to nearest with ties to even", () => {
    // 1 + 2^-8 lies halfway between 1 and 1 + 2^-7; 1 + 3 * 2^-8 between 1 + 2^-7 and 1 + 2^-6.
    const halves = f32ToBf16(new Float32Array([1, 1 + 2 ** -8, 1 + 3 * 2 ** -8, -0, Infinity, NaN]));
    const values = [...bf16ToF32(halves)];
    expect(values.slice(0, 5)).toEqual([1, 1, 1 + 2 ** -6, -0, Infinity]);
    expect(values[5]).toBeNaN();
  });

  it("keeps every bfloat16 value, and is within half a step of every float32", () => {
    const all = Uint16Array.from({ length: 0x10000 }, (_, i) => i).filter((h) => (h & 0x7fff) <= 0x7f80);
    expect(f32ToBf16(bf16ToF32(all))).toEqual(all);
    fc.assert(
      fc.property(fc.float({ noNaN: true, noDefaultInfinity: true, min: -(2 ** 127), max: 2 ** 127 }), (value) => {
        const [rounded] = bf16ToF32(f32ToBf16(new Float32Array([value])));
        expect(Math.abs(rounded! - value)).toBeLessThanOrEqual(Math.max(Math.abs(value) * 2 ** -8, 2 ** -134));
      }),
    );
  });
});

describe("f16ToF32", () => {
  it("is exact at the edges of the format", () => {
    const halves = new Uint16Array([0x3c00, 0xc000, 0x7bff, 0x0400, 0x03ff, 0x0001, 0x8000, 0x7c00, 0xfc00, 0x7e00]);
    const values = [1, -2, 65504, 2 ** -14, 1023 * 2 ** -24, 2 ** -24, -0, Infinity, -Infinity, NaN];
    expect([...f16ToF32(halves)]).toEqual(values);
  });
});

describe("tensorBytes", () => {
  it("counts sub-byte types in bits and refuses half bytes", () => {
    expect(tensorBytes("F4", [3, 2])).toBe(3);
    expect(tensorBytes("F4", [3])).toBeUndefined();
    expect(tensorBytes("F32", [])).toBe(4);
    expect(tensorBytes("I64", [0, 7])).toBe(0);
  });
});
