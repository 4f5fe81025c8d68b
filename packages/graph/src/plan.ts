import { ConfigError } from "@espalier/core";
import { RESHAPE } from "./ops/reshape.ts";
import { packBlocks } from "./packBlocks.ts";
import { liveNodes } from "./prune.ts";
import { ALIGNMENT, alignedBytes, assignStorage, tensorBytes, viewRoots } from "./storage.ts";
import type { GraphData, PlacedTensor, Program, TensorInfo } from "./types.ts";

export interface PlanOptions {
  /** Names of the marked outputs to compute. Default: all. */
  outputs?: readonly string[];
  /** Names of intermediates whose storage is not reused, so that they can be read after a run. */
  keep?: readonly string[];
}

/**
 * Fixes the place of every tensor. Liveness gives each intermediate the span from the instruction that writes it to
 * the last that reads it; spans that never overlap share bytes of one arena. Ops that the table allows to write over
 * an input that dies with them. Nodes that nothing reads are dropped, reshapes become views.
 *
 * @throws {ConfigError} for an unknown output or intermediate
 */
export function plan(graph: GraphData, { outputs, keep = [] }: PlanOptions = {}): Program {
  const byName = new Map(graph.tensors.map((tensor) => [tensor.name, tensor]));
  const marked = graph.tensors.filter(({ region }) => region === "output");
  const wanted = outputs ? outputs.map((name) => findOutput(byName, name)) : marked.map(({ id }) => id);
  const kept = keep.map((name) => findIntermediate(byName, name));

  const nodes = liveNodes(graph, new Set([...wanted, ...kept]));
  const instructions = nodes.filter(({ op }) => op !== RESHAPE);
  const rootOf = viewRoots(nodes);
  const storages = assignStorage({ graph, instructions, rootOf, outputs: wanted, kept });
  const blocks = [...new Set(storages.values())];
  const arenaBytes = packBlocks(blocks.filter(({ region }) => region === "arena"), ALIGNMENT);
  const outputBytes = placeInOrder(blocks.filter(({ region }) => region === "output"));

  // All declared runtime inputs stay, so that the host sets the same names whatever was pruned.
  const mentioned = new Set(nodes.flatMap(({ inputs, outputs: written }) => [...inputs, ...written]));
  const used = graph.tensors.filter(({ id, region }) => mentioned.has(id) || region === "runtime");
  const runtime = used
    .filter(({ region }) => region === "runtime")
    .map((tensor) => ({ id: tensor.id, bytes: alignedBytes(tensor), offset: 0 }));
  const runtimeBytes = placeInOrder(runtime);
  const places = new Map<number, { offset: number }>(storages);
  for (const place of runtime) places.set(place.id, place);

  const newId = new Map(used.map(({ id }, index) => [id, index]));
  const renumber = (ids: readonly number[]) => ids.map((id) => newId.get(id)!);
  return {
    tensors: used.map((tensor, id): PlacedTensor => {
      const root = rootOf(tensor.id);
      return {
        id,
        shape: [...tensor.shape],
        dtype: tensor.dtype,
        region: storages.get(root)?.region ?? tensor.region,
        name: tensor.name,
        offset: places.get(root)?.offset ?? 0,
        bytes: tensorBytes(tensor),
        ...(root === tensor.id ? {} : { viewOf: newId.get(root) }),
        ...(kept.includes(tensor.id) ? { kept: true } : {}),
      };
    }),
    instructions: instructions.map((node) => ({
      op: node.op,
      inputs: renumber(node.inputs),
      outputs: renumber(node.outputs),
      attributes: node.attributes,
    })),
    arenaBytes,
    runtimeBytes,
    outputBytes,
  };
}

function findOutput(byName: ReadonlyMap<string, TensorInfo>, name: string): number {
  const tensor = byName.get(name);
  if (tensor?.region === "output") return tensor.id;
  throw new ConfigError(
    `plan: outputs: found ${describe(name, tensor)}, expected a marked output. Mark it with graph.output(name, tensor).`,
  );
}

function findIntermediate(byName: ReadonlyMap<string, TensorInfo>, name: string): number {
  const tensor = byName.get(name);
  if (tensor?.region === "arena" || tensor?.region === "output") return tensor.id;
  throw new ConfigError(
    `plan: keep: found ${describe(name, tensor)}, expected an intermediate. Name it with graph.label(name, tensor).`,
  );
}

function describe(name: string, tensor: TensorInfo | undefined): string {
  return tensor ? `'${name}' of region ${tensor.region}` : `no tensor '${name}'`;
}

/** One behind the other: everything is alive at once. Returns the bytes of all. */
function placeInOrder(places: readonly { bytes: number; offset: number }[]): number {
  let offset = 0;
  for (const place of places) {
    place.offset = offset;
    offset += place.bytes;
  }
  return offset;
}

/**
 * Bytes that running programs on one executor, in turn, holds at once: the largest arena, the runtime inputs and outputs
 * of all, and every owned tensor that any of them names, once.
 */
export function peakBytes(...programs: readonly [Program, ...Program[]]): number {
  const owned = new Map<string, number>();
  let arena = 0;
  let io = 0;
  for (const { tensors, arenaBytes, runtimeBytes, outputBytes } of programs) {
    for (const { region, name, bytes } of tensors) if (region === "owned") owned.set(name, bytes);
    arena = Math.max(arena, arenaBytes);
    io += runtimeBytes + outputBytes;
  }
  return [...owned.values()].reduce((sum, bytes) => sum + bytes, arena + io);
}
