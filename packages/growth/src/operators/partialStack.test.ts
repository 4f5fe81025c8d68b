import { GrowthError } from "@espalier/core";
import { describe, expect, it } from "vitest";
import { composeGrowth } from "../compose.ts";
import type { GrowthMap } from "../map.ts";
import { tinyModel } from "../testing/measure.ts";

const grow = (name: string, from: number, to: number): GrowthMap => {
  const source = tinyModel({ family: "llama", numLayers: from });
  return composeGrowth(source, { ...source, numLayers: to }, { operators: { depth: name }, rampSteps: 0, seed: 1 });
};

/** `0 1 0' 0+1'`: a prime marks a layer born in this growth, a star one that writes nothing yet, `?` a fresh one. */
const text = ({ layers }: GrowthMap) =>
  layers
    .map(({ terms, keeps, zeroOutputs }) => `${terms.map(({ layer }) => layer).join("+") || "?"}${keeps < 0 ? "'" : ""}${zeroOutputs ? "*" : ""}`)
    .join(" ");

describe("orders of copied layers", () => {
  it.each([
    ["gradualStack", 4, 6, "0 1 2 3 2' 3'"],
    ["gradualStack", 2, 4, "0 1 0' 1'"],
    ["interleavedStack", 4, 6, "0 1 1' 2 3 3'"],
    ["interleavedStack", 2, 6, "0 0' 0' 1 1' 1'"],
    ["llamaPro", 8, 10, "0 1 2 3 3'* 4 5 6 7 7'*"],
    ["midas", 6, 8, "0 1 2 3 2' 3' 4 5"],
    ["midas", 4, 6, "0 1 0' 1' 2 3"],
    ["midas", 2, 4, "0 1 0' 1'"],
    ["solar", 6, 8, "0 1 2 3 2' 3' 4 5"],
    ["solar", 4, 8, "0 1 2 3 0' 1' 2' 3'"],
    ["randomDepth", 2, 4, "0 1 ?' ?'"],
    ["averageDepth", 3, 5, "0 0+1' 1 1+2' 2"],
    ["averageDepth", 4, 5, "0 1 1+2' 2 3"],
  ])("%s %i -> %i layers is %s", (name, from, to, expected) => {
    expect(text(grow(name, from, to))).toBe(expected);
  });

  it("lidas inserts 6, 7, 8, 9 behind the middle block of three blocks of four", () => {
    expect(text(grow("lidas", 12, 16))).toBe("0 1 2 3 4 5 6 7 6' 7' 8' 9' 8 9 10 11");
  });

  it("SOLAR's own example: 32 layers less 8 on each side are 48", () => {
    const { layers } = grow("solar", 32, 48);
    expect(layers.map(({ terms }) => terms[0]!.layer)).toEqual([
      ...Array.from({ length: 24 }, (_, i) => i),
      ...Array.from({ length: 24 }, (_, i) => i + 8),
    ]);
    expect(layers.map(({ keeps }) => keeps).filter((keeps) => keeps >= 0)).toEqual(Array.from({ length: 32 }, (_, i) => i));
  });

  it("LLaMA-Pro's own example: 8 layers into 32 stand after every fourth", () => {
    const born = grow("llamaPro", 32, 40).layers.flatMap(({ keeps }, i) => (keeps < 0 ? [i] : []));
    expect(born).toEqual([4, 9, 14, 19, 24, 29, 34, 39]);
  });

  it.each([
    ["gradualStack", 2, 5, /3 layers are added to 2, expected at most as many/],
    ["interleavedStack", 4, 7, /3 layers are added to 4, expected a divisor or a multiple of 4/],
    ["llamaPro", 4, 7, /llamaPro: 3 layers are added to 4/],
    ["midas", 4, 7, /midas: 3 layers are added to 4, expected a block that divides the source/],
    ["lidas", 6, 9, /lidas: 3 layers are added, expected an even number/],
    ["lidas", 4, 8, /expected a block that divides the source into 2 or more/],
    ["solar", 4, 7, /solar: numLayers is 7, expected an even number/],
    ["averageDepth", 3, 6, /3 layers are added to 3, expected at most 2/],
    ["randomDepth", 3, 2, /target size is 2, expected at least the source size 3/],
  ])("%s refuses %i -> %i layers", (name, from, to, sentence) => {
    expect(() => grow(name, from, to)).toThrow(GrowthError);
    expect(() => grow(name, from, to)).toThrow(sentence);
  });
});
