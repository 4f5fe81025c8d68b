import { GrowthError } from "@espalier/core";
import { type LayoutEntry, parameters } from "@espalier/spec/model";
import { type EntrySides, type ParameterTree, entrySides, sourceName, sourceTensor } from "./apply.ts";
import { type FloatArray, type SideMap, accumulateMapped, likeArray } from "./kronecker.ts";
import type { GrowthMap } from "./map.ts";

/**
 * What happens to Adam's moments.
 * - `kept`: an entry that continues a source entry keeps its state, every other entry (copies included) starts at zero.
 *   The default: equal copies with equal states would stay equal for ever
 * - `contravariant`: as gradients transform: m' = N_out^T m D_in^T, and v' with squared weights. The square of a sum is
 *   not the sum of squares, so second moments are refused where an entry has more than one source
 * - `reset`: all zero
 */
export type MomentPolicy = "kept" | "contravariant" | "reset";

/**
 * Grows a tree of first or second moments.
 *
 * @param tree  moments of the source configuration, by parameter name; unchanged
 * @param order 1 for first moments (mean of g), 2 for second moments (mean of g^2)
 * @returns     moments of the target configuration
 * @throws {GrowthError} for `contravariant` when an entry has more than one source
 */
export function growMoments<T extends FloatArray>(
  map: GrowthMap,
  tree: ParameterTree<T>,
  { policy = "kept", order }: { policy?: MomentPolicy; order: 1 | 2 },
): Record<string, T> {
  if (policy === "contravariant" && order === 2) expectSingleSources(map);
  const sides = policy === "contravariant" ? gradientSides(map) : keptSides(map);
  const like = sourceTensor(tree, "embedding.weight");
  const grown: Record<string, T> = {};
  for (const { name, entry, layer, rows, columns } of parameters(map.target)) {
    const out = likeArray(like, rows * columns);
    grown[name] = out;
    const from = layer === undefined ? undefined : map.layers[layer]!.keeps;
    if (policy === "reset" || from === -1) continue; // a layer born in this growth has no state
    const values = sourceTensor(tree, sourceName(entry, from, map.source));
    const own = sides(entry);
    const factor = policy === "contravariant" ? gradientFactor(map, entry) : 1;
    const weights = policy === "contravariant" && order === 2 ? squared : (side: SideMap) => side;
    accumulateMapped(name, out, values, weights(own.rows), weights(own.columns), factor ** order);
  }
  return grown;
}

/**
 * The gradient that an exact map predicts for the target: `g' = N_out^T g D_in^T`, over the tensor's factor. Holds for
 * entries whose units are all carried, in layers that continue a source layer, when `proveExactness` says so.
 *
 * @param gradients of the source parameters, by name; unchanged
 */
export function carryGradients<T extends FloatArray>(map: GrowthMap, gradients: ParameterTree<T>): Record<string, T> {
  return growMoments(map, gradients, { policy: "contravariant", order: 1 });
}

function expectSingleSources({ axes }: GrowthMap): void {
  for (const [axis, { carry, read }] of Object.entries(axes)) {
    const mixed = read.findIndex((column, t) => column.length > 1 || carry[t]!.length > 1);
    if (mixed >= 0) {
      throw new GrowthError(
        `growth of moments: unit ${mixed} of axis ${axis} has several sources, expected one for contravariant second ` +
          "moments. Use the policy `kept` or `reset`.",
      );
    }
  }
}

/** Axis sides with D and N exchanged: rows that are written get N^T, columns that are read get D^T. */
function gradientSides(map: GrowthMap): (entry: LayoutEntry) => EntrySides {
  const exchanged = Object.fromEntries(
    Object.entries(map.axes).map(([axis, axisMap]) => [axis, { ...axisMap, carry: axisMap.read, read: axisMap.carry }]),
  );
  return entrySides(map.source, exchanged);
}

/** Identity on units that continue a source unit, nothing elsewhere. */
export function keptSides(map: GrowthMap): (entry: LayoutEntry) => EntrySides {
  const kept = Object.fromEntries(
    Object.entries(map.axes).map(([axis, axisMap]) => {
      const rows = axisMap.keeps.map((s) => (s >= 0 ? [[s, 1] as const] : []));
      return [axis, { ...axisMap, carry: rows, read: rows }];
    }),
  );
  return entrySides(map.source, kept);
}

/** A tensor multiplied by a factor has a gradient divided by it. */
function gradientFactor(map: GrowthMap, entry: LayoutEntry): number {
  return 1 / (map.factors[entry.name] ?? 1);
}

function squared(side: SideMap): SideMap {
  return { ...side, weights: side.weights.map((w) => w * w) };
}
