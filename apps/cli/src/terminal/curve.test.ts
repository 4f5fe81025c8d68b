import { describe, expect, it } from "vitest";
import { blocks } from "./curve.ts";

describe("blocks", () => {
  it("draws the lowest mean lowest and the highest highest", () => {
    expect(blocks([8, 7, 6, 5, 4, 3, 2, 1], 8)).toBe("█▇▆▅▄▃▂▁");
    expect(blocks([0, 1, 0, 1, 4, 4, 4, 4], 2)).toBe("▁█");
  });

  it("has a block a value where there are fewer than fit, draws a constant flat, and leaves out what is no number", () => {
    expect(blocks([2, 2, 2], 60)).toBe("▁▁▁");
    expect(blocks([NaN, 1, Infinity, 2], 60)).toBe("▁█");
    expect(blocks([], 60)).toBe("");
  });

  it("uses every value once, whatever the width", () => {
    const values = Array.from({ length: 101 }, (_, i) => -i);
    for (const width of [1, 7, 60, 101, 500]) expect(blocks(values, width)).toHaveLength(Math.min(width, 101));
  });
});
