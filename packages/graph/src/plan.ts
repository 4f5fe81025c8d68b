import { ConfigError } from "@espalier/core";
import { type Block, packBlocks } from "./packBlocks.ts";
import { RESHAPE } from "./ops/reshape.ts";
import { opDefinition } from "./ops/table.ts";
import { liveNodes } from "./prune.ts";
import { elements } from "./shapes.ts";
import { type GraphData, type GraphNode, type PlacedTensor, type Program, type TensorInfo, dtypeBytes } from "./types.ts";

/** Every tensor starts on a cache line, which is also the widest vector. */
export const ALIGNMENT = 64;

export interface PlanOptions {
  /** Names of the marked outputs to compute. Default: all. */
  outputs?: readonly string[];
  /** Names of intermediates whose storage is not reused, so that they can be read after a run. */
  keep?: readonly string[];
}

/** A tensor's storage while the program runs: instructions `first` to `last`, both included. */
interface Storage extends Block {
  /** Tensor ids that share it: views, and outputs written over a dying input. */
  region: "arena" | "output";
}

/**
 * Fixes the place of every tensor. Liveness gives each intermediate the span from the instruction that writes it to
 * the last that reads it; spans that never overlap share bytes of one arena. Ops that the table allows write over an
 * input that dies with them. Nodes that nothing reads are dropped, reshapes become views.
 *
 * @throws {ConfigError} for an unknown output or intermediate
 */
export function plan(graph: GraphData, { outputs, keep = [] }: PlanOptions = {}): Program {
  const byName = new Map(graph.tensors.map((tensor) => [tensor.name, tensor]));
  const wanted = (outputs ?? graph.tensors.filter(({ region }) => region === "output").map(({ name }) => name)).map(
    (name) => find(byName, name, "outputs", "output"),
  );
  const kept = keep.map((name) => find(byName, name, "keep", "arena"));
  const nodes = liveNodes(graph, new Set([...wanted, ...kept].map(({ id }) => id)));

  const viewRoot = resolveViews(nodes);
  const instructions = nodes.filter(({ op }) => op !== RESHAPE);
  const storages = new StorageTable(graph, instructions, viewRoot, wanted, kept);
  const arenaBytes = packBlocks(storages.list.filter(({ region }) => region === "arena"), ALIGNMENT);
  const outputBytes = placeInOrder(storages.list.filter(({ region }) => region === "output"));
  return assemble(graph, nodes, instructions, viewRoot, storages, kept, arenaBytes, outputBytes);
}

function find(
  byName: ReadonlyMap<string, TensorInfo>,
  name: string,
  option: "outputs" | "keep",
  region: TensorInfo["region"],
): TensorInfo {
  const tensor = byName.get(name);
  if (tensor?.region === region || (option === "keep" && tensor?.region === "output")) return tensor;
  const found = tensor ? `'${name}' of region ${tensor.region}` : `no tensor '${name}'`;
  const advice = option === "outputs" ? "Mark it with graph.output(name, tensor)." : "Name it with graph.label(name, tensor).";
  throw new ConfigError(`plan: ${option}: found ${found}, expected a tensor of region ${region}. ${advice}`);
}

/** For each reshaped tensor the tensor that it is a view of, through chains of reshapes. */
function resolveViews(nodes: readonly GraphNode[]): (id: number) => number {
  const roots = new Map<number, number>();
  for (const { op, inputs, outputs } of nodes) {
    if (op === RESHAPE) roots.set(outputs[0], roots.get(inputs[0]) ?? inputs[0]);
  }
  return (id) => roots.get(id) ?? id;
}

/** Bytes of a tensor, rounded up to the alignment. */
function alignedBytes({ shape, dtype }: TensorInfo): number {
  return Math.ceil((elements(shape) * dtypeBytes[dtype]) / ALIGNMENT) * ALIGNMENT;
}

/** The storages of all intermediates and outputs, with their spans; in-place outputs join their input's storage. */
class StorageTable {
  readonly list: Storage[] = [];
  readonly #of = new Map<number, Storage>();

  constructor(
    graph: GraphData,
    instructions: readonly GraphNode[],
    viewRoot: (id: number) => number,
    wanted: readonly TensorInfo[],
    kept: readonly TensorInfo[],
  ) {
    const end = instructions.length;
    const lastUse = new Map<number, number>();
    instructions.forEach(({ inputs }, index) => {
      for (const id of inputs) lastUse.set(viewRoot(id), index);
    });
    const isOutput = new Set(wanted.map(({ id }) => viewRoot(id)));
    for (const id of [...isOutput, ...kept.map(({ id }) => viewRoot(id))]) lastUse.set(id, end);

    instructions.forEach((node, index) => {
      for (const [position, id] of node.outputs.entries()) {
        const tensor = graph.tensors[id];
        if (tensor.region === "owned") continue;
        const last = lastUse.get(id) ?? index;
        const region = isOutput.has(id) ? "output" : "arena";
        const reused = region === "arena" ? this.#dyingInput(graph, node, position, index, viewRoot) : undefined;
        if (reused) {
          reused.last = last;
          this.#of.set(id, reused);
          continue;
        }
        const storage: Storage = { region, first: index, last, bytes: alignedBytes(tensor), offset: 0 };
        this.#of.set(id, storage);
        this.list.push(storage);
      }
    });
  }

  /** Where a root tensor lives. */
  of(root: number): Storage | undefined {
    return this.#of.get(root);
  }

  /** An input's storage that this output may take over: same size, read here for the last time, allowed by the op. */
  #dyingInput(
    graph: GraphData,
    node: GraphNode,
    position: number,
    index: number,
    viewRoot: (id: number) => number,
  ): Storage | undefined {
    for (const [output, input] of opDefinition(node.op).inPlace ?? []) {
      if (output !== position) continue;
      const storage = this.#of.get(viewRoot(node.inputs[input]));
      const bytes = alignedBytes(graph.tensors[node.outputs[position]]);
      if (storage?.region === "arena" && storage.last === index && storage.bytes === bytes) return storage;
    }
    return undefined;
  }
}

/** Outputs are all read after the run: one behind the other. */
function placeInOrder(blocks: readonly { bytes: number; offset: number }[]): number {
  let offset = 0;
  for (const block of blocks) {
    block.offset = offset;
    offset += block.bytes;
  }
  return offset;
}

/** Numbers the tensors that the program mentions from 0 and gives each its offset. */
function assemble(
  graph: GraphData,
  nodes: readonly GraphNode[],
  instructions: readonly GraphNode[],
  viewRoot: (id: number) => number,
  storages: StorageTable,
  kept: readonly TensorInfo[],
  arenaBytes: number,
  outputBytes: number,
): Program {
  const mentioned = new Set(nodes.flatMap(({ inputs, outputs }) => [...inputs, ...outputs]));
  // All declared runtime inputs stay, so that the host sets the same names whatever was pruned.
  const used = graph.tensors.filter(({ id, region }) => mentioned.has(id) || region === "runtime");
  const newId = new Map(used.map(({ id }, index) => [id, index]));
  const keptIds = new Set(kept.map(({ id }) => id));

  let runtimeBytes = 0;
  const tensors = used.map((tensor, id): PlacedTensor => {
    const root = viewRoot(tensor.id);
    const storage = storages.of(root);
    const placed: PlacedTensor = {
      id,
      shape: [...tensor.shape],
      dtype: tensor.dtype,
      region: storage?.region ?? tensor.region,
      name: tensor.name,
      offset: storage?.offset ?? 0,
      bytes: elements(tensor.shape) * dtypeBytes[tensor.dtype],
      ...(root === tensor.id ? {} : { viewOf: newId.get(root)! }),
      ...(keptIds.has(tensor.id) ? { kept: true } : {}),
    };
    if (tensor.region === "runtime") {
      placed.offset = runtimeBytes;
      runtimeBytes += alignedBytes(tensor);
    }
    return placed;
  });
  const renumber = (ids: readonly number[]) => ids.map((id) => newId.get(id)!);
  return {
    tensors,
    instructions: instructions.map(({ op, inputs, outputs, attributes }) => ({
      op,
      inputs: renumber(inputs),
      outputs: renumber(outputs),
      attributes,
    })),
    arenaBytes,
    runtimeBytes,
    outputBytes,
  };
}

/**
 * Bytes that running a program holds at once: arena, runtime inputs, outputs and every owned tensor that it names.
 */
export function peakBytes({ tensors, arenaBytes, runtimeBytes, outputBytes }: Program): number {
  const owned = tensors.filter(({ region }) => region === "owned");
  return owned.reduce((sum, { bytes }) => sum + bytes, arenaBytes + runtimeBytes + outputBytes);
}
