import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseTrainPlan } from "@espalier/spec/plan";
import { describe, expect, it } from "vitest";

describe("the README's plan", () => {
  it("is a plan of two stages, the second twice as deep", () => {
    const readme = readFileSync(join(import.meta.dirname, "../../README.md"), "utf8");
    const { stages } = parseTrainPlan(JSON.parse(/```json\n(\{[\s\S]*?)```/.exec(readme)![1]!));
    expect(stages.map(({ model }) => model.numLayers)).toEqual([2, 4]);
  });
});
