import { describe, expect, it } from "vitest";
import { parameterBuckets } from "../cluster/shape.ts";
import { clusterModelRows, findClusterModel } from "./clusterModels.ts";

describe("clusterModelRows", () => {
  it.each([
    ["gpt-3-175b", 175], ["opt-175b", 175], ["glm-130b", 130], ["llama-7b", 6.7], ["llama-13b", 13], ["llama-33b", 32.5], ["llama-65b", 65.2],
    ["llama-2-70b", 69], ["llama-3-8b", 8], ["llama-3-70b", 70.6], ["llama-3-405b", 405], ["mixtral-8x7b", 46.7], ["flm-101b", 101.7],
  ])("%s has the %d billion parameters that its authors state, within 2 %%", (id, billions) => {
    expect(Math.abs(parameterBuckets(findClusterModel(id).model).total / 1e9 / billions - 1)).toBeLessThan(0.02);
  });
  it("has a source and a date in every row", () => {
    for (const row of clusterModelRows) expect(`${row.url} ${row.date}`).toMatch(/^https:\/\/\S+ \d{4}-\d\d-\d\d$/);
  });
});

describe("findClusterModel", () => {
  it("reads shapes, and names the nearest when it knows none", () => {
    expect(findClusterModel("48x5120").model.numHeads).toBe(40);
    expect(() => findClusterModel("flm101b")).toThrow(/Nearest: flm-101b/);
    expect(() => findClusterModel("lama-2-7b")).toThrow(/llama-2-7b/);
    expect(() => findClusterModel("48x5000")).toThrow(/multiple of 128/);
  });
});
