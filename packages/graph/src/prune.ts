import type { GraphData, GraphNode } from "./types.ts";

/**
 * The nodes that something reads: those that write an owned tensor or one of `roots`, and all that they depend on.
 */
export function liveNodes({ tensors, nodes }: GraphData, roots: ReadonlySet<number>): GraphNode[] {
  const needed = new Set(roots);
  const live: GraphNode[] = [];
  for (let i = nodes.length - 1; i >= 0; i--) {
    const node = nodes[i];
    if (!node.outputs.some((id) => needed.has(id) || tensors[id].region === "owned")) continue;
    for (const id of node.inputs) needed.add(id);
    live.push(node);
  }
  return live.reverse();
}
