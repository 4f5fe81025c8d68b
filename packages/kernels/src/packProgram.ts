import type { PlacedTensor, Program, Region } from "@espalier/graph";
import type { PackedProgram } from "./addon.ts";

const regionCodes = { arena: 0, owned: 1, runtime: 2, output: 3 } as const satisfies Record<Region, number>;
const dtypeCodes = { f32: 0, i32: 1 } as const;
const BF16 = 2;

/** The tensor that owns the storage: itself, or what it is a view of. */
export function storageOf(tensor: PlacedTensor, tensors: readonly PlacedTensor[]): PlacedTensor {
  return tensor.viewOf === undefined ? tensor : tensors[tensor.viewOf]!;
}

/**
 * Writes a program as the numbers and names that the addon unpacks. Tensors are numbered by position; those with an id in
 * `bf16` are stored in that format.
 */
export function packProgram(program: Program, bf16: ReadonlySet<number> = new Set()): PackedProgram {
  const { tensors, instructions, arenaBytes, runtimeBytes, outputBytes } = program;
  const position = new Map(tensors.map((tensor, index) => [tensor.id, index]));
  const positions = (ids: readonly number[]) => Float64Array.from(ids, (id) => position.get(id) ?? -1);
  return {
    tensors: Float64Array.from(
      tensors.flatMap((tensor) => {
        const { region, offset } = storageOf(tensor, tensors);
        return [bf16.has(tensor.id) ? BF16 : dtypeCodes[tensor.dtype], regionCodes[region], offset, tensor.shape.length, ...tensor.shape];
      }),
    ),
    instructions: instructions.map(({ op, inputs, outputs, attributes }) => ({
      op,
      attributeNames: Object.keys(attributes).join(","),
      attributes: Float64Array.from(Object.values(attributes)),
      inputs: positions(inputs),
      outputs: positions(outputs),
    })),
    sizes: Float64Array.of(arenaBytes, runtimeBytes, outputBytes),
  };
}
