import { describe, expect, it } from "vitest";
import { composeGrowth } from "../compose.ts";
import { measure, tinyModel } from "../testing/measure.ts";

describe("identity", () => {
  it.each(["flm", "llama"] as const)("gives back every bit (%s)", (family) => {
    const model = tinyModel({ family });
    const operators = { residual: "identity", ffn: "identity", head: "identity", depth: "identity" };
    const { source, target, logits } = measure(composeGrowth(model, model, { operators, rampSteps: 0, seed: 1 }));
    expect(target).toEqual(source);
    expect(logits).toBe(0);
  });
});
