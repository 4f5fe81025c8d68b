import { describe, expect, it } from "vitest";
import { asPrinted, equalsPrinted, lastDigitOf, overlaps, propagateRounding, roundingInterval, truncatesToPrinted, valueOf } from "./printed.ts";

describe("printed figures", () => {
  it.each([
    ["376.41", 376.41, 0.01],
    ["1.01e5", 101000, 1000],
    ["100,000", 100000, 1],
    ["7", 7, 1],
  ])("reads %s as %d with last digit %d", (printed, value, digit) => {
    expect(valueOf(printed)).toBe(value);
    expect(lastDigitOf(printed)).toBeCloseTo(digit, 12);
  });
  it("writes a value with as many digits as a printed one", () => {
    expect(asPrinted(99256.32, "1.01e5")).toBe("9.93e4");
    expect(asPrinted(43.269, "42.27")).toBe("43.27");
  });
  it("tells rounding from cutting", () => {
    expect(equalsPrinted(1171.5, "1171")).toBe(false);
    expect(truncatesToPrinted(1171.5, "1171")).toBe(true);
    expect(truncatesToPrinted(1172.1, "1171")).toBe(false);
    expect(equalsPrinted(101400, "1.01e5")).toBe(true);
    expect(equalsPrinted(101600, "1.01e5")).toBe(false);
  });
  it("propagates the rounding of inputs through a function", () => {
    const [low, high] = propagateRounding(["2.0", "4"], (a, b) => a! / b!);
    expect(low).toBeCloseTo(1.95 / 4.5, 12);
    expect(high).toBeCloseTo(2.05 / 3.5, 12);
    expect(overlaps([low, high], roundingInterval("0.6"))).toBe(true);
    expect(overlaps([low, high], roundingInterval("0.8"))).toBe(false);
  });
});
