import type { GraphNode } from "../types.ts";

/** Nodes under rewriting: slots keep their order, removed ones are empty, readers are looked up by tensor. */
export class NodeList {
  readonly slots: (GraphNode | undefined)[];
  readonly #readers = new Map<number, number[]>();

  constructor(nodes: readonly GraphNode[]) {
    this.slots = [...nodes];
    nodes.forEach(({ inputs }, slot) => this.#addReaders(inputs, slot));
  }

  /** Slots whose node reads a tensor, once for each time that it does. */
  readers(tensor: number): readonly number[] {
    return this.#readers.get(tensor) ?? [];
  }

  remove(slot: number): void {
    for (const id of this.slots[slot]!.inputs) {
      const readers = this.#readers.get(id)!;
      readers.splice(readers.indexOf(slot), 1);
    }
    this.slots[slot] = undefined;
  }

  /** Puts a node into a slot, in place of the one there. */
  replace(slot: number, node: GraphNode): void {
    if (this.slots[slot]) this.remove(slot);
    this.slots[slot] = node;
    this.#addReaders(node.inputs, slot);
  }

  /** Whether a node strictly between two slots touches a tensor as `role` says. */
  touchedBetween(first: number, last: number, tensors: readonly number[], role: "writes" | "reads or writes"): boolean {
    return this.slots.slice(first + 1, last).some((node) => {
      if (!node) return false;
      const touched = role === "writes" ? node.outputs : [...node.inputs, ...node.outputs];
      return touched.some((id) => tensors.includes(id));
    });
  }

  nodes(): GraphNode[] {
    return this.slots.filter((node) => node !== undefined);
  }

  #addReaders(inputs: readonly number[], slot: number): void {
    for (const id of inputs) {
      const readers = this.#readers.get(id);
      if (readers) readers.push(slot);
      else this.#readers.set(id, [slot]);
    }
  }
}
