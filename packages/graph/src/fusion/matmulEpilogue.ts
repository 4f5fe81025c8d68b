import type { GraphNode } from "../types.ts";
import type { NodeList } from "./nodeList.ts";

/** The parts of an epilogue in the order in which the op applies them. Each may occur once; geluGrad comes first or not at all. */
const STAGES = { addBias: 1, gelu: 2, geluGrad: 2, scaleColumns: 3, add: 4 } as const satisfies Record<string, number>;
type EpilogueOp = keyof typeof STAGES;

interface Chain {
  /** Slots of the product and of the ops that follow it. */
  slots: number[];
  stage: number;
  /** The value so far. */
  current: number;
  /** The value before gelu, when others read it too: its backward does. */
  pre?: number;
  bias?: number;
  gate?: number;
  residual?: number;
  /** What the GELU was taken of whose gradient passes through. */
  geluOf?: number;
  hasGelu: boolean;
}

/**
 * Folds bias, gelu or its gradient, gate and residual addition into the product before them, in that order, as far as each
 * intermediate value is read by the next op alone. The value before gelu may have other, later readers: the fused op
 * saves it.
 *
 * @param visible  tensors that must stay as they are: outputs and kept intermediates
 */
export function fuseMatmulEpilogues(list: NodeList, visible: ReadonlySet<number>): void {
  list.slots.forEach((node, slot) => {
    if (node?.op !== "matmul" || node.attributes.accumulate !== 0 || hasEpilogue(node)) return;
    const chain: Chain = { slots: [slot], stage: 0, current: node.outputs[0], hasGelu: false };
    while (extend(list, chain, visible));
    if (chain.slots.length > 1) rewrite(list, node, chain);
  });
}

function hasEpilogue({ attributes: { bias, gelu, gate, residual, geluGrad = 0 } }: GraphNode): boolean {
  return bias + gelu + gate + residual + geluGrad > 0;
}

/** Takes the next op into the chain if it can. */
function extend(list: NodeList, chain: Chain, visible: ReadonlySet<number>): boolean {
  const { current } = chain;
  const readers = list.readers(current);
  const next = readers.find((slot) => isEpilogue(list.slots[slot]!, current, chain.stage));
  if (next === undefined) return false;
  const node = list.slots[next]!;
  const others = readers.filter((slot) => slot !== next);
  const needed = others.length > 0 || visible.has(current);
  if (needed && node.op !== "gelu") return false;

  // The fused op runs where the last of the chain ran: nothing may need its values, or change its inputs, before.
  const readersOfPre = chain.pre === undefined ? others : list.readers(chain.pre);
  if (readersOfPre.some((slot) => slot <= next && !chain.slots.includes(slot))) return false;
  const inputs = chain.slots.flatMap((slot) => list.slots[slot]!.inputs).filter((id) => !producedBy(list, chain, id));
  if (list.touchedBetween(chain.slots[0], next, inputs, "writes")) return false;

  const op = node.op as EpilogueOp;
  if (op === "addBias") chain.bias = node.inputs[1];
  if (op === "scaleColumns") chain.gate = node.inputs[1];
  if (op === "add") chain.residual = node.inputs[0] === current ? node.inputs[1] : node.inputs[0];
  if (op === "geluGrad") chain.geluOf = node.inputs[0];
  if (op === "gelu") {
    chain.hasGelu = true;
    if (needed) chain.pre = current;
  }
  chain.slots.push(next);
  chain.stage = STAGES[op];
  chain.current = node.outputs[0];
  return true;
}

function isEpilogue({ op, inputs }: GraphNode, current: number, stage: number): boolean {
  if (!Object.hasOwn(STAGES, op) || STAGES[op as EpilogueOp] <= stage) return false;
  if (op === "geluGrad") return stage === 0 && inputs[1] === current && inputs[0] !== current;
  return op === "add" ? inputs[0] !== inputs[1] : inputs[0] === current && inputs[1] !== current;
}

function producedBy(list: NodeList, chain: Chain, id: number): boolean {
  return chain.slots.some((slot) => list.slots[slot]!.outputs.includes(id));
}

function rewrite(list: NodeList, { inputs, attributes }: GraphNode, chain: Chain): void {
  const { bias, gate, residual, geluOf, pre, hasGelu, current, slots } = chain;
  const fused: GraphNode = {
    op: "matmul",
    inputs: [...inputs, ...[bias, gate, residual, geluOf].filter((id) => id !== undefined)],
    outputs: pre === undefined ? [current] : [current, pre],
    attributes: {
      ...attributes,
      bias: +(bias !== undefined),
      gelu: +hasGelu,
      gate: +(gate !== undefined),
      residual: +(residual !== undefined),
      savePre: +(pre !== undefined),
      ...(geluOf === undefined ? {} : { geluGrad: 1 }),
    },
  };
  for (const slot of slots) list.remove(slot);
  list.replace(slots[slots.length - 1], fused);
}
