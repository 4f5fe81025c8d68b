import { describe, expect, it } from "vitest";
import { composeGrowth } from "../compose.ts";
import { measure, tinyModel } from "../testing/measure.ts";

describe("net2Wider", () => {
  const source = tinyModel({ family: "llama" });
  const map = (seed: number) =>
    composeGrowth(source, { ...source, ffnDim: 12 }, { operators: { ffn: "net2Wider" }, rampSteps: 0, seed });

  it("keeps old units in place and divides what reads a unit by its number of copies", () => {
    const { source: before, target: after } = measure(map(1));
    const sources = map(1).axes.ffn!.carry.map((row) => row[0]![0]);
    expect(sources.slice(0, 5)).toEqual([0, 1, 2, 3, 4]);
    const count = (s: number) => sources.filter((other) => other === s).length;
    sources.forEach((s, t) => {
      expect(after["layers.0.ffn.up.weight"]!.slice(6 * t, 6 * t + 6)).toEqual(
        before["layers.0.ffn.up.weight"]!.slice(6 * s, 6 * s + 6),
      );
      expect(after["layers.0.ffn.down.weight"]![t]).toBeCloseTo(before["layers.0.ffn.down.weight"]![s]! / count(s), 14);
    });
  });

  it("draws other units with another seed", () => {
    const drawn = (seed: number) => map(seed).axes.ffn!.carry.slice(5);
    expect([2, 3, 4].some((seed) => JSON.stringify(drawn(seed)) !== JSON.stringify(drawn(1)))).toBe(true);
  });
});
