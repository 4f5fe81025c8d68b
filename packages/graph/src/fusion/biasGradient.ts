import type { GraphNode } from "../types.ts";
import type { NodeList } from "./nodeList.ts";

/**
 * Joins the gradient of a bias, the column sums of `dy`, with the product of the weight's gradient that reads the same
 * `dy`: it is brought from memory once. The product has it as its first factor where weights are stored `[out, in]`, as
 * its second where they are `[in, out]`. Both must accumulate alike, and nothing in between may touch what either writes.
 */
export function fuseBiasGradients(list: NodeList): void {
  list.slots.forEach((sum, slot) => {
    if (sum?.op !== "columnSum") return;
    const [dy] = sum.inputs;
    const at = list.readers(dy).find((reader) => summedFactor(list.slots[reader]!, sum) !== 0 && nothingBetween(list, slot, reader));
    if (at === undefined) return;
    const product = list.slots[at]!;
    list.remove(slot);
    list.replace(at, {
      ...product,
      outputs: [...product.outputs, ...sum.outputs],
      attributes: { ...product.attributes, biasGrad: summedFactor(product, sum) },
    });
  });
}

/** 1 when a product can sum its first factor, 2 its second, 0 neither. */
function summedFactor({ op, inputs, outputs, attributes }: GraphNode, sum: GraphNode): 0 | 1 | 2 {
  if (op !== "matmul" || outputs.length !== 1 || attributes.accumulate !== sum.attributes.accumulate) return 0;
  const { transA, transB, alpha, bias, gelu, gate, residual, geluGrad = 0 } = attributes;
  if (transA !== 1 || transB !== 0 || alpha !== 1 || bias + gelu + gate + residual + geluGrad > 0) return 0;
  if (attributes.accumulate === 2 && inputs[inputs.length - 1] !== sum.inputs[1]) return 0;
  if (outputs[0] === sum.outputs[0]) return 0;
  return inputs[0] === sum.inputs[0] ? 1 : inputs[1] === sum.inputs[0] ? 2 : 0;
}

/** The sum moves to the product, which may stand before or behind it. */
function nothingBetween(list: NodeList, sum: number, product: number): boolean {
  const [first, last] = [Math.min(sum, product), Math.max(sum, product)];
  const { inputs, outputs } = list.slots[sum]!;
  return !list.touchedBetween(first, last, outputs, "reads or writes") && !list.touchedBetween(first, last, inputs, "writes");
}
