/**
 * Activations in bf16: which intermediates of a program can be stored with half the bytes, and where they then lie.
 *
 * Parameters, their gradients and moments (owned tensors) stay fp32, and so do statistics of norms and softmax: they are
 * not in the table. Kernels read and write either format, tensor by tensor, and compute in fp32.
 */
import { ALIGNMENT, type Block, packBlocks, type PlacedTensor, type Program } from "@espalier/graph";
import { storageOf } from "./packProgram.ts";

/** Inputs and outputs of each op that may be bf16 in memory, by position. */
export const bf16Positions: Readonly<Record<string, { inputs: readonly number[]; outputs: readonly number[] }>> = {
  embedding: { inputs: [], outputs: [0] },
  embeddingGrad: { inputs: [1], outputs: [] },
  matmul: { inputs: [0, 1, 2, 3, 4], outputs: [0, 1] },
  addBias: { inputs: [0], outputs: [0] },
  columnSum: { inputs: [0], outputs: [] },
  add: { inputs: [0, 1], outputs: [0] },
  scale: { inputs: [0], outputs: [0] },
  scaleColumns: { inputs: [0], outputs: [0] },
  blend: { inputs: [0, 1], outputs: [0] },
  blendGrad: { inputs: [0], outputs: [0, 1] },
  gelu: { inputs: [0], outputs: [0] },
  geluGrad: { inputs: [0, 1], outputs: [0] },
  geluErf: { inputs: [0], outputs: [0] },
  geluErfGrad: { inputs: [0, 1], outputs: [0] },
  swiglu: { inputs: [0, 1], outputs: [0] },
  swigluGrad: { inputs: [0, 1, 2], outputs: [0, 1] },
  layerNorm: { inputs: [0], outputs: [0] },
  layerNormGrad: { inputs: [0, 1], outputs: [0] },
  addLayerNorm: { inputs: [0, 1], outputs: [0, 3] },
  layerNormGradAdd: { inputs: [0, 1, 5], outputs: [0] },
  rmsNorm: { inputs: [0], outputs: [0] },
  rmsNormGrad: { inputs: [0, 1], outputs: [0] },
  addRmsNorm: { inputs: [0, 1], outputs: [0, 2] },
  rmsNormGradAdd: { inputs: [0, 1, 4], outputs: [0] },
  normParameterGrad: { inputs: [0, 1], outputs: [] },
  rotary: { inputs: [0], outputs: [0] },
  gatherRows: { inputs: [0], outputs: [0] },
  causalAttention: { inputs: [0, 1, 2], outputs: [0] },
  causalAttentionGrad: { inputs: [0, 1, 2, 3, 5], outputs: [0, 1, 2] },
  linearCrossEntropy: { inputs: [0], outputs: [] },
  linearCrossEntropyGrad: { inputs: [0], outputs: [0] },
  linearCrossEntropyWithGrad: { inputs: [0], outputs: [4] },
};

/** A program whose arena is planned anew, and the ids of the tensors that are bf16 in it. */
export interface Bf16Program {
  program: Program;
  bf16: ReadonlySet<number>;
}

/**
 * Stores every intermediate in bf16 that all ops which touch it allow: views share bytes with what they are of, and outputs
 * with the inputs they are written over, so these have one format together.
 */
export function storedInBf16(program: Program): Bf16Program {
  const { tensors, instructions } = program;
  const byId = new Map(tensors.map((tensor) => [tensor.id, tensor]));
  const leader = new Map<number, number>();
  const find = (id: number): number => {
    const next = leader.get(id);
    return next === undefined || next === id ? id : find(next);
  };
  const join = (a: number, b: number) => void (find(a) !== find(b) && leader.set(find(a), find(b)));
  for (const tensor of tensors) join(tensor.id, storageOf(tensor, tensors).id);

  const refused = new Set<number>();
  const spans = new Map<number, { first: number; last: number }>();
  const isArena = (id: number) => storageOf(byId.get(id)!, tensors).region === "arena";
  instructions.forEach(({ op, inputs, outputs }, index) => {
    for (const output of outputs.filter(isArena)) {
      for (const input of inputs.filter(isArena)) if (byId.get(input)!.offset === byId.get(output)!.offset) join(input, output);
    }
    const allowed = bf16Positions[op];
    const touch = (id: number, may: boolean) => {
      if (!may) refused.add(id);
      spans.set(id, { first: Math.min(spans.get(id)?.first ?? index, index), last: index });
    };
    inputs.forEach((id, position) => touch(id, allowed?.inputs.includes(position) ?? false));
    outputs.forEach((id, position) => touch(id, allowed?.outputs.includes(position) ?? false));
  });

  const groups = new Map<number, PlacedTensor[]>();
  for (const tensor of tensors.filter(({ id }) => isArena(id))) {
    groups.set(find(tensor.id), [...(groups.get(find(tensor.id)) ?? []), tensor]);
  }
  const bf16 = new Set<number>();
  const places = new Map<number, Block>();
  for (const [id, members] of groups) {
    const half = members.every((tensor) => tensor.dtype === "f32" && !tensor.kept && !refused.has(tensor.id));
    if (half) for (const tensor of members) bf16.add(tensor.id);
    const bytes = Math.max(...members.map((tensor) => (half ? tensor.bytes / 2 : tensor.bytes)));
    const used = members.flatMap((tensor) => spans.get(tensor.id) ?? []);
    const kept = members.some((tensor) => tensor.kept);
    places.set(id, {
      first: kept ? 0 : Math.min(...used.map(({ first }) => first)),
      last: kept ? instructions.length : Math.max(...used.map(({ last }) => last)),
      bytes: Math.ceil(bytes / ALIGNMENT) * ALIGNMENT,
      offset: 0,
    });
  }
  const arenaBytes = packBlocks([...places.values()], ALIGNMENT);
  const moved = tensors.map((tensor): PlacedTensor => {
    const place = places.get(find(tensor.id));
    if (!place) return tensor;
    return { ...tensor, offset: place.offset, bytes: bf16.has(tensor.id) ? tensor.bytes / 2 : tensor.bytes };
  });
  return { program: { ...program, tensors: moved, arenaBytes }, bf16 };
}

/** Numbers stored as bf16, as fp32. */
export function fromBf16(bits: Uint16Array): Float32Array {
  return new Float32Array(Uint32Array.from(bits, (half) => half << 16).buffer);
}

/** Rounded to bf16, nearest with ties to even; not-a-number stays one. */
export function toBf16(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(values.slice().buffer);
  return Uint16Array.from(bits, (word) => ((word & 0x7fffffff) > 0x7f800000 ? (word >>> 16) | 0x40 : (word + 0x7fff + ((word >>> 16) & 1)) >>> 16));
}
