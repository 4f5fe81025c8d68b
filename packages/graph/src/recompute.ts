import { ConfigError } from "@espalier/core";
import { fuse } from "./fuse.ts";
import { nodeFlops, opDefinition } from "./ops/table.ts";
import { RESHAPE } from "./ops/reshape.ts";
import { peakBytes, plan, type PlanOptions } from "./plan.ts";
import { liveNodes } from "./prune.ts";
import type { GraphData, GraphNode, Program, Segment, TensorInfo } from "./types.ts";

/**
 * A differentiated graph in which the backward pass computes segments again instead of reading what the forward pass
 * kept of them. What a segment hands to other parts of the forward pass, such as the residual stream between layers, is
 * kept; the rest is made again, by the same ops from the same values, right before its first reader. Gradients have the
 * same bits.
 *
 * @param names  of `graph.segments`
 * @throws {ConfigError} for an unknown name, a graph without a loss, or a segment that writes an owned tensor
 * @see Chen et al. 2016, arXiv:1604.06174
 */
export function recompute(graph: GraphData, names: readonly string[]): GraphData {
  const segments = names.map((name) => findSegment(graph, name));
  const lossIndex = graph.nodes.findIndex(({ op }) => op !== RESHAPE && opDefinition(op).lossGradient !== undefined);
  if (lossIndex < 0) throw new ConfigError("recompute: found a graph without a loss, expected a differentiated one. Call differentiate first.");
  const tensors: TensorInfo[] = [...graph.tensors];
  const copies = new Map<number, Copied>();
  for (const segment of segments) {
    const copied = new Copied(graph, segment, lossIndex);
    for (const id of copied.discarded) copies.set(id, copied);
  }
  const nodes: GraphNode[] = graph.nodes.slice(0, lossIndex + 1);
  for (const node of graph.nodes.slice(lossIndex + 1)) {
    const inputs = node.inputs.map((id) => {
      const copied = copies.get(id);
      if (!copied) return id;
      if (copied.newIds.size === 0) nodes.push(...copied.copy(tensors));
      return copied.newIds.get(id)!;
    });
    nodes.push({ ...node, inputs });
  }
  return { tensors, nodes };
}

function findSegment({ segments = [] }: GraphData, name: string): Segment {
  const segment = segments.find((each) => each.name === name);
  if (segment) return segment;
  const known = segments.map((each) => each.name).join(", ") || "none";
  throw new ConfigError(`recompute: found segment '${name}', expected one of ${known}. Mark it with graph.segment(name, trace).`);
}

/** One segment that is computed again. */
class Copied {
  /** Intermediates that the forward pass need not keep for the backward pass. */
  readonly discarded: ReadonlySet<number>;
  /** Their second copies, once made. */
  readonly newIds = new Map<number, number>();
  readonly #nodes: readonly GraphNode[];

  constructor(graph: GraphData, { name, first, end }: Segment, lossIndex: number) {
    this.#nodes = graph.nodes.slice(first, end);
    const made = new Set<number>();
    for (const { op, outputs } of this.#nodes) {
      for (const id of outputs) {
        if (graph.tensors[id].region === "owned") {
          throw new ConfigError(`recompute: segment '${name}': ${op} writes '${graph.tensors[id].name}' in place, expected a segment that only computes. Leave it out.`);
        }
        if (graph.tensors[id].region === "arena") made.add(id);
      }
    }
    graph.nodes.slice(0, lossIndex + 1).forEach(({ inputs }, index) => {
      if (index < first || index >= end) for (const id of inputs) made.delete(id);
    });
    this.discarded = made;
  }

  copy(tensors: TensorInfo[]): GraphNode[] {
    return this.#nodes.map((node) => ({
      ...node,
      inputs: node.inputs.map((id) => this.newIds.get(id) ?? id),
      outputs: node.outputs.map((id) => {
        const copy: TensorInfo = { shape: tensors[id].shape, dtype: tensors[id].dtype, id: tensors.length, region: "arena", name: `${tensors[id].name}.again` };
        tensors.push(copy);
        this.newIds.set(id, copy.id);
        return copy.id;
      }),
    }));
  }
}

export interface WithinOptions extends PlanOptions {
  limitBytes: number;
  /** Programs that run on the same executor in turn with this one: one arena serves all, owned tensors are there once. */
  beside?: readonly Program[];
  /** A program as its device stores it, see `Executor.stored`; all programs are counted so. Absent: as planned. */
  stored?: (program: Program) => Program;
}

export interface MemoryPlan {
  program: Program;
  /** Bytes held at once by this program and those beside it. */
  peakBytes: number;
  /** Names of the segments that are computed again. */
  recomputed: readonly string[];
  /** FLOPs of one run that computing them again adds. */
  extraFlops: number;
  /** Whether `peakBytes` is within the limit. When it is not, this is the plan of the fewest bytes. */
  fits: boolean;
}

/**
 * Fuses and plans a differentiated graph so that it fits into a number of bytes: the fewest segments, from the first on,
 * are computed again in the backward pass. The first are kept for longest, and when they are made again the later ones
 * are gone.
 */
export function planWithin(graph: GraphData, { limitBytes, beside = [], stored = (program) => program, ...options }: WithinOptions): MemoryPlan {
  const names = (graph.segments ?? []).map(({ name }) => name);
  const besideStored = beside.map(stored);
  let best: MemoryPlan | undefined;
  for (let count = 0; count <= names.length; count++) {
    const recomputed = names.slice(0, count);
    const rewritten = count === 0 ? graph : recompute(graph, recomputed);
    const program = plan(fuse(rewritten, { keep: options.keep }), options);
    const bytes = peakBytes(stored(program), ...besideStored);
    const fits = bytes <= limitBytes;
    if (!best || fits || bytes < best.peakBytes) best = { program, peakBytes: bytes, recomputed, extraFlops: liveFlops(rewritten) - liveFlops(graph), fits };
    if (fits) break;
  }
  return best!;
}

function liveFlops({ tensors, nodes }: GraphData): number {
  const outputs = new Set(tensors.filter(({ region }) => region === "output").map(({ id }) => id));
  return liveNodes({ tensors, nodes }, outputs).reduce((sum, node) => sum + nodeFlops(node, tensors), 0);
}
