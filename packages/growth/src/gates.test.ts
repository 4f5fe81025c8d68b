import { describe, expect, it } from "vitest";
import { applyGrowth } from "./apply.ts";
import { firstBirths, growBirths } from "./births.ts";
import { composeGrowth } from "./compose.ts";
import { gateValues, gates, rampValue } from "./gates.ts";
import { randomParameters, relativeDifference, runDecoder } from "./testing/decoder.ts";
import { tinyModel } from "./testing/measure.ts";

const source = tinyModel({
  family: "flm",
  residualDim: 2,
  ffnDim: 2,
  numLayers: 1,
  numKvHeads: 1,
  groupSize: 1,
  headDim: 2,
});
const target = { ...source, residualDim: 3, ffnDim: 4, numKvHeads: 2, groupSize: 2, numLayers: 2 };
const all = { residual: "msg", ffn: "msg", head: "msg", depth: "msg" } as const;
const map = composeGrowth(source, target, { operators: all, rampSteps: 4, seed: 1 });
const births = growBirths(firstBirths(source), map, { step: 10, rampSteps: 4 });

describe("gateValues", () => {
  it("puts m on new units of every gate point", () => {
    const half = gateValues(target, births, 0.5);
    expect(Object.fromEntries(Object.entries(half).map(([name, values]) => [name, [...values]]))).toEqual({
      "gate.residual": [1, 1, 0.5],
      "gate.ffn": [1, 1, 0.5, 0.5],
      // heads (kv, group): (0,0) old; (0,1) new in an old group, silenced by its output columns; (1,0), (1,1) new
      "gate.query": [1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5],
      "gate.keyValue": [1, 1, 0.5, 0.5],
      "gate.layer.1": [0.5],
    });
  });

  it("leaves out gates that no unit needs", () => {
    const operators = { ffn: "net2Wider", residual: "msg" };
    const partly = composeGrowth(
      source,
      { ...source, residualDim: 3, ffnDim: 4 },
      { operators, rampSteps: 4, seed: 1 },
    );
    const names = gates(partly.target, growBirths(firstBirths(source), partly, { step: 10, rampSteps: 4 }));
    expect(names).toEqual([{ name: "gate.residual", length: 3 }]);
  });

  it("gates only the newest birth", () => {
    const again = composeGrowth(
      target,
      { ...target, ffnDim: 5, numLayers: 3 },
      { operators: { ffn: "msg", depth: "msg" }, rampSteps: 2, seed: 1 },
    );
    const later = growBirths(births, again, { step: 20, rampSteps: 2 });
    const values = gateValues(again.target, later, 0);
    expect(Object.keys(values)).toEqual(["gate.ffn", "gate.layer.2"]);
    expect([...values["gate.ffn"]!]).toEqual([1, 1, 1, 1, 0]);
  });

  it("is empty before any growth and for growths without a ramp", () => {
    expect(gateValues(source, firstBirths(source), 0)).toEqual({});
    expect(gates(target, growBirths(firstBirths(source), map, { step: 10, rampSteps: 0 }))).toEqual([]);
  });
});

describe("rampValue", () => {
  it("goes linearly from 0 at the growth to 1", () => {
    expect([10, 11, 12, 13, 14, 50].map((step) => rampValue(births, step))).toEqual([0, 0.25, 0.5, 0.75, 1, 1]);
    expect(rampValue(firstBirths(source), 0)).toBe(1);
  });
});

describe("a ramp", () => {
  it("starts at the source's logits, moves, and ends at the plain target", () => {
    const before = randomParameters(source, 1);
    const after = applyGrowth(map, before);
    const tokens = [1, 4, 2, 6, 0, 3];
    const logitsAt = (m: number) => runDecoder(target, after, tokens, gateValues(target, births, m)).logits;
    const old = runDecoder(source, before, tokens).logits;
    const plain = runDecoder(target, after, tokens).logits;
    expect(relativeDifference(old, logitsAt(0))).toBeLessThan(1e-14);
    expect(relativeDifference(old, logitsAt(0.5))).toBeGreaterThan(1e-3);
    expect(relativeDifference(plain, logitsAt(0.5))).toBeGreaterThan(1e-3);
    expect(relativeDifference(plain, logitsAt(1))).toBeLessThan(1e-14);
  });
});
