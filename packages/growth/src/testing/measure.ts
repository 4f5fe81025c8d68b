import { random } from "@espalier/core";
import { type ModelConfig, type ModelShape, modelConfig, parameters } from "@espalier/spec/model";
import { applyGrowth, entrySides } from "../apply.ts";
import { firstBirths, growBirths } from "../births.ts";
import { gateValues } from "../gates.ts";
import type { GrowthMap } from "../map.ts";
import { carryGradients } from "../moments.ts";
import { type DoubleTree, randomParameters, relativeDifference, runDecoder } from "./decoder.ts";

/** What a growth really did to a random fp64 model, to be compared with what was proved. */
export interface Measured {
  /** max |a - b| / max |a| over the logits, gates at 0. */
  logits: number;
  /** The largest such difference over tensors, against `carryGradients`, on carried entries of continued layers. */
  gradients: number;
  source: DoubleTree;
  target: DoubleTree;
}

/** Grows a random model by the map, runs both and compares. */
export function measure(map: GrowthMap, seed = 1): Measured {
  const source = randomParameters(map.source, seed);
  const target = applyGrowth(map, source);
  const draw = random(seed, "tokens");
  const tokens = Array.from({ length: 9 }, (_, i) => draw.integer(i, map.source.vocabSize));
  const births = growBirths(firstBirths(map.source), map, { step: 100, rampSteps: 10 });
  const before = runDecoder(map.source, source, tokens);
  const after = runDecoder(map.target, target, tokens, gateValues(map.target, births, 0));
  return {
    logits: relativeDifference(before.logits, after.logits),
    gradients: gradientDifference(map, before.gradients, after.gradients),
    source,
    target,
  };
}

function gradientDifference(map: GrowthMap, before: DoubleTree, after: DoubleTree): number {
  const predicted = carryGradients(map, before);
  const sides = entrySides(map.source, map.axes);
  let worst = 0;
  for (const { name, entry, layer, columns } of parameters(map.target)) {
    if (layer !== undefined && map.layers[layer]!.keeps < 0) continue;
    const { rows: r, columns: c } = sides(entry);
    const carried = (_: number, i: number) => r.isNew[Math.floor(i / columns)] === 0 && c.isNew[i % columns] === 0;
    const [expected, found] = [predicted[name]!.filter(carried), after[name]!.filter(carried)];
    // Gradients that vanish (the softmax ignores a key bias, up to rotation) have no scale of their own.
    const scale = Math.max(1e-6, ...expected.map(Math.abs));
    expected.forEach((x, i) => (worst = Math.max(worst, Math.abs(x - found[i]!) / scale)));
  }
  return worst;
}

/** A model small enough for loops, with a remainder on every axis. */
export function tinyModel(shape: Partial<ModelShape> & Pick<ModelShape, "family">): ModelConfig {
  return modelConfig({
    vocabSize: 7,
    seqLen: 8,
    numLayers: 2,
    residualDim: 6,
    ffnDim: 5,
    numKvHeads: 2,
    groupSize: 1,
    headDim: 4,
    position: { kind: shape.family === "flm" ? "xpos" : "rope", scaleBase: 16 },
    ...shape,
  });
}
