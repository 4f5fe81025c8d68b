import type { Block } from "./packBlocks.ts";
import { RESHAPE } from "./ops/reshape.ts";
import { opDefinition } from "./ops/table.ts";
import { elements } from "./shapes.ts";
import { type GraphData, type GraphNode, type TensorInfo, dtypeBytes } from "./types.ts";

/** Every tensor starts on a cache line, which is also the widest vector. */
export const ALIGNMENT = 64;

/** Bytes that tensors share while the program runs: views, and outputs written over an input that dies there. */
export interface Storage extends Block {
  region: "arena" | "output";
}

/** Bytes of a tensor. */
export function tensorBytes({ shape, dtype }: TensorInfo): number {
  return elements(shape) * dtypeBytes[dtype];
}

/** Bytes of a tensor, rounded up to the alignment. */
export function alignedBytes(tensor: TensorInfo): number {
  return Math.ceil(tensorBytes(tensor) / ALIGNMENT) * ALIGNMENT;
}

/** For a reshaped tensor the tensor that it is a view of, through chains of reshapes; else the tensor itself. */
export function viewRoots(nodes: readonly GraphNode[]): (id: number) => number {
  const roots = new Map<number, number>();
  for (const { op, inputs, outputs } of nodes) {
    if (op === RESHAPE) roots.set(outputs[0], roots.get(inputs[0]) ?? inputs[0]);
  }
  return (id) => roots.get(id) ?? id;
}

export interface StorageOptions {
  graph: GraphData;
  /** Without reshapes. */
  instructions: readonly GraphNode[];
  rootOf: (id: number) => number;
  /** Tensors to be copied to the host after the run. */
  outputs: readonly number[];
  /** Intermediates to be readable after the run. */
  kept: readonly number[];
}

/**
 * The storage of every intermediate and output, by its root tensor. It lives from the instruction that writes it to
 * the last that reads it; outputs and kept tensors live to the end. An op that the table allows to takes over the
 * storage of an input of the same size that it is the last to read.
 */
export function assignStorage({ graph, instructions, rootOf, outputs, kept }: StorageOptions): Map<number, Storage> {
  const end = instructions.length;
  const isOutput = new Set(outputs.map(rootOf));
  const lastUse = new Map<number, number>();
  instructions.forEach(({ inputs }, index) => {
    for (const id of inputs) lastUse.set(rootOf(id), index);
  });
  for (const id of [...isOutput, ...kept.map(rootOf)]) lastUse.set(id, end);

  const storages = new Map<number, Storage>();
  const dyingInput = (node: GraphNode, output: number, index: number): Storage | undefined => {
    const bytes = alignedBytes(graph.tensors[node.outputs[output]]);
    for (const [written, read] of opDefinition(node.op).inPlace ?? []) {
      const storage = storages.get(rootOf(node.inputs[read]));
      const free = storage?.region === "arena" && storage.last === index && storage.bytes === bytes;
      if (written === output && free) return storage;
    }
    return undefined;
  };
  instructions.forEach((node, index) => {
    node.outputs.forEach((id, output) => {
      const tensor = graph.tensors[id];
      if (tensor.region === "owned") return;
      const last = lastUse.get(id) ?? index;
      const region = isOutput.has(id) ? "output" : "arena";
      const reused = region === "arena" ? dyingInput(node, output, index) : undefined;
      if (reused) reused.last = last;
      storages.set(id, reused ?? { region, first: index, last, bytes: alignedBytes(tensor), offset: 0 });
    });
  });
  return storages;
}
