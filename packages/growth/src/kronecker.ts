import type { Axis, LayoutAxis } from "@espalier/spec/model";
import { GrowthError } from "@espalier/core";
import type { AxisMap, SparseRow } from "./map.ts";

/**
 * One side of a matrix (its rows or its columns) as a sparse map from target to source positions: the Kronecker
 * product of the side's axis maps, compressed. Position p draws on entries `offsets[p]` to `offsets[p+1]`.
 */
export interface SideMap {
  sourceSize: number;
  targetSize: number;
  offsets: Int32Array;
  /** Source positions. */
  indices: Int32Array;
  weights: Float64Array;
  /** 1 where the position touches a unit that is not carried. */
  isNew: Uint8Array;
  /** 1 where one of those units' axes wants zero in this layout entry. */
  isZero: Uint8Array;
  /** 1 where every unit continues a source unit (no copy, nothing born in this growth). */
  isKept: Uint8Array;
  /** True when position p is exactly source position p, all along. */
  isIdentity: boolean;
}

type Axes = Partial<Record<Axis, AxisMap>>;

/**
 * @param entryName layout entry, for the axes' zero lists
 * @param axes      row-major axes of this side
 * @param sizes     source lengths of those axes
 */
export function sideMap(entryName: string, axes: readonly LayoutAxis[], sizes: readonly number[], maps: Axes): SideMap {
  if (axes.every(({ axis }) => maps[axis] === undefined)) return identitySide(sizes.reduce((a, b) => a * b, 1));
  return axes
    .map(({ axis, side }, i) => {
      const map = maps[axis];
      return map
        ? oneAxis(map, side === "in" ? map.read : map.carry, map.zero.includes(entryName))
        : identitySide(sizes[i]!);
    })
    .reduce(kronecker);
}

function identitySide(size: number): SideMap {
  return {
    sourceSize: size,
    targetSize: size,
    offsets: Int32Array.from({ length: size + 1 }, (_, i) => i),
    indices: Int32Array.from({ length: size }, (_, i) => i),
    weights: new Float64Array(size).fill(1),
    isNew: new Uint8Array(size),
    isZero: new Uint8Array(size),
    isKept: new Uint8Array(size).fill(1),
    isIdentity: true,
  };
}

function oneAxis(map: AxisMap, rows: readonly SparseRow[], zero: boolean): SideMap {
  const isNew = Uint8Array.from(map.kinds, (kind) => (kind === "carried" ? 0 : 1));
  return {
    sourceSize: map.sourceSize,
    targetSize: map.targetSize,
    ...compress(rows),
    isNew,
    isZero: zero ? isNew.slice() : new Uint8Array(map.targetSize),
    isKept: Uint8Array.from(map.keeps, (s) => (s >= 0 ? 1 : 0)),
    isIdentity: false,
  };
}

function compress(rows: readonly SparseRow[]): Pick<SideMap, "offsets" | "indices" | "weights"> {
  const offsets = new Int32Array(rows.length + 1);
  rows.forEach((row, p) => (offsets[p + 1] = offsets[p]! + row.length));
  const indices = new Int32Array(offsets.at(-1)!);
  const weights = new Float64Array(offsets.at(-1)!);
  rows.forEach((row, p) =>
    row.forEach(([s, weight], j) => {
      indices[offsets[p]! + j] = s;
      weights[offsets[p]! + j] = weight;
    }),
  );
  return { offsets, indices, weights };
}

/** Product of two sides; `a` varies slowest, as the leading axis does in row-major order. */
function kronecker(a: SideMap, b: SideMap): SideMap {
  if (a.isIdentity && b.isIdentity) return identitySide(a.sourceSize * b.sourceSize);
  const targetSize = a.targetSize * b.targetSize;
  const offsets = new Int32Array(targetSize + 1);
  const indices = new Int32Array(a.indices.length * b.indices.length);
  const weights = new Float64Array(indices.length);
  let end = 0;
  for (let p = 0; p < a.targetSize; p++) {
    for (let q = 0; q < b.targetSize; q++) {
      for (let i = a.offsets[p]!; i < a.offsets[p + 1]!; i++) {
        for (let j = b.offsets[q]!; j < b.offsets[q + 1]!; j++, end++) {
          indices[end] = a.indices[i]! * b.sourceSize + b.indices[j]!;
          weights[end] = a.weights[i]! * b.weights[j]!;
        }
      }
      offsets[p * b.targetSize + q + 1] = end;
    }
  }
  const pair = (x: Uint8Array, y: Uint8Array, rule: (x: number, y: number) => number) =>
    Uint8Array.from({ length: targetSize }, (_, t) => rule(x[Math.floor(t / b.targetSize)]!, y[t % b.targetSize]!));
  const either = (x: number, y: number) => x | y;
  return {
    sourceSize: a.sourceSize * b.sourceSize,
    targetSize,
    offsets,
    indices,
    weights,
    isNew: pair(a.isNew, b.isNew, either),
    isZero: pair(a.isZero, b.isZero, either),
    isKept: pair(a.isKept, b.isKept, (x, y) => x & y),
    isIdentity: false,
  };
}

/** Arrays that hold parameters or moments; results have the type of their source. */
export type FloatArray = Float32Array | Float64Array;

/** A new array of the same kind. */
export function likeArray<T extends FloatArray>(array: T, length: number): T {
  return (array instanceof Float64Array ? new Float64Array(length) : new Float32Array(length)) as T;
}

/**
 * Adds `factor * R source C^T` to `out`, with R and C the two sides as target x source matrices. Sums are in fp64.
 *
 * @param name   for the error message
 * @param source [rows.sourceSize, columns.sourceSize], row-major; unchanged
 * @param out    [rows.targetSize, columns.targetSize]
 */
export function accumulateMapped(
  name: string,
  out: FloatArray,
  source: FloatArray,
  rows: SideMap,
  columns: SideMap,
  factor: number,
): void {
  if (source.length !== rows.sourceSize * columns.sourceSize) {
    throw new GrowthError(
      `growth: source tensor ${name} has ${source.length} values, expected ${rows.sourceSize} x ${columns.sourceSize}. ` +
        "The tree must belong to the map's source configuration.",
    );
  }
  const numSource = columns.sourceSize;
  const numTarget = columns.targetSize;
  const mixed = new Float64Array(numSource);
  for (let r = 0; r < rows.targetSize; r++) {
    const begin = rows.offsets[r]!;
    const end = rows.offsets[r + 1]!;
    if (begin === end) continue;
    mixed.fill(0);
    for (let i = begin; i < end; i++) {
      const from = rows.indices[i]! * numSource;
      const weight = factor * rows.weights[i]!;
      for (let s = 0; s < numSource; s++) mixed[s]! += weight * source[from + s]!;
    }
    const to = r * numTarget;
    if (columns.isIdentity) {
      for (let c = 0; c < numTarget; c++) out[to + c]! += mixed[c]!;
      continue;
    }
    for (let c = 0; c < numTarget; c++) {
      let sum = 0;
      for (let j = columns.offsets[c]!; j < columns.offsets[c + 1]!; j++)
        sum += columns.weights[j]! * mixed[columns.indices[j]!]!;
      out[to + c]! += sum;
    }
  }
}
