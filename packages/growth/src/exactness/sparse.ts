import type { AxisMap, SparseRow } from "../map.ts";

/** Weights of a map are sums of a few fractions: equal means to rounding in fp64. */
const ROUNDING = 1e-12;

export function isClose(a: number, b: number): boolean {
  return Math.abs(a - b) <= ROUNDING * Math.max(1, Math.abs(a), Math.abs(b));
}

/** The first source unit whose row of N D is not a row of the identity, with what stands there instead. */
export function firstNotRecovered({ sourceSize, carry, read }: AxisMap): string | undefined {
  const product = Array.from({ length: sourceSize }, () => new Map<number, number>());
  read.forEach((column, t) => {
    for (const [s, n] of column) {
      for (const [from, d] of carry[t]!) product[s]!.set(from, (product[s]!.get(from) ?? 0) + n * d);
    }
  });
  for (const [s, row] of product.entries()) {
    const diagonal = row.get(s) ?? 0;
    if (!isClose(diagonal, 1)) return `source unit ${s} is read back with weight ${diagonal}`;
    const other = [...row].find(([from, weight]) => from !== s && !isClose(weight, 0));
    if (other) return `source unit ${s} is read back mixed with ${other[1]} of unit ${other[0]}`;
  }
  return undefined;
}

/** The first target unit whose D row is neither empty nor a single 1. */
export function firstNotSelecting({ carry }: AxisMap): string | undefined {
  const t = carry.findIndex((row) => row.length > 1 || (row.length === 1 && row[0]![1] !== 1));
  if (t < 0) return undefined;
  return `target unit ${t} is ${carry[t]!.map(([s, weight]) => `${weight} of unit ${s}`).join(" + ")}`;
}

/** How often each source unit is carried. */
export function copyCounts({ sourceSize, carry }: AxisMap): number[] {
  const counts = new Array<number>(sourceSize).fill(0);
  for (const row of carry) for (const [s] of row) counts[s]!++;
  return counts;
}

/** The first target unit that reads from a source unit it does not carry. */
export function firstReadOutsideCarry({ carry, read }: Pick<AxisMap, "carry" | "read">): string | undefined {
  for (const [t, column] of read.entries()) {
    const stray = column.find(([s, weight]) => weight !== 0 && !carry[t]!.some(([from]) => from === s));
    if (stray) return `target unit ${t} is read as source unit ${stray[0]} but does not carry it`;
  }
  return undefined;
}

export function sameRow(a: SparseRow, b: SparseRow): boolean {
  return a.length === b.length && a.every(([s, weight], i) => b[i]![0] === s && isClose(b[i]![1], weight));
}
