import { GrowthError } from "@espalier/core";
import { describe, expect, it } from "vitest";
import { type DepthSlot, appendOrder, insertOrder } from "./depthOrder.ts";

/** `0 1 0' 1'`: a prime marks a new layer. */
const text = (slots: DepthSlot[]) => slots.map(({ layer, isNew }) => `${layer}${isNew ? "'" : ""}`).join(" ");

describe("appendOrder", () => {
  it.each([
    [2, 4, "0 1 0' 1'"],
    [3, 8, "0 1 2 0' 1' 2' 1' 2'"],
    [3, 4, "0 1 2 2'"],
    [2, 2, "0 1"],
  ])("%i -> %i layers is %s", (numSource, numTarget, expected) => {
    expect(text(appendOrder(numSource, numTarget))).toBe(expected);
  });
});

describe("insertOrder", () => {
  it.each([
    [2, 4, "0 0' 1 1'"],
    [2, 8, "0 0' 0' 0' 1 1' 1' 1'"],
    [3, 4, "0 1 2 2'"],
    [3, 8, "0 0' 1 1' 1' 2 2' 2'"],
  ])("%i -> %i layers is %s", (numSource, numTarget, expected) => {
    expect(text(insertOrder(numSource, numTarget))).toBe(expected);
  });

  it("refuses fewer layers, and copies of nothing", () => {
    expect(() => insertOrder(3, 2)).toThrow(GrowthError);
    expect(() => appendOrder(0, 2)).toThrow(/the source has 0 layers/);
  });
});
