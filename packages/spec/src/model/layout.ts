import { hasBias, type ModelConfig, type ModelKind, mupRatio } from "./config.ts";

/**
 * Named axes of parameters. `normed` is the output of the final norm, which a growth may carry differently from the
 * residual stream (that is how a tied head is compensated). `headSize` is the rotated query/key size, `valueSize` the
 * value size; both are `headDim` long in every family so far. `position` is the rows of a learned position table.
 */
export type Axis = "vocab" | "position" | "residual" | "normed" | "ffn" | "kvHead" | "group" | "headSize" | "valueSize";

/** Whether an axis of a tensor is written (`out`), read (`in`) or scaled elementwise where it stands (`at`). */
export type AxisSide = "out" | "in" | "at";

export interface LayoutAxis {
  axis: Axis;
  side: AxisSide;
}

export type Init =
  | { kind: "constant"; value: number }
  /** Normal; `std(config)` has muP and depth scaling inside. */
  | { kind: "normal"; std: (config: ModelConfig) => number };

/** muP class: which learning-rate and initialisation rule a parameter follows (Yang et al. 2022, arXiv:2203.03466). */
export type MupClass = "input" | "hidden" | "output" | "vector";

/** One row of a family's layout table. */
export interface LayoutEntry {
  /** Name inside its scope, e.g. `attention.query.weight`. */
  name: string;
  /** `layer` entries exist once a layer and are named `layers.<i>.<name>`. */
  scope: "model" | "layer";
  /** Storage order, row-major. Leading `out` axes are the rows, trailing `in` axes the columns of the matrix. */
  axes: readonly LayoutAxis[];
  /** The number of leading axes that form the rows of the matrix the kernels see. */
  numRowAxes: number;
  init: Init;
  /** In the weight-decay group of AdamW. */
  decay: boolean;
  mup: MupClass;
  /** A second use of the same block: the tied head reads the embedding as `[vocab out, normed in]`. */
  alsoUsedAs?: readonly LayoutAxis[];
}

/** Where a growth gate multiplies so that new units of an axis are silent at gate 0. */
export interface GatePoint {
  axis: Axis | "layer";
  place: "embeddingWrite" | "blockWrite" | "norm" | "finalNorm" | "queryKeyValue" | "ffnBeforeActivation" | "aroundBlock";
  why: string;
}

const out = (axis: Axis): LayoutAxis => ({ axis, side: "out" });
const into = (axis: Axis): LayoutAxis => ({ axis, side: "in" });
const at = (axis: Axis): LayoutAxis => ({ axis, side: "at" });

const zeros: Init = { kind: "constant", value: 0 };
const ones: Init = { kind: "constant", value: 1 };
const embeddingInit: Init = { kind: "normal", std: (c) => c.initStd };
const hiddenInit: Init = { kind: "normal", std: (c) => c.initStd / Math.sqrt(mupRatio(c)) };
/** Residual-writing projections: a further 1/sqrt(2L), as GPT-2 and FLM initialise them. */
const writeInit: Init = {
  kind: "normal",
  std: (c) => c.initStd / Math.sqrt(2 * Math.max(1, c.numLayers)) / Math.sqrt(mupRatio(c)),
};

const QUERY = [out("kvHead"), out("group"), out("headSize")];
const KEY = [out("kvHead"), out("headSize")];
const VALUE = [out("kvHead"), out("valueSize")];
const CONTEXT = [into("kvHead"), into("group"), into("valueSize")];

function matrix(name: string, rows: LayoutAxis[], columns: LayoutAxis[], init: Init): LayoutEntry {
  return { name, scope: "layer", axes: [...rows, ...columns], numRowAxes: rows.length, init, decay: true, mup: "hidden" };
}

function vector(name: string, axes: LayoutAxis[], init: Init, scope: LayoutEntry["scope"] = "layer"): LayoutEntry {
  return { name, scope, axes, numRowAxes: axes.length, init, decay: false, mup: "vector" };
}

/** With `bias`: the weight and its bias, in this order. */
function projection(name: string, rows: LayoutAxis[], columns: LayoutAxis[], init: Init, bias: boolean): LayoutEntry[] {
  const weight = matrix(`${name}.weight`, rows, columns, init);
  return bias ? [weight, vector(`${name}.bias`, rows, zeros)] : [weight];
}

function norm(name: string, axis: LayoutAxis[], bias: boolean, scope: LayoutEntry["scope"] = "layer"): LayoutEntry[] {
  const gain = vector(`${name}.gain`, axis, ones, scope);
  return bias ? [gain, vector(`${name}.bias`, axis, zeros, scope)] : [gain];
}

function table(kind: ModelKind): LayoutEntry[] {
  const { family, tiedHead } = kind;
  const layerNorm = family === "flm";
  const attentionBias = hasBias(kind, "attention");
  const ffnBias = hasBias(kind, "ffn");
  const headUse = [out("vocab"), into("normed")];
  const embedding: LayoutEntry = {
    name: "embedding.weight",
    scope: "model",
    axes: [into("vocab"), out("residual")],
    numRowAxes: 1,
    init: embeddingInit,
    decay: true,
    mup: "input",
    ...(tiedHead ? { alsoUsedAs: headUse } : {}),
  };
  const ffn =
    family === "flm"
      ? projection("ffn.up", [out("ffn")], [into("residual")], hiddenInit, ffnBias)
      : [
          ...projection("ffn.gate", [out("ffn")], [into("residual")], hiddenInit, ffnBias),
          ...projection("ffn.up", [out("ffn")], [into("residual")], hiddenInit, ffnBias),
        ];
  const positions: LayoutEntry = {
    name: "position.weight",
    scope: "model",
    axes: [into("position"), out("residual")],
    numRowAxes: 1,
    init: embeddingInit,
    decay: true,
    mup: "input",
  };
  return [
    embedding,
    ...(kind.position?.kind === "learned" ? [positions] : []),
    ...norm("attention.norm", [at("residual")], layerNorm),
    ...projection("attention.query", QUERY, [into("residual")], hiddenInit, attentionBias),
    ...projection("attention.key", KEY, [into("residual")], hiddenInit, attentionBias),
    ...projection("attention.value", VALUE, [into("residual")], hiddenInit, attentionBias),
    ...projection("attention.output", [out("residual")], CONTEXT, writeInit, attentionBias),
    ...norm("ffn.norm", [at("residual")], layerNorm),
    ...ffn,
    ...projection("ffn.down", [out("residual")], [into("ffn")], writeInit, ffnBias),
    ...norm("final.norm", [out("normed")], layerNorm, "model"),
    ...(tiedHead
      ? []
      : [
          {
            name: "head.weight",
            scope: "model",
            axes: headUse,
            numRowAxes: 1,
            init: embeddingInit,
            decay: true,
            mup: "output",
          } satisfies LayoutEntry,
        ]),
  ];
}

const tables = new Map<string, readonly LayoutEntry[]>();

/** The layout table of a configuration's family. */
export function layoutTable(config: ModelKind): readonly LayoutEntry[] {
  const { family, tiedHead, attentionBias, ffnBias, position } = config;
  const key = [family, tiedHead, attentionBias, ffnBias, position?.kind === "learned"].join();
  let found = tables.get(key);
  if (!found) tables.set(key, (found = table(config)));
  return found;
}

/** Gate points of both families (Masked Structural Growth, arXiv:2305.02869, in pre-norm form). */
export const gatePoints: readonly GatePoint[] = [
  { axis: "residual", place: "embeddingWrite", why: "new coordinates of the residual stream start at zero" },
  { axis: "residual", place: "blockWrite", why: "and stay there: every block write is masked" },
  { axis: "residual", place: "norm", why: "statistics over live channels only, so old channels see the old norm" },
  { axis: "normed", place: "finalNorm", why: "the head reads nothing from new channels" },
  { axis: "kvHead", place: "queryKeyValue", why: "after the bias: a new head's values are zero, so is its context" },
  { axis: "group", place: "queryKeyValue", why: "a new query head of an old group; its output columns are masked too" },
  { axis: "ffn", place: "ffnBeforeActivation", why: "after the bias; act(0) = 0" },
  { axis: "layer", place: "aroundBlock", why: "h <- (1 - m) h + m Block(h)" },
];

/** Length of an axis in a configuration. */
export function axisSize(config: ModelConfig, axis: Axis): number {
  switch (axis) {
    case "vocab":
      return config.vocabSize;
    case "position":
      return config.seqLen;
    case "residual":
    case "normed":
      return config.residualDim;
    case "ffn":
      return config.ffnDim;
    case "kvHead":
      return config.numKvHeads;
    case "group":
      return config.groupSize;
    case "headSize":
    case "valueSize":
      return config.headDim;
  }
}

/** One parameter of one model. */
export interface Parameter {
  /** `embedding.weight`, `layers.3.ffn.up.bias`, ... */
  name: string;
  entry: LayoutEntry;
  /** Absent for model scope. */
  layer?: number;
  /** Lengths in storage order. */
  shape: readonly number[];
  /** The matrix that kernels and the optimiser see: rows x columns (columns 1 for vectors). */
  rows: number;
  columns: number;
}

/** Every parameter of a configuration, in table order: model-scope rows in place, layer rows for each layer in turn. */
export function parameters(config: ModelConfig): Parameter[] {
  const entries = layoutTable(config);
  const firstLayerRow = entries.findIndex((entry) => entry.scope === "layer");
  const before = entries.slice(0, firstLayerRow);
  const layerRows = entries.filter((entry) => entry.scope === "layer");
  const after = entries.slice(firstLayerRow).filter((entry) => entry.scope === "model");

  const make = (entry: LayoutEntry, layer?: number): Parameter => {
    const shape = entry.axes.map(({ axis }) => axisSize(config, axis));
    const rows = shape.slice(0, entry.numRowAxes).reduce((a, b) => a * b, 1);
    const columns = shape.slice(entry.numRowAxes).reduce((a, b) => a * b, 1);
    const name = layer === undefined ? entry.name : `layers.${layer}.${entry.name}`;
    return { name, entry, ...(layer === undefined ? {} : { layer }), shape, rows, columns };
  };
  return [
    ...before.map((entry) => make(entry)),
    ...Array.from({ length: config.numLayers }, (_, layer) => layerRows.map((entry) => make(entry, layer))).flat(),
    ...after.map((entry) => make(entry)),
  ];
}

/** N: all parameters, each stored block once. */
export function numParameters(config: ModelConfig): number {
  return parameters(config).reduce((sum, { rows, columns }) => sum + rows * columns, 0);
}

/** Parameters inside matrix products of a forward pass; a tied embedding counts once, as the head. */
export function numMatmulParameters(config: ModelConfig): number {
  const head = config.vocabSize * config.residualDim;
  return parameters(config)
    .filter(({ entry }) => entry.scope === "layer" && entry.mup === "hidden")
    .reduce((sum, { rows, columns }) => sum + rows * columns, head);
}
