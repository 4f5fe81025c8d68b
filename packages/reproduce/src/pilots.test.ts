import { describe, expect, it } from "vitest";
import { bestRate, nextRate } from "./pilots.ts";

const results = (pairs: [number, number][]) => pairs.map(([learningRate, finalLoss]) => ({ learningRate, finalLoss }));

describe("bestRate", () => {
  it("takes the lowest loss and never a diverged run", () => {
    expect(bestRate(results([[1, NaN], [2, 4], [3, 3.9]]))).toBe(3);
    expect(bestRate(results([[1, 3], [2, NaN]]))).toBe(1);
  });
});

describe("nextRate", () => {
  it("stops when the best rate is bracketed", () => {
    expect(nextRate(results([[0.003, 4], [0.006, 3.9], [0.012, 4.1]]), 3)).toBeUndefined();
  });
  it("goes on beyond the end that won", () => {
    expect(nextRate(results([[0.003, 4], [0.006, 3.9], [0.012, 3.8]]), 3)).toBeCloseTo(0.024);
    expect(nextRate(results([[0.003, 3.5], [0.006, 3.9], [0.012, 4]]), 3)).toBeCloseTo(0.0015);
  });
  it("gives up after two more", () => {
    expect(nextRate(results([[1, 5], [2, 4], [4, 3], [8, 2], [16, 1]]), 3)).toBeUndefined();
  });
});
