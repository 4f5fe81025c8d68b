import { GrowthError } from "@espalier/core";
import { type ModelConfig, type ModelFamily, type ModelShape } from "@espalier/spec/model";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { applyGrowth } from "../apply.ts";
import { firstBirths, growBirths } from "../births.ts";
import { composeGrowth } from "../compose.ts";
import { proveExactness } from "../exactness.ts";
import { gateValues } from "../gates.ts";
import { randomParameters, relativeDifference, runDecoder } from "../testing/decoder.ts";
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

/** Layers of source and target for operators that take few depths; the others take any, or whole multiples. */
const DEPTHS: Readonly<Record<string, (numLayers: number, added: number) => readonly [source: number, target: number]>> = {
  gradualStack: (n, added) => [n, n + Math.min(n, added)],
  midas: (n, added) => (added === 1 ? [2 * n, 3 * n] : [n, 2 * n]),
  lidas: (n) => [4 * n, 6 * n],
  solar: (n, added) => (added === 1 ? [3 * n, 4 * n] : [2 * n, 4 * n]),
  averageDepth: (n, added) => [n + 1, n + 1 + Math.min(n, added)],
};

/** A source and a target that only differs in one axis group. */
function pair(group: AxisGroup, drawn: Drawn, { name, needsMultiples, exactAtMultiples, fit }: GrowthOperator): { source: ModelConfig; target: ModelConfig } {
  const { mup, added, seed: _, ...shape } = drawn;
  const base: Partial<ModelShape> & { family: ModelFamily } = mup
    ? { ...shape, mup: { baseWidth: 2, outputMult: 2 } }
    : shape;
  const whole = needsMultiples || exactAtMultiples;
  const grow = (n: number) => (whole ? n * (added + 1) : n + added);
  const [layers, moreLayers] = DEPTHS[name]?.(shape.numLayers, added) ?? [shape.numLayers, grow(shape.numLayers)];
  if (name === "zeroWidth" && group === "residual") base.family = "llama";
  if (group === "depth") base.numLayers = layers;
  // One more channel only: twice every channel would be exact by luck.
  const residualDim = name === "bert2Bert" ? shape.residualDim + 1 : grow(shape.residualDim);
  const larger: Record<AxisGroup, Partial<ModelShape>> = {
    residual: { residualDim },
    ffn: { ffnDim: grow(shape.ffnDim) },
    head: {
      numKvHeads: grow(shape.numKvHeads),
      groupSize: whole ? shape.groupSize * 2 : shape.groupSize + (added % 2),
    },
    depth: { numLayers: moreLayers },
  };
  const source = tinyModel(base);
  const target = tinyModel({ ...base, ...larger[group] });
  return { source, target: fit?.(source, target) ?? target };
}

const cases = operators
  .filter(({ name }) => name !== "identity")
  .flatMap((operator) =>
    operator.groups.map((group): [string, AxisGroup, GrowthOperator] => [operator.name, group, operator]),
  );
/** Without an axis that grows these still change the model. */
const NEVER_STILL = ["shrinkPerturb"];

describe("every operator, on random shapes of both families", () => {
  it.each(cases)(
    "%s (%s) does to logits and gradients what it claims, and the proof says the same",
    (name, group, operator) => {
      fc.assert(
        fc.property(factors, (drawn) => {
          const { source, target } = pair(group, drawn, operator);
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
    },
  );

  it.each(cases.filter(([name]) => !NEVER_STILL.includes(name)))(
    "%s (%s) keeps the model when nothing grows",
    (name, group) => {
      const model = tinyModel({ family: "flm" });
      const map = composeGrowth(model, model, { operators: { [group]: name }, rampSteps: 10, seed: 1 });
      const { source, target } = measure(map);
      expect(target).toEqual(source);
    },
  );
});

describe("composed growth", () => {
  const choice = fc.record({
    residual: fc.constantFrom("identity", "msg", "hyperCloning"),
    ffn: fc.constantFrom("identity", "msg", "hyperCloning", "net2Wider"),
    head: fc.constantFrom("identity", "msg", "hyperCloning", "net2Wider"),
    depth: fc.constantFrom("identity", "msg", "msgInterleave", "zeroDepth", "zeroDepthTop"),
  });
  const larger = (source: ModelConfig, operators: Record<AxisGroup, string>): ModelConfig => ({
    ...source,
    ...(operators.residual === "identity" ? {} : { residualDim: 2 * source.residualDim }),
    ...(operators.ffn === "identity" ? {} : { ffnDim: 3 * source.ffnDim }),
    ...(operators.head === "identity" ? {} : { numKvHeads: 2 * source.numKvHeads }),
    ...(operators.depth === "identity" ? {} : { numLayers: source.numLayers + 1 }),
  });
  const model = fc.record({ family: fc.constantFrom<ModelFamily>("flm", "llama"), tiedHead: fc.boolean() });

  it("is exact whenever its operators are, on all axes at once", () => {
    fc.assert(
      fc.property(model, choice, fc.nat(100), (shape, operators, seed) => {
        const source = tinyModel({ ...shape, numLayers: 1, residualDim: 3, ffnDim: 2, numKvHeads: 1, groupSize: 2 });
        const map = composeGrowth(source, larger(source, operators), { operators, rampSteps: 10, seed });
        expect(proveExactness(map).gradients.refusals).toEqual([]);
        const measured = measure(map, seed);
        expect(measured.logits).toBeLessThan(LOGITS);
        expect(measured.gradients).toBeLessThan(GRADIENTS);
      }),
      { numRuns: 40, seed: 7 },
    );
  });

  it("stays exact in a second growth: only the newest units are gated", () => {
    const first = tinyModel({ family: "flm", numLayers: 1, residualDim: 3, ffnDim: 2, numKvHeads: 1 });
    const operators = { residual: "msg", ffn: "msg", head: "msg", depth: "msg" } as const;
    const steps = [larger(first, operators), larger(larger(first, operators), operators)];
    let tree = randomParameters(first, 1);
    let births = firstBirths(first);
    let source = first;
    const tokens = [1, 4, 2, 6, 0, 3];
    for (const [i, target] of steps.entries()) {
      const map = composeGrowth(source, target, { operators, rampSteps: 10, seed: i });
      births = growBirths(births, map, { step: 100 * (i + 1), rampSteps: 10 });
      const grown = applyGrowth(map, tree);
      const [before, after] = [
        runDecoder(source, tree, tokens),
        runDecoder(target, grown, tokens, gateValues(target, births, 0)),
      ];
      expect(relativeDifference(before.logits, after.logits)).toBeLessThan(LOGITS);
      [tree, source] = [grown, target];
    }
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
