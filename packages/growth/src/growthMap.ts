import { GrowthError } from "@espalier/core";
import { type Axis, type ModelConfig, type Multipliers, axisSize, layoutTable } from "@espalier/spec/model";
import type { AxisMap, GrowthMap, LayerMap, MultiplierRule, Perturbation, SparseRow } from "./map.ts";

/** What operators state; the rest of a map follows from it and the two configurations. */
export interface GrowthParts {
  /** `normed` follows from `residual` unless it is given. */
  axes?: Partial<Record<Axis, AxisMap>>;
  /** Absent: every layer is kept. */
  layers?: readonly LayerMap[];
  perturbation?: Perturbation;
  operators?: Readonly<Record<string, string>>;
}

/** Layers that stay what they are. */
export function keepLayers(numLayers: number): LayerMap[] {
  return Array.from({ length: numLayers }, (_, layer) => ({
    terms: [{ layer, weight: 1 }],
    keeps: layer,
    zeroOutputs: false,
    gated: false,
  }));
}

/**
 * Completes a growth map: derives the final norm's axis (a tied head reads the embedding itself, so the norm's output
 * is divided by the number of copies), finds the ratio of every multiplier and which tensor makes up for it, and adds
 * the norm rule's gain factors.
 *
 * @param seed of the values that fill new entries
 * @throws {GrowthError} when family, vocabulary or rotary base differ, an axis shrinks, an axis changes
 *   without a map, or a map or layer does not have the sizes of the two configurations
 */
export function growthMap(source: ModelConfig, target: ModelConfig, parts: GrowthParts, seed: number): GrowthMap {
  expectSameKind(source, target);
  const axes = { ...parts.axes };
  if (axes.residual && !axes.normed) axes.normed = normedAxis(axes.residual, target.tiedHead);
  expectAxes(source, target, axes);
  const layers = parts.layers ?? keepLayers(source.numLayers);
  expectLayers(source, target, layers);

  const multipliers = multiplierRules(source, target);
  const factors: Record<string, number> = {};
  const multiply = (name: string, factor: number) => {
    if (factor !== 1) factors[name] = (factors[name] ?? 1) * factor;
  };
  for (const { ratio, absorbedBy } of Object.values(multipliers)) for (const name of absorbedBy) multiply(name, ratio);
  // A tied embedding that absorbs its multiplier is read by the head as well; the final norm takes it back.
  if (target.tiedHead) for (const name of FINAL_NORM(source)) multiply(name, 1 / multipliers.embedding.ratio);
  if (axes.residual?.normRule === "rescaled") {
    const gain = Math.sqrt(source.residualDim / target.residualDim);
    for (const name of ["attention.norm.gain", "ffn.norm.gain", "final.norm.gain"]) multiply(name, gain);
  }
  return {
    format: "espalier-growth-1",
    source,
    target,
    axes,
    layers,
    multipliers,
    factors,
    ...(parts.perturbation ? { perturbation: parts.perturbation } : {}),
    seed,
    operators: parts.operators ?? {},
  };
}

const FINAL_NORM = (config: ModelConfig) => namesOf(config, (name) => name.startsWith("final.norm."));

/** Layout entries that write into the residual stream from inside a block. */
export function blockWrites(config: ModelConfig): string[] {
  return layoutTable(config)
    .filter(
      ({ scope, axes }) => scope === "layer" && axes.some(({ axis, side }) => axis === "residual" && side === "out"),
    )
    .map(({ name }) => name);
}

function namesOf(config: ModelConfig, test: (name: string) => boolean): string[] {
  return layoutTable(config)
    .map(({ name }) => name)
    .filter(test);
}

function multiplierRules(source: ModelConfig, target: ModelConfig): Record<keyof Multipliers, MultiplierRule> {
  const rule = (key: keyof Multipliers, absorbers: string[]): MultiplierRule => {
    const ratio = source.multipliers[key] / target.multipliers[key];
    return { ratio, absorbedBy: ratio === 1 ? [] : absorbers };
  };
  return {
    embedding: rule("embedding", ["embedding.weight"]),
    // The final norm, not the head: a tied head is the embedding as well, which must stay.
    logits: rule("logits", FINAL_NORM(source)),
    attention: rule(
      "attention",
      namesOf(source, (name) => name.startsWith("attention.query.")),
    ),
    residual: rule("residual", blockWrites(source)),
  };
}

/**
 * The final norm's output axis. Its channels follow the residual stream's. A tied head's read map is fixed by the
 * embedding (N = D_residual^T), so its carry map divides by the number of copies; an untied head splits its weights.
 */
function normedAxis(residual: AxisMap, tiedHead: boolean): AxisMap {
  const { normRule: _, ...map } = residual;
  if (!tiedHead) return map;
  const numCopies = new Array<number>(residual.sourceSize).fill(0);
  for (const row of residual.carry) for (const [s] of row) numCopies[s]!++;
  return {
    ...map,
    carry: residual.carry.map((row): SparseRow => row.map(([s, weight]) => [s, 1 / (weight * numCopies[s]!)])),
    read: residual.carry,
  };
}

function expectSameKind(source: ModelConfig, target: ModelConfig): void {
  const fixed = [
    ["family", source.family, target.family],
    // A tied head may become one of its own, which starts as a copy of the embedding; two matrices never become one.
    ["tiedHead", source.tiedHead, source.tiedHead || target.tiedHead],
    ["vocabSize", source.vocabSize, target.vocabSize],
    ["position.kind", source.position.kind, target.position.kind],
    ["position.base", source.position.base, target.position.base],
    ["position.scaleBase", source.position.scaleBase, target.position.scaleBase],
    ["position.gamma", source.position.gamma, target.position.gamma],
    ["gelu", source.gelu, target.gelu],
    ["parallelResidual", source.parallelResidual, target.parallelResidual],
    ["attentionBias", source.attentionBias, target.attentionBias],
    ["ffnBias", source.ffnBias, target.ffnBias],
    // A learned table has a row a position; rotary positions need none.
    ...(source.position.kind === "learned" ? [["seqLen", source.seqLen, target.seqLen] as const] : []),
  ] as const;
  for (const [field, before, after] of fixed) {
    if (before !== after) {
      throw new GrowthError(
        `growth target: ${field} is ${after}, expected ${before} as in the source. No operator changes it; keep it.`,
      );
    }
  }
}

const GROWING: readonly (readonly [Axis, keyof ModelConfig])[] = [
  ["residual", "residualDim"],
  ["ffn", "ffnDim"],
  ["kvHead", "numKvHeads"],
  ["group", "groupSize"],
  ["headSize", "headDim"],
  ["valueSize", "headDim"],
];

function expectAxes(source: ModelConfig, target: ModelConfig, axes: Partial<Record<Axis, AxisMap>>): void {
  for (const [axis, field] of GROWING) {
    const before = axisSize(source, axis);
    const after = axisSize(target, axis);
    if (after < before) {
      throw new GrowthError(
        `growth target: ${field} is ${after}, expected at least the source's ${before}. ` +
          "Growth never shrinks: choose a larger target.",
      );
    }
    if (after !== before && !axes[axis]) {
      throw new GrowthError(
        `growth target: ${field} goes from ${before} to ${after}, but axis ${axis} has no operator. ` +
          "Name an operator for it, or keep its size.",
      );
    }
  }
  for (const [axis, map] of Object.entries(axes) as [Axis, AxisMap][]) {
    const sizes = [axisSize(source, axis), axisSize(target, axis)];
    if (map.sourceSize !== sizes[0] || map.targetSize !== sizes[1]) {
      throw new GrowthError(
        `axis map ${axis}: sizes are ${map.sourceSize} -> ${map.targetSize}, expected ${sizes[0]} -> ${sizes[1]}. ` +
          "Build the map from the two configurations.",
      );
    }
  }
}

function expectLayers(source: ModelConfig, target: ModelConfig, layers: readonly LayerMap[]): void {
  if (target.numLayers < source.numLayers) {
    throw new GrowthError(
      `growth target: numLayers is ${target.numLayers}, expected at least the source's ${source.numLayers}. ` +
        "Growth never shrinks: choose a larger target.",
    );
  }
  if (layers.length !== target.numLayers) {
    throw new GrowthError(
      `growth target: numLayers is ${target.numLayers}, but the depth map has ${layers.length} layers. ` +
        "Name an operator for the axis group depth, or keep the number of layers.",
    );
  }
  for (const [i, { terms }] of layers.entries()) {
    const bad = terms.find(({ layer }) => !Number.isInteger(layer) || layer < 0 || layer >= source.numLayers);
    if (bad) {
      throw new GrowthError(
        `depth map: layer ${i} comes from source layer ${bad.layer}, expected 0 to ${source.numLayers - 1}. Correct it.`,
      );
    }
  }
}
