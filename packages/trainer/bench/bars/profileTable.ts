import type { OpProfile } from "@espalier/graph";

/** What `after` has more than `before`, two answers of the same programs. */
export function profileSince(after: readonly OpProfile[], before: readonly OpProfile[]): OpProfile[] {
  const sums = [joined(after), joined(before)] as const;
  return [...sums[0].values()].map(({ op, calls, seconds, flops, bytes }) => {
    const old = sums[1].get(op);
    return old ? { op, calls: calls - old.calls, seconds: seconds - old.seconds, flops: flops - old.flops, bytes: bytes - old.bytes } : { op, calls, seconds, flops, bytes };
  });
}

function joined(rows: readonly OpProfile[]): Map<string, OpProfile> {
  const byOp = new Map<string, OpProfile>();
  for (const row of rows) {
    const sum = byOp.get(row.op);
    byOp.set(row.op, !sum ? row : { op: row.op, calls: sum.calls + row.calls, seconds: sum.seconds + row.seconds, flops: sum.flops + row.flops, bytes: sum.bytes + row.bytes });
  }
  return byOp;
}

/**
 * Where the time of a step goes, a line an op: calls and milliseconds a step, share, and the rates that its work by the
 * op table gives. GFLOP/s count work done; GB/s count each operand once, so what stays in cache can exceed the memory's.
 *
 * @param rows   of one or several programs; rows of one op are joined
 * @param steps  that the timings cover
 */
export function profileTable(rows: readonly OpProfile[], steps: number): string {
  const sorted = [...joined(rows).values()].filter(({ calls }) => calls > 0).sort((a, b) => b.seconds - a.seconds);
  const total = sorted.reduce((sum, { seconds }) => sum + seconds, 0);
  const line = (...cells: string[]) => `  ${cells[0]!.padEnd(28)}${cells.slice(1).map((cell) => cell.padStart(10)).join("")}`;
  return [
    line("op", "calls", "ms", "share", "GFLOP/s", "GB/s", "us a call"),
    ...sorted.map(({ op, calls, seconds, flops, bytes }) =>
      line(op, (calls / steps).toFixed(0), ((1e3 * seconds) / steps).toFixed(3), `${((100 * seconds) / total).toFixed(1)} %`, (flops / seconds / 1e9).toFixed(1), (bytes / seconds / 1e9).toFixed(1), ((1e6 * seconds) / calls).toFixed(1)),
    ),
    line("all", "", ((1e3 * total) / steps).toFixed(3)),
  ].join("\n");
}
