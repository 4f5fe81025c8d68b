import { nodeBytes, nodeFlops } from "./ops/table.ts";
import type { OpProfile, Program } from "./types.ts";

/**
 * Timings of instructions summed by op, with the work that the op table states for them: what `LoadedProgram.profile`
 * answers.
 *
 * @param calls    of each instruction of the program, since it was loaded
 * @param seconds  all calls of each instruction together
 * @returns        one row an op, most seconds first
 */
export function profileByOp({ instructions, tensors }: Program, calls: ArrayLike<number>, seconds: ArrayLike<number>): OpProfile[] {
  const byOp = new Map<string, OpProfile>();
  instructions.forEach((node, i) => {
    const row = byOp.get(node.op) ?? { op: node.op, calls: 0, seconds: 0, flops: 0, bytes: 0 };
    row.calls += calls[i]!;
    row.seconds += seconds[i]!;
    row.flops += calls[i]! * nodeFlops(node, tensors);
    row.bytes += calls[i]! * nodeBytes(node, tensors);
    byOp.set(node.op, row);
  });
  return [...byOp.values()].sort((a, b) => b.seconds - a.seconds);
}
