/**
 * Growth as products of matrices, for devices that make the grown tensors where the old ones are: the same sums as
 * `applyGrowth` and `growMoments` with the policy `kept`, as data.
 */
import { parameters } from "@espalier/spec/model";
import { type EntrySides, fill, parameterRule, sourceName } from "./apply.ts";
import type { SideMap } from "./kronecker.ts";
import type { GrowthMap } from "./map.ts";
import { keptSides } from "./moments.ts";

/** `factor * R source C^T`, with R and C target x source matrices, row-major; an absent one is the identity. */
export interface GrowthTerm {
  /** Name of the source tensor. */
  from: string;
  factor: number;
  rows?: Float32Array;
  columns?: Float32Array;
  sourceRows: number;
  sourceColumns: number;
}

/** A tensor of the target: `W' = sum of the terms + fresh`. Without terms and `fresh` it is zero. */
export interface TensorGrowth {
  name: string;
  rows: number;
  columns: number;
  terms: readonly GrowthTerm[];
  /** F: what stands in new places, and noise where the map has some. */
  fresh?: Float32Array;
}

/** Dense matrices by side: every layer shares them. */
type Dense = Map<SideMap, Float32Array | undefined>;

/** The side as a matrix, with nothing in the rows of `isNew`: F alone stands there. */
function dense(cache: Dense, side: SideMap, isNew: Uint8Array): Float32Array | undefined {
  if (cache.has(side)) return cache.get(side);
  let matrix: Float32Array | undefined;
  if (!side.isIdentity || isNew.includes(1)) {
    matrix = new Float32Array(side.targetSize * side.sourceSize);
    for (let p = 0; p < side.targetSize; p++) {
      if (isNew[p] === 1) continue;
      for (let i = side.offsets[p]!; i < side.offsets[p + 1]!; i++) matrix[p * side.sourceSize + side.indices[i]!]! += side.weights[i]!;
    }
  }
  cache.set(side, matrix);
  return matrix;
}

function term(cache: Dense, from: string, factor: number, own: EntrySides, base: EntrySides): GrowthTerm {
  const rows = dense(cache, own.rows, base.rows.isNew);
  const columns = dense(cache, own.columns, base.columns.isNew);
  return {
    from,
    factor,
    ...(rows && { rows }),
    ...(columns && { columns }),
    sourceRows: own.rows.sourceSize,
    sourceColumns: own.columns.sourceSize,
  };
}

/** Every parameter of the target, in the layout's order; see `applyGrowth`. */
export function* parameterTerms(map: GrowthMap): Generator<TensorGrowth> {
  const ruleOf = parameterRule(map);
  const shrink = map.perturbation?.shrink ?? 1;
  const cache: Dense = new Map();
  for (const parameter of parameters(map.target)) {
    const { name, rows, columns } = parameter;
    const rule = ruleOf(parameter);
    if (!rule) {
      yield { name, rows, columns, terms: [] };
      continue;
    }
    const { terms, base } = rule;
    const hasFresh = !base || map.perturbation || base.rows.isNew.includes(1) || base.columns.isNew.includes(1);
    const fresh = hasFresh ? new Float32Array(rows * columns) : undefined;
    if (fresh) fill(fresh, parameter, map, base);
    yield {
      name,
      rows,
      columns,
      terms: terms.map(({ from, factor, sides }) => term(cache, from, factor * shrink, sides, base!)),
      ...(fresh && { fresh }),
    };
  }
}

/** Every moment of the target under the policy `kept`, first and second alike; see `growMoments`. */
export function* momentTerms(map: GrowthMap): Generator<TensorGrowth> {
  const sides = keptSides(map);
  const cache: Dense = new Map();
  for (const { name, entry, layer, rows, columns } of parameters(map.target)) {
    const from = layer === undefined ? undefined : map.layers[layer]!.keeps;
    const own = sides(entry);
    const carriesOn = { rows: { ...own.rows, isNew: new Uint8Array(own.rows.targetSize) }, columns: { ...own.columns, isNew: new Uint8Array(own.columns.targetSize) } };
    yield { name, rows, columns, terms: from === -1 ? [] : [term(cache, sourceName(entry, from, map.source), 1, own, carriesOn)] };
  }
}
