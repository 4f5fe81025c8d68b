import type { GraphNode } from "../types.ts";
import type { NodeList } from "./nodeList.ts";

/**
 * Joins `linearCrossEntropy` with its gradient, so that the logits are made once instead of twice.
 */
export function fuseCrossEntropy(list: NodeList): void {
  list.slots.forEach((loss, slot) => {
    if (loss?.op !== "linearCrossEntropy") return;
    const lse = loss.outputs[3];
    const gradSlot = list.readers(lse).find((reader) => isGradientOf(list.slots[reader]!, loss));
    if (gradSlot === undefined) return;
    const gradient = list.slots[gradSlot]!;
    // The gradient moves up to the loss: its target must not be used in between.
    if (list.touchedBetween(slot, gradSlot, gradient.outputs, "reads or writes")) return;
    const [flag] = gradient.inputs.slice(5);
    list.remove(gradSlot);
    list.replace(slot, {
      op: "linearCrossEntropyWithGrad",
      inputs: flag === undefined ? loss.inputs : [...loss.inputs, flag],
      outputs: [...loss.outputs, ...gradient.outputs],
      attributes: gradient.attributes,
    });
  });
}

function isGradientOf(node: GraphNode, loss: GraphNode): boolean {
  return (
    node.op === "linearCrossEntropyGrad" &&
    node.attributes.factor === loss.attributes.factor &&
    node.attributes.bf16 === loss.attributes.bf16 &&
    loss.inputs.every((id, i) => node.inputs[i] === id)
  );
}
