import { GrowthError } from "@espalier/core";
import { type ModelConfig, type ModelFamily, type ModelShape } from "@espalier/spec/model";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { composeGrowth } from "../compose.ts";
import { proveExactness } from "../exactness.ts";
import { measure, tinyModel } from "../testing/measure.ts";
import type { AxisGroup, GrowthOperator } from "./operator.ts";
import { operatorNamed, operators } from "./table.ts";

/** fp64 rounding through two random layers; measured at most 3e-14 for logits and 2e-12 for gradients. */
const LOGITS = 1e-12;
const GRADIENTS = 1e-9;

const factors = fc.record({
  family: fc.constantFrom<ModelFamily>("flm", "llama"),
  tiedHead: fc.boolean(),
  mup: fc.boolean(),
  numLayers: fc.integer({ min: 1, max: 2 }),
  residualDim: fc.integer({ min: 2, max: 5 }),
  ffnDim: fc.integer({ min: 1, max: 4 }),
  numKvHeads: fc.integer({ min: 1, max: 2 }),
  groupSize: fc.integer({ min: 1, max: 2 }),
  added: fc.integer({ min: 1, max: 3 }),
  seed: fc.nat(1000),
});
type Drawn = typeof factors extends fc.Arbitrary<infer T> ? T : never;

/** A source and a target that only differs in one axis group; whole multiples for operators that need them. */
function pair(group: AxisGroup, drawn: Drawn, whole: boolean): { source: ModelConfig; target: ModelConfig } {
  const { mup, added, seed: _, ...shape } = drawn;
  const base: Partial<ModelShape> & { family: ModelFamily } = mup ? { ...shape, mup: { baseWidth: 2, outputMult: 2 } } : shape;
  const grow = (n: number) => (whole ? n * (added + 1) : n + added);
  const larger: Record<AxisGroup, Partial<ModelShape>> = {
    residual: { residualDim: grow(shape.residualDim) },
    ffn: { ffnDim: grow(shape.ffnDim) },
    head: { numKvHeads: grow(shape.numKvHeads), groupSize: whole ? shape.groupSize * 2 : shape.groupSize + (added % 2) },
    depth: { numLayers: grow(shape.numLayers) },
  };
  return { source: tinyModel(base), target: tinyModel({ ...base, ...larger[group] }) };
}

const WHOLE = ["stack", "hyperCloning"];
const cases = operators
  .filter(({ name }) => name !== "identity")
  .flatMap((operator) => operator.groups.map((group): [string, AxisGroup, GrowthOperator] => [operator.name, group, operator]));

describe("every operator, on random shapes of both families", () => {
  it.each(cases)("%s (%s) does to logits and gradients what it claims, and the proof says the same", (name, group, operator) => {
    fc.assert(
      fc.property(factors, (drawn) => {
        const { source, target } = pair(group, drawn, WHOLE.includes(name));
        const map = composeGrowth(source, target, { operators: { [group]: name }, rampSteps: 10, seed: drawn.seed });
        const proof = proveExactness(map);
        const measured = measure(map, drawn.seed);
        expect(proof.logits.holds).toBe(operator.preserves.logits);
        expect(proof.gradients.holds).toBe(operator.preserves.gradients);
        expect(proof.needsGates).toBe(operator.needsGates);
        expect(measured.logits < LOGITS).toBe(operator.preserves.logits);
        if (operator.preserves.gradients) expect(measured.gradients).toBeLessThan(GRADIENTS);
      }),
      { numRuns: 25, seed: 7 },
    );
  });

  it.each(cases.filter(([name]) => !WHOLE.includes(name)))("%s (%s) keeps the model when nothing grows", (name, group) => {
    const model = tinyModel({ family: "flm" });
    const map = composeGrowth(model, model, { operators: { [group]: name }, rampSteps: 10, seed: 1 });
    const { source, target } = measure(map);
    expect(target).toEqual(source);
  });
});

describe("operatorNamed", () => {
  it("lists the operators that fit when the name is unknown", () => {
    expect(() => operatorNamed("magic", "depth")).toThrow(/"magic", expected one of identity, msg, .*stack/);
  });
  it("refuses an operator on an axis group it does not act on", () => {
    expect(() => operatorNamed("stack", "ffn")).toThrow(GrowthError);
    expect(() => operatorNamed("stack", "ffn")).toThrow(/stack acts on depth/);
  });
});
