import { GrowthError, random } from "@espalier/core";
import {
  type Axis,
  type LayoutEntry,
  type ModelConfig,
  type Parameter,
  axisSize,
  parameters,
} from "@espalier/spec/model";
import { blockWrites } from "./growthMap.ts";
import { type FloatArray, type SideMap, accumulateMapped, likeArray, sideMap } from "./kronecker.ts";
import type { AxisMap, GrowthMap, LayerTerm } from "./map.ts";

/** Parameters, or moments, by parameter name (`embedding.weight`, `layers.3.ffn.up.bias`). Storage is row-major. */
export type ParameterTree<T extends FloatArray = Float32Array> = Readonly<Record<string, T>>;

/** Row and column maps of a layout entry, cached by entry: every layer shares them. */
export interface EntrySides {
  rows: SideMap;
  columns: SideMap;
}

/** Sides of layout entries under a set of axis maps, each built once. */
export function entrySides(
  source: ModelConfig,
  maps: Partial<Record<Axis, AxisMap>>,
): (entry: LayoutEntry) => EntrySides {
  const cache = new Map<string, EntrySides>();
  return (entry) => {
    let sides = cache.get(entry.name);
    if (!sides) {
      const build = (axes: LayoutEntry["axes"]) =>
        sideMap(
          entry.name,
          axes,
          axes.map(({ axis }) => axisSize(source, axis)),
          maps,
        );
      sides = {
        rows: build(entry.axes.slice(0, entry.numRowAxes)),
        columns: build(entry.axes.slice(entry.numRowAxes)),
      };
      cache.set(entry.name, sides);
    }
    return sides;
  };
}

/** Name of a layout entry in a layer of the source, or at model scope. A head that is untied now was the embedding. */
export function sourceName(entry: LayoutEntry, layer: number | undefined, { tiedHead }: Pick<ModelConfig, "tiedHead">): string {
  if (entry.name === "head.weight" && tiedHead) return "embedding.weight";
  return layer === undefined ? entry.name : `layers.${layer}.${entry.name}`;
}

/** @throws {GrowthError} when the tree has no such tensor */
export function sourceTensor<T extends FloatArray>(tree: ParameterTree<T>, name: string): T {
  const values = tree[name];
  if (values) return values;
  throw new GrowthError(
    `growth: the source tree has no ${name}, expected every parameter of the source. Load a complete checkpoint.`,
  );
}

/** Grows one parameter of the target at a time, for models that do not fit in memory. */
export interface TensorGrower {
  /** The source's parameters that a parameter of the target is made of; none for one that is new or zero. */
  sourcesOf(parameter: Parameter): readonly string[];
  /** @param out zeros, of the parameter's size; @throws {GrowthError} when a source is missing or of another size */
  grow<T extends FloatArray>(parameter: Parameter, sources: ParameterTree<T>, out: T): void;
}

/** One summand of a parameter of the target, `factor * D W_from N`. */
export interface RuleTerm {
  /** Name of the source's parameter. */
  from: string;
  factor: number;
  sides: EntrySides;
}

/** What a parameter of the target is made of: the terms, and F in the new places of `base`; without `base` it is all new. */
export interface ParameterRule {
  terms: readonly RuleTerm[];
  base: EntrySides | undefined;
}

/**
 * The rule of a growth, parameter by parameter: `W' = factor * sum_t weight_t D_t W_src(t) N_t + F`. Undefined for a
 * parameter of a block that writes nothing: it is zero.
 *
 * F: entries that touch a new unit follow the layout table's initialisation with the target's standard deviation, or
 * are 0 where the axis map says so; so are layers without a source. Values of F depend on (seed, name, position) only.
 */
export function parameterRule(map: GrowthMap): (parameter: Parameter) => ParameterRule | undefined {
  const writes = new Set(blockWrites(map.target));
  const sides = entrySides(map.source, map.axes);
  const ofTerm = new Map<LayerTerm["axes"], typeof sides>([[undefined, sides]]);
  const sidesOf = (axes: LayerTerm["axes"]) => {
    const own = ofTerm.get(axes) ?? entrySides(map.source, { ...map.axes, ...axes });
    ofTerm.set(axes, own);
    return own;
  };
  return ({ entry, layer }) => {
    if (layer !== undefined && map.layers[layer]!.zeroOutputs && writes.has(entry.name)) return undefined;
    const factor = map.factors[entry.name] ?? 1;
    const terms = termsOf(map, layer).map((term) => ({ from: sourceName(entry, term.layer, map.source), factor: factor * term.weight, sides: sidesOf(term.axes)(entry) }));
    return { terms, base: terms.length > 0 ? sides(entry) : undefined };
  };
}

/** A growth tensor by tensor, on the host; see `parameterRule`. */
export function tensorGrower(map: GrowthMap): TensorGrower {
  const ruleOf = parameterRule(map);
  return {
    sourcesOf: (parameter) => ruleOf(parameter)?.terms.map(({ from }) => from) ?? [],
    grow(parameter, sources, out) {
      const rule = ruleOf(parameter);
      if (!rule) return;
      for (const { from, factor, sides } of rule.terms) {
        accumulateMapped(from, out, sourceTensor(sources, from), sides.rows, sides.columns, factor);
      }
      fill(out, parameter, map, rule.base);
    },
  };
}

/**
 * Grows all parameters of a model in memory, as `tensorGrower` does.
 *
 * @param tree parameters of the source configuration, fp32 or fp64; unchanged
 * @returns    parameters of the target configuration, of the same array type
 * @throws {GrowthError} when a tensor is missing or does not have the source's size
 */
export function applyGrowth<T extends FloatArray>(map: GrowthMap, tree: ParameterTree<T>): Record<string, T> {
  const growth = tensorGrower(map);
  const like = sourceTensor(tree, "embedding.weight");
  return Object.fromEntries(
    parameters(map.target).map((parameter) => {
      const out = likeArray(like, parameter.rows * parameter.columns);
      growth.grow(parameter, tree, out);
      return [parameter.name, out];
    }),
  );
}

/** A layer term, or the one term of a tensor at model scope, which is in no layer. */
type SourceTerm = Omit<LayerTerm, "layer"> & { layer: number | undefined };

/** The source layers that a target layer is made of; at model scope the tensor itself. */
function termsOf(map: GrowthMap, layer: number | undefined): readonly SourceTerm[] {
  return layer === undefined ? [{ layer: undefined, weight: 1 }] : map.layers[layer]!.terms;
}

/** Adds F. Without sides the whole tensor is new. */
export function fill(
  out: FloatArray,
  { name, entry, rows, columns }: Parameter,
  map: GrowthMap,
  sides: EntrySides | undefined,
): void {
  const { init } = entry;
  const isConstant = init.kind === "constant";
  const scale = isConstant ? init.value : init.std(map.target);
  const draw = random(map.seed, "growth", name);
  const value = (i: number) => (isConstant ? scale : scale * draw.normal(i));
  for (let r = 0; r < rows; r++) {
    const rowNew = !sides || sides.rows.isNew[r] === 1;
    const rowZero = sides?.rows.isZero[r] === 1;
    for (let c = 0; c < columns; c++) {
      if (!rowNew && sides.columns.isNew[c] === 0) continue;
      out[r * columns + c] = rowZero || sides?.columns.isZero[c] === 1 ? 0 : value(r * columns + c);
    }
  }
  if (map.perturbation) perturb(out, map, name, isConstant ? { mean: scale, std: 0 } : { mean: 0, std: scale });
}

/** Shrinks towards the mean of the initialisation (0, or a constant such as a norm's gain) and adds noise of its size. */
function perturb(out: FloatArray, { perturbation, seed }: GrowthMap, name: string, { mean, std }: { mean: number; std: number }): void {
  const { shrink, noise } = perturbation!;
  const draw = random(seed, "growth", "perturbation", name);
  for (let i = 0; i < out.length; i++) out[i] = mean + shrink * (out[i]! - mean) + (std > 0 ? noise * std * draw.normal(i) : 0);
}
