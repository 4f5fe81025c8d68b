import { ConfigError } from "@espalier/core";
import type { Tensor } from "../graph.ts";
import { elements } from "../shapes.ts";
import { type Attributes, type GraphNode, type TensorInfo, dtypeBytes } from "../types.ts";
import { adamwOp } from "./adamw.ts";
import { addOp } from "./add.ts";
import { addBiasOp } from "./addBias.ts";
import { blendGradOp, blendOp } from "./blend.ts";
import { cachedAttentionOp } from "./cachedAttention.ts";
import { causalAttentionGradOp, causalAttentionOp } from "./causalAttention.ts";
import { columnSumOp } from "./columnSum.ts";
import { type OpDefinition, record } from "./definition.ts";
import { embeddingGradOp, embeddingOp } from "./embedding.ts";
import { gatherRowsOp } from "./gatherRows.ts";
import { geluGradOp, geluOp } from "./gelu.ts";
import { geluErfGradOp, geluErfOp } from "./geluErf.ts";
import { gradNormOp } from "./gradNorm.ts";
import { addLayerNormOp, layerNormGradAddOp, layerNormGradOp, layerNormOp } from "./layerNorm.ts";
import { linearCrossEntropyGradOp, linearCrossEntropyOp, linearCrossEntropyWithGradOp } from "./linearCrossEntropy.ts";
import { matmulOp } from "./matmul.ts";
import { normParameterGradOp } from "./normParameterGrad.ts";
import { RESHAPE } from "./reshape.ts";
import { addRmsNormOp, rmsNormGradAddOp, rmsNormGradOp, rmsNormOp } from "./rmsNorm.ts";
import { rotaryOp } from "./rotary.ts";
import { rotaryAnglesOp, rotaryAtOp } from "./rotaryAt.ts";
import { scaleOp } from "./scale.ts";
import { scaleColumnsOp } from "./scaleColumns.ts";
import { swigluGradOp, swigluOp } from "./swiglu.ts";
import { writeRowsOp } from "./writeRows.ts";

/** Every op by name, in the order of docs/ops.md. Executors implement exactly these. */
export const opTable: Readonly<Record<string, OpDefinition>> = Object.fromEntries(
  [
    embeddingOp,
    embeddingGradOp,
    matmulOp,
    addBiasOp,
    columnSumOp,
    addOp,
    scaleOp,
    scaleColumnsOp,
    blendOp,
    blendGradOp,
    geluOp,
    geluGradOp,
    geluErfOp,
    geluErfGradOp,
    swigluOp,
    swigluGradOp,
    layerNormOp,
    layerNormGradOp,
    addLayerNormOp,
    layerNormGradAddOp,
    normParameterGradOp,
    rmsNormOp,
    rmsNormGradOp,
    addRmsNormOp,
    rmsNormGradAddOp,
    rotaryOp,
    causalAttentionOp,
    causalAttentionGradOp,
    linearCrossEntropyOp,
    linearCrossEntropyGradOp,
    linearCrossEntropyWithGradOp,
    gatherRowsOp,
    writeRowsOp,
    rotaryAnglesOp,
    rotaryAtOp,
    cachedAttentionOp,
    gradNormOp,
    adamwOp,
  ].map((definition) => [definition.name, definition]),
);

/** @throws {ConfigError} for a name that is not in the table */
export function opDefinition(name: string): OpDefinition {
  const definition = Object.hasOwn(opTable, name) ? opTable[name] : undefined;
  if (definition) return definition;
  throw new ConfigError(
    `opTable: found op '${name}', expected one of ${Object.keys(opTable).join(", ")}. Correct the name.`,
  );
}

export interface RecordOptions {
  attributes?: Attributes;
  /** Per output, an owned tensor to write in place of a fresh one. */
  into?: readonly (Tensor | undefined)[];
  /** Shapes of outputs that do not follow from the inputs (`embeddingGrad`: `[V, C]`). */
  outputShapes?: readonly (readonly number[])[];
}

/** Records any op by its name: for tests of executors, and for ops that have no face of their own. */
export function recordOp(
  name: string,
  inputs: readonly Tensor[],
  { attributes = {}, into = [], outputShapes }: RecordOptions = {},
): Tensor[] {
  const declared = outputShapes?.map((shape) => ({ shape, dtype: "f32" as const })) ?? into;
  return record(opDefinition(name), inputs, attributes, into, declared);
}

/**
 * FLOPs of one call of a node (multiply-add = 2; an exponential, tanh, root or division = 1). Masked attention scores
 * are not counted: this is work done, not the full-attention convention of model FLOPs.
 */
export function nodeFlops(node: GraphNode, tensors: readonly TensorInfo[]): number {
  if (node.op === RESHAPE) return 0;
  const types = (ids: readonly number[]) => ids.map((id) => tensors[id]);
  return opDefinition(node.op).flops(types(node.inputs), types(node.outputs), node.attributes);
}

/** Bytes that one call of a node must move at least: what it needs of its inputs read, what it changes written. */
export function nodeBytes(node: GraphNode, tensors: readonly TensorInfo[]): number {
  if (node.op === RESHAPE) return 0;
  const own = opDefinition(node.op).bytes;
  if (own) return own(node.inputs.map((id) => tensors[id]), node.outputs.map((id) => tensors[id]));
  let bytes = 0;
  for (const id of [...node.inputs, ...node.outputs]) {
    bytes += elements(tensors[id].shape) * dtypeBytes[tensors[id].dtype];
  }
  return bytes;
}
