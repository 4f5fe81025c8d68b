import type { GraphNode } from "../types.ts";
import type { NodeList } from "./nodeList.ts";

const NORM_OF_SUM: Readonly<Record<string, string>> = { layerNorm: "addLayerNorm", rmsNorm: "addRmsNorm" };
const GRADIENT_AND_ADD: Readonly<Record<string, { op: string; position: number }>> = {
  layerNormGrad: { op: "layerNormGradAdd", position: 5 },
  rmsNormGrad: { op: "rmsNormGradAdd", position: 4 },
};

/**
 * Joins a sum with the norm right behind it, and a norm's gradient with the sum that adds it to the residual stream's:
 * one pass over the rows instead of two. Comes after the products took their residuals, which saves more: a product
 * has the value at hand, a norm must read it.
 *
 * @param visible  tensors that must stay as they are: outputs and kept intermediates
 */
export function fuseResidualNorms(list: NodeList, visible: ReadonlySet<number>): void {
  list.slots.forEach((node, slot) => {
    if (node?.op === "add") joinNorm(list, node, slot);
    else if (node && Object.hasOwn(GRADIENT_AND_ADD, node.op)) joinSum(list, node, slot, visible);
  });
}

/** Only the next op, so that no value is made earlier than before. */
function joinNorm(list: NodeList, sum: GraphNode, slot: number): void {
  const next = list.slots.findIndex((node, at) => at > slot && node !== undefined);
  const norm = list.slots[next];
  if (!norm || !Object.hasOwn(NORM_OF_SUM, norm.op) || norm.inputs.lastIndexOf(sum.outputs[0]) !== 0) return;
  list.remove(slot);
  list.replace(next, {
    op: NORM_OF_SUM[norm.op],
    inputs: [...sum.inputs, ...norm.inputs.slice(1)],
    outputs: [...norm.outputs, ...sum.outputs],
    attributes: norm.attributes,
  });
}

function joinSum(list: NodeList, gradient: GraphNode, slot: number, visible: ReadonlySet<number>): void {
  const [dx] = gradient.outputs;
  const readers = list.readers(dx);
  const [at] = readers;
  if (readers.length !== 1 || visible.has(dx) || list.slots[at]!.op !== "add") return;
  // The gradient moves down to the sum: what it reads must not change in between.
  if (list.touchedBetween(slot, at, gradient.inputs, "writes")) return;
  const { op, position } = GRADIENT_AND_ADD[gradient.op];
  const sum = list.slots[at]!;
  const residual = sum.inputs[0] === dx ? sum.inputs[1] : sum.inputs[0];
  list.remove(slot);
  list.replace(at, {
    op,
    inputs: gradient.inputs.toSpliced(position, 0, residual),
    outputs: sum.outputs,
    attributes: gradient.attributes,
  });
}
