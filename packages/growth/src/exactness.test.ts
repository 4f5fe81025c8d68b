import type { Axis, ModelShape } from "@espalier/spec/model";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { copies, corner } from "./axisMaps.ts";
import { composeGrowth } from "./compose.ts";
import { proveExactness } from "./exactness.ts";
import { growthMap, keepLayers } from "./growthMap.ts";
import type { AxisMap, GrowthMap } from "./map.ts";
import { measure, tinyModel } from "./testing/measure.ts";

/** fp64 rounding; measured 7e-15 (logits) and 3e-14 (gradients) at worst. */
const ROUNDING = 1e-12;
const RESIDUAL_WRITES = [
  "embedding.weight",
  "attention.output.weight",
  "attention.output.bias",
  "ffn.down.weight",
  "ffn.down.bias",
];

type Shape = Partial<ModelShape> & Pick<ModelShape, "family">;
const axesMap = (source: Shape, target: Partial<ModelShape>, axes: Partial<Record<Axis, AxisMap>>) =>
  growthMap(tinyModel(source), tinyModel({ ...source, ...target }), { axes }, 11);

describe("proveExactness, where logits and gradients carry over", () => {
  it("proves uneven splits of heads and MLP units with full residual copies and a tied head", () => {
    const map = axesMap(
      { family: "flm", tiedHead: true },
      { residualDim: 12, numKvHeads: 4, ffnDim: 9 },
      {
        residual: copies("residual", 6, [0, 1, 2, 3, 4, 5, 5, 4, 3, 2, 1, 0], { normRule: "fullCopies" }),
        kvHead: copies("kvHead", 2, [0, 1, 1, 0], { shares: [0.3, 0.7, 0.3, 0.7] }),
        ffn: copies("ffn", 5, [0, 1, 2, 3, 4, 2, 2, 0, 4], { shares: [0.9, 1, 0.5, 1, 0.25, 0.3, 0.2, 0.1, 0.75] }),
      },
    );
    expect(proveExactness(map)).toEqual({
      logits: { holds: true, refusals: [] },
      gradients: { holds: true, refusals: [] },
      needsGates: false,
    });
    const measured = measure(map);
    expect(measured.logits).toBeLessThan(1e-14);
    expect(measured.gradients).toBeLessThan(ROUNDING);
    expect(map.axes.normed!.carry[0]).toEqual([[0, 0.5]]); // the tied head sees every channel twice
  });

  it.each(["flm", "llama"] as const)("proves silent and free units without gates (%s)", (family) => {
    const bias = family === "flm" ? ["ffn.up.bias"] : [];
    const up = family === "flm" ? ["ffn.up.weight", ...bias] : ["ffn.gate.weight", "ffn.up.weight"];
    const silent = axesMap(
      { family },
      { ffnDim: 8 },
      { ffn: corner("ffn", 5, 8, { kind: "silent", gated: false, zero: up }) },
    );
    const free = axesMap(
      { family },
      { ffnDim: 8 },
      { ffn: corner("ffn", 5, 8, { kind: "free", gated: false, zero: ["ffn.down.weight"] }) },
    );
    for (const map of [silent, free]) {
      expect(proveExactness(map).gradients.holds).toBe(true);
      expect(measure(map).logits).toBeLessThan(ROUNDING);
      expect(measure(map).gradients).toBeLessThan(ROUNDING);
    }
  });

  it("proves heads whose projections, or whose output columns, are zero", () => {
    const project = ["query", "key", "value"].map((name) => `attention.${name}.weight`);
    for (const added of [
      { kind: "silent", zero: project },
      { kind: "free", zero: ["attention.output.weight"] },
    ] as const) {
      const kvHead = corner("kvHead", 2, 3, { ...added, gated: false });
      const map = axesMap({ family: "llama", groupSize: 2 }, { numKvHeads: 3 }, { kvHead });
      expect(proveExactness(map).gradients.refusals).toEqual([]);
      expect(measure(map).logits).toBeLessThan(ROUNDING);
      expect(measure(map).gradients).toBeLessThan(ROUNDING);
    }
  });

  it("proves a zero-padded RMSNorm stream when gain and epsilon are rescaled", () => {
    const residual = corner("residual", 6, 9, {
      kind: "silent",
      gated: false,
      zero: RESIDUAL_WRITES,
      normRule: "rescaled",
    });
    const map = axesMap(
      { family: "llama", normEpsilon: 1e-5 },
      { residualDim: 9, normEpsilon: (1e-5 * 6) / 9 },
      { residual },
    );
    expect(proveExactness(map).gradients.refusals).toEqual([]);
    expect(measure(map).logits).toBeLessThan(ROUNDING);
    expect(measure(map).gradients).toBeLessThan(ROUNDING);
  });

  it.each(["flm", "llama"] as const)(
    "proves a head of twice the size when rotary pair i goes to pair 2i (%s)",
    (family) => {
      const map = axesMap(
        { family },
        { headDim: 8 },
        { headSize: spreadPairs(), valueSize: copies("valueSize", 4, [0, 1, 2, 3, 0, 1, 2, 3]) },
      );
      expect(map.multipliers.attention.ratio).toBeCloseTo(Math.SQRT2, 12);
      expect(proveExactness(map).gradients.refusals).toEqual([]);
      expect(measure(map).logits).toBeLessThan(ROUNDING);
      expect(measure(map).gradients).toBeLessThan(ROUNDING);
    },
  );

  it.each([true, false])("proves changed multipliers that are made up for (tied head: %s)", (tiedHead) => {
    const source = tinyModel({ family: "flm", tiedHead });
    const multipliers = { embedding: 3, logits: 0.2, attention: 0.7, residual: 0.4 };
    const map = growthMap(source, { ...source, multipliers }, {}, 1);
    expect(proveExactness(map).gradients.refusals).toEqual([]);
    expect(measure(map).logits).toBeLessThan(ROUNDING);
    expect(measure(map).gradients).toBeLessThan(ROUNDING);
  });

  it("proves all four axes at once", () => {
    const source = tinyModel({ family: "flm", mup: { baseWidth: 3, outputMult: 2 } });
    const target = tinyModel({
      family: "flm",
      mup: { baseWidth: 3, outputMult: 2 },
      residualDim: 11,
      ffnDim: 13,
      numKvHeads: 3,
      groupSize: 2,
      numLayers: 5,
    });
    const map = composeGrowth(source, target, {
      operators: { residual: "msg", ffn: "net2Wider", head: "msg", depth: "zeroDepth" },
      rampSteps: 10,
      seed: 3,
    });
    expect(proveExactness(map)).toMatchObject({
      logits: { holds: true },
      gradients: { holds: true },
      needsGates: true,
    });
    expect(measure(map).logits).toBeLessThan(ROUNDING);
    expect(measure(map).gradients).toBeLessThan(ROUNDING);
  });
});

describe("proveExactness, where logits carry over and gradients do not", () => {
  const logitsOnly = (map: GrowthMap, condition: RegExp) => {
    const { logits, gradients } = proveExactness(map);
    expect(logits.refusals).toEqual([]);
    expect(gradients.refusals[0]!.condition).toMatch(condition);
    expect(measure(map).logits).toBeLessThan(ROUNDING);
    expect(measure(map).gradients).toBeGreaterThan(1e-4);
  };

  it("refutes gradients of a normed stream that is read unevenly", () => {
    const shares = [0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7];
    const residual = copies("residual", 6, [0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5], { shares, normRule: "fullCopies" });
    for (const tiedHead of [true, false]) {
      logitsOnly(axesMap({ family: "flm", tiedHead }, { residualDim: 12 }, { residual }), /split evenly over copies/);
    }
  });

  it("refutes gradients of a tied embedding whose final norm is divided unevenly over copies", () => {
    const map = composeGrowth(tinyModel({ family: "flm" }), tinyModel({ family: "flm", residualDim: 12 }), {
      operators: { residual: "hyperCloning" },
      rampSteps: 0,
      seed: 1,
    });
    const normed = map.axes.normed!;
    const carry = normed.carry.map((row, t) => row.map(([s]) => [s, t < 6 ? 0.3 : 0.7] as const));
    logitsOnly({ ...map, axes: { ...map.axes, normed: { ...normed, carry } } }, /both uses of a tied embedding/);
  });

  it("refutes gradients of queries and keys that are read otherwise than they were carried", () => {
    const spread = spreadPairs();
    const headSize = { ...spread, read: spread.read.map((row) => row.map(([s, w]) => [s, w / 2] as const)) };
    const valueSize = copies("valueSize", 4, [0, 1, 2, 3, 0, 1, 2, 3]);
    logitsOnly(axesMap({ family: "llama" }, { headDim: 8 }, { headSize, valueSize }), /on a dual axis N is D\^T/);
  });

  it("refutes gradients under cancelling noise: copies that are read with weights of other units", () => {
    const even = copies("ffn", 5, [0, 1, 2, 3, 4, 0]);
    const read = even.read.map((column, t) =>
      t === 0 ? [...column, [1, 0.4] as const] : t === 5 ? [...column, [1, -0.4] as const] : column,
    );
    logitsOnly(axesMap({ family: "flm" }, { ffnDim: 6 }, { ffn: { ...even, read } }), /N reads only what D carries/);
  });
});

describe("proveExactness, refusals", () => {
  const refused = (map: GrowthMap, where: string, condition: RegExp, atLeast = 1e-6) => {
    const { logits } = proveExactness(map);
    expect(logits.holds).toBe(false);
    expect(logits.refusals.map((refusal) => refusal.where)).toContain(where);
    expect(logits.refusals.find((refusal) => refusal.where === where)!.condition).toMatch(condition);
    expect(measure(map).logits).toBeGreaterThan(atLeast);
  };

  it("refuses noise on carried entries", () => {
    const map = growthMap(
      tinyModel({ family: "flm" }),
      tinyModel({ family: "flm" }),
      { perturbation: { shrink: 1, noise: 0.2 } },
      1,
    );
    refused(map, "every tensor", /new entries only/);
  });

  it("refuses a zero-padded RMSNorm stream whose epsilon is not rescaled", () => {
    const residual = corner("residual", 6, 9, {
      kind: "silent",
      gated: false,
      zero: RESIDUAL_WRITES,
      normRule: "rescaled",
    });
    refused(
      axesMap({ family: "llama", normEpsilon: 1e-2 }, { residualDim: 9 }, { residual }),
      "attention.norm",
      /epsilon is scaled by C\/C'/,
    );
  });

  it("refuses masked statistics without gates", () => {
    const residual = corner("residual", 6, 9, {
      kind: "silent",
      gated: false,
      zero: RESIDUAL_WRITES,
      normRule: "masked",
    });
    refused(axesMap({ family: "llama" }, { residualDim: 9 }, { residual }), "axis residual", /masked out by gates/);
  });

  it("refuses a zero-padded LayerNorm stream: the mean moves", () => {
    const residual = corner("residual", 6, 9, {
      kind: "silent",
      gated: false,
      zero: RESIDUAL_WRITES,
      normRule: "rescaled",
    });
    refused(
      axesMap({ family: "flm" }, { residualDim: 9, normEpsilon: (1e-5 * 6) / 9 }, { residual }),
      "axis residual",
      /RMSNorm only/,
    );
  });

  it("refuses unequal numbers of copies behind a norm", () => {
    const residual = copies("residual", 6, [0, 1, 2, 3, 4, 5, 0, 1], { normRule: "fullCopies" });
    refused(axesMap({ family: "flm" }, { residualDim: 8 }, { residual }), "axis residual", /equally often/);
  });

  it("refuses a tiled rotary head", () => {
    const tiled = {
      ...corner("headSize", 4, 8, {
        kind: "silent",
        gated: false,
        zero: ["attention.key.weight", "attention.key.bias"],
      }),
    };
    const valueSize = copies("valueSize", 4, [0, 1, 2, 3, 0, 1, 2, 3]);
    refused(axesMap({ family: "flm" }, { headDim: 8 }, { headSize: tiled, valueSize }), "axis headSize", /rotary pair/);
    const doubled = copies("headSize", 4, [0, 1, 2, 3, 0, 1, 2, 3]);
    refused(
      axesMap({ family: "llama" }, { headDim: 8 }, { headSize: doubled, valueSize }),
      "axis headSize",
      /D\^T D = I/,
    );
  });

  it("refuses rotary pairs that are torn apart", () => {
    const headSize = placed([0, -1, 1, -1, 3, -1, 2, -1], ["attention.key.weight"]); // pairs are (0, 2) and (1, 3)
    const valueSize = copies("valueSize", 4, [0, 1, 2, 3, 0, 1, 2, 3]);
    refused(axesMap({ family: "llama" }, { headDim: 8 }, { headSize, valueSize }), "axis headSize", /stay together/);
  });

  it("refuses rotary pairs that keep together but change frequency", () => {
    const zero = ["attention.key.weight", "attention.key.bias"];
    const at = [0, 1, -1, -1, 2, 3, -1, -1]; // pairs 0, 1 stay pairs 0, 1 of four
    const headSize = placed(at, zero);
    const map = axesMap(
      { family: "llama" },
      { headDim: 8 },
      { headSize, valueSize: copies("valueSize", 4, [0, 1, 2, 3, 0, 1, 2, 3]) },
    );
    refused(map, "axis headSize", /keeps its frequency/);
    const { position } = map.target;
    const stored: GrowthMap = {
      ...map,
      target: { ...map.target, position: { ...position, frequencies: [1, 0.01, 0.001, 0.0001] } },
    };
    expect(proveExactness(stored).logits.refusals).toEqual([]);
    expect(measure(stored).logits).toBeLessThan(ROUNDING);
  });

  it("refuses rotary pairs that keep their frequency but change their xPos decay", () => {
    const zero = ["attention.key.weight", "attention.key.bias"];
    const valueSize = copies("valueSize", 4, [0, 1, 2, 3, 0, 1, 2, 3]);
    const map = axesMap(
      { family: "flm" },
      { headDim: 8 },
      { headSize: placed([0, 1, -1, -1, 2, 3, -1, -1], zero), valueSize },
    );
    const position = { ...map.target.position, frequencies: [1, 0.01, 0.001, 0.0001] };
    refused({ ...map, target: { ...map.target, position } }, "axis headSize", /xPos decay/);
  });

  it("refuses units that are read back mixed", () => {
    const even = copies("ffn", 5, [0, 1, 2, 3, 4, 0]);
    const read = even.read.map((column, t) => (t === 1 ? [...column, [2, 0.5] as const] : column));
    refused(axesMap({ family: "flm" }, { ffnDim: 6 }, { ffn: { ...even, read } }), "axis ffn", /N D = I/);
  });

  it("refuses a bias that is scaled without its weight", () => {
    const model = tinyModel({ family: "flm" });
    const map = { ...growthMap(model, model, {}, 1), factors: { "ffn.up.bias": 2 } };
    refused(map, "ffn.up.bias", /make up for/);
  });

  it("refuses maps that contradict themselves", () => {
    const conditions = (ffn: AxisMap) =>
      proveExactness(axesMap({ family: "flm" }, { ffnDim: 6 }, { ffn })).logits.refusals.map(
        ({ condition }) => condition,
      );
    const silent = corner("ffn", 5, 6, { kind: "silent", gated: true });
    const carry = silent.carry.map((row, t) => (t === 5 ? [[0, 1] as const] : row));
    expect(conditions({ ...silent, carry })).toEqual(["carried units have a D row, silent and free ones have none"]);
    const free = corner("ffn", 5, 6, { kind: "free", gated: false, zero: ["ffn.down.weight"] });
    const read = free.read.map((column, t) => (t === 5 ? [[0, 1] as const] : column));
    expect(conditions({ ...free, read })).toEqual(["free units are read by nobody"]);
  });

  it("takes a gate for what it is: on a layer that continues there is none", () => {
    const model = tinyModel({ family: "flm" });
    const layers = keepLayers(2).map((layer) => ({ ...layer, gated: true }));
    const map = growthMap(model, model, { layers }, 1);
    expect(proveExactness(map).logits.refusals).toEqual([]);
    expect(measure(map).logits).toBe(0);
  });

  it("refuses a gate on query heads of an old group: a zero query attends evenly", () => {
    const group = corner("group", 1, 2, { kind: "silent", gated: true });
    refused(axesMap({ family: "flm" }, { groupSize: 2 }, { group }), "axis group", /no gate silences this axis/);
  });

  it("refuses a map that scales units in front of an activation", () => {
    const even = copies("ffn", 5, [0, 1, 2, 3, 4, 0]);
    const carry = even.carry.map((row) => row.map(([s, w]) => [s, 2 * w] as const));
    const read = even.read.map((row) => row.map(([s, w]) => [s, w / 2] as const));
    refused(axesMap({ family: "flm" }, { ffnDim: 6 }, { ffn: { ...even, carry, read } }), "axis ffn", /only selects/);
  });

  it("refuses a multiplier that nobody makes up for, and one made up for twice", () => {
    const source = { family: "flm", mup: { baseWidth: 3 } } as const;
    const map = composeGrowth(tinyModel(source), tinyModel({ ...source, residualDim: 12 }), {
      operators: { residual: "msg" },
      rampSteps: 5,
      seed: 1,
    });
    expect(map.factors).toEqual({ "final.norm.gain": 2, "final.norm.bias": 2 });
    refused({ ...map, factors: {} }, "final.norm.gain, embedding.weight", /make up for/);
    refused(
      { ...map, factors: { "final.norm.gain": 4, "final.norm.bias": 4 } },
      "final.norm.gain, embedding.weight",
      /make up for/,
    );
  });

  it("refuses a final norm that goes other ways than the residual stream, or a tied head that reads other ways", () => {
    const map = composeGrowth(tinyModel({ family: "flm" }), tinyModel({ family: "flm", residualDim: 12 }), {
      operators: { residual: "hyperCloning" },
      rampSteps: 0,
      seed: 1,
    });
    const normed = map.axes.normed!;
    const turned = { ...normed, carry: normed.carry.toReversed(), read: normed.read.toReversed() };
    refused({ ...map, axes: { ...map.axes, normed: turned } }, "axis normed", /channel by channel/);
    const { normed: _, ...axes } = map.axes;
    expect(proveExactness({ ...map, axes }).logits.refusals.map(({ where }) => where)).toContain("axis normed");
    // The embedding is what a tied head reads, so this map says something that no tensor can follow.
    const halves = { ...normed, read: normed.read.map((row) => row.map(([s, w]) => [s, w / 2] as const)) };
    const found = proveExactness({ ...map, axes: { ...map.axes, normed: halves } }).logits.refusals;
    expect(found.map(({ where }) => where)).toContain("embedding.weight");
  });

  it("refuses layers that are mixed, swapped, skipped or fresh", () => {
    const model = tinyModel({ family: "flm" });
    const [first, second] = keepLayers(2);
    const withLayers = (layers: GrowthMap["layers"]) =>
      growthMap(model, { ...model, numLayers: layers.length }, { layers }, 1);
    refused(withLayers([first!, { ...second!, keeps: -1, gated: true }]), "layers", /each once and in order/);
    refused(withLayers([first!, { ...second!, zeroOutputs: true }]), "layers", /each once and in order/);
    refused(withLayers([second!, first!]), "layers.0", /each once and in order/);
    refused(withLayers([first!, second!, { ...first!, terms: [] }]), "layers.2", /one source layer/);
    refused(
      withLayers([
        first!,
        {
          ...first!,
          terms: [
            { layer: 0, weight: 0.5 },
            { layer: 1, weight: 0.5 },
          ],
        },
      ]),
      "layers.1",
      /one source layer/,
    );
  });
});

/** Pair i of two goes to pair 2i of four; new pairs have keys of zero. */
function spreadPairs(): AxisMap {
  return placed([0, -1, 1, -1, 2, -1, 3, -1], ["attention.key.weight", "attention.key.bias"]);
}

function placed(sources: readonly number[], zero: readonly string[]): AxisMap {
  const rows = sources.map((s) => (s < 0 ? [] : [[s, 1] as const]));
  return {
    sourceSize: 4,
    targetSize: sources.length,
    carry: rows,
    read: rows,
    kinds: sources.map((s) => (s < 0 ? "silent" : "carried")),
    keeps: sources,
    gated: false,
    zero,
  };
}

describe("proveExactness against measurement", () => {
  const base = (family: "flm" | "llama", tiedHead: boolean): GrowthMap => {
    const source = tinyModel({ family, tiedHead, mup: { baseWidth: 3 } });
    const target = tinyModel({
      family,
      tiedHead,
      mup: { baseWidth: 3 },
      residualDim: 12,
      ffnDim: 8,
      numKvHeads: 4,
      numLayers: 3,
    });
    const operators = { residual: "hyperCloning", ffn: "net2Wider", head: "msg", depth: "zeroDepth" };
    return composeGrowth(source, target, { operators, rampSteps: 10, seed: 5 });
  };
  const axisNames = ["residual", "normed", "ffn", "kvHead"] as const;
  const damage = fc.record({
    family: fc.constantFrom("flm", "llama"),
    tiedHead: fc.boolean(),
    kind: fc.constantFrom(
      "none",
      "read",
      "carry",
      "move",
      "gate",
      "gateCopies",
      "factor",
      "layer",
      "weight",
      "epsilon",
    ),
    axis: fc.constantFrom(...axisNames),
    unit: fc.nat(3),
    scale: fc.constantFrom(0.5, 1.5),
  });

  it("says holds exactly when the logits stay, whatever is broken in a map", () => {
    fc.assert(
      fc.property(damage, ({ family, tiedHead, kind, axis, unit, scale }) => {
        fc.pre(!(tiedHead && kind === "read" && axis === "normed")); // a tied head reads the embedding: that map stands idle
        const map = structuredClone(base(family, tiedHead)) as Mutable<GrowthMap>;
        const broken = map.axes[axis]! as Mutable<AxisMap>;
        const scaled = (row: AxisMap["carry"][number]) => row.map(([s, w]) => [s, w * scale] as const);
        if (kind === "read") broken.read = broken.read.map((row, t) => (t === unit ? scaled(row) : row));
        if (kind === "carry") broken.carry = broken.carry.map((row, t) => (t === unit ? scaled(row) : row));
        if (kind === "move") broken.carry = broken.carry.map((row, t) => (t === 0 ? broken.carry[1]! : row));
        if (kind === "gate") map.axes.kvHead = { ...map.axes.kvHead!, gated: false };
        if (kind === "gateCopies" && axis !== "normed") broken.gated = true;
        if (kind === "factor") map.factors = { ...map.factors, "attention.value.weight": scale };
        if (kind === "layer") map.layers = map.layers.map((layer) => ({ ...layer, zeroOutputs: false }));
        if (kind === "weight")
          map.layers = map.layers.map((layer, i) =>
            i === 0 ? { ...layer, terms: [{ layer: 0, weight: scale }] } : layer,
          );
        if (kind === "epsilon")
          map.target = { ...map.target, normEpsilon: { ...map.target.normEpsilon, ffn: 0.1 * scale } };
        expect(proveExactness(map).logits.holds).toBe(measure(map).logits < ROUNDING);
      }),
      { numRuns: 150, seed: 3 },
    );
  });
});

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
