import type { Axis, ModelConfig, Multipliers } from "@espalier/spec/model";

/** One row of D or one column of N: the source units a target unit stands for, each with its weight. */
export type SparseRow = readonly (readonly [sourceUnit: number, weight: number])[];

/**
 * What a target unit holds right after growth.
 * - `carried`: `h'_t = sum_s D[t,s] h_s`
 * - `silent`: 0, because its gate is 0 or everything that writes it is 0; whoever reads it may have any weight
 * - `free`: any value; everything that reads it has weight 0
 */
export type UnitKind = "carried" | "silent" | "free";

/**
 * How norms over the axis keep their old output.
 * - `masked`: statistics over channels weighted by the gates (MSG); exact while gates are 0, plain norm when they are 1
 * - `fullCopies`: every source channel stands equally often in the target, so mean and variance are the old ones
 * - `rescaled`: RMSNorm with silent channels appended: gain times sqrt(C/C'), epsilon times C/C'
 * - `unchanged`: nothing is done; exact only when the axis does not grow
 */
export type NormRule = "masked" | "fullCopies" | "rescaled" | "unchanged";

/** The two linear maps of one grown axis and what stands in its new places. An axis without a map does not change. */
export interface AxisMap {
  sourceSize: number;
  targetSize: number;
  /** D, target x source, by target unit: `h' = D h`. Empty for units that are silent or free. */
  carry: readonly SparseRow[];
  /** N, source x target, by target unit (a column of N each): readers become `W N`. */
  read: readonly SparseRow[];
  kinds: readonly UnitKind[];
  /** The source unit that a target unit *is*; -1 for a unit born in this growth (a copy included). */
  keeps: readonly number[];
  /** New units are multiplied by a runtime gate that starts at 0. */
  gated: boolean;
  /** Layout entries whose new entries on this axis are 0; in all others they follow the layout table's initialisation. */
  zero: readonly string[];
  /** Stated by the residual axis. */
  normRule?: NormRule;
}

/** One source layer of a target layer, with its share. */
export interface LayerTerm {
  layer: number;
  weight: number;
  /** Axis maps of this term alone; they replace those of the whole map. */
  axes?: Partial<Record<Axis, AxisMap>>;
}

/** Where a target layer comes from. No terms: freshly initialised. */
export interface LayerMap {
  terms: readonly LayerTerm[];
  /** The source layer that this layer *is*; -1 for a layer born in this growth. */
  keeps: number;
  /** Everything the layer writes into the residual stream is 0: the block is the identity. */
  zeroOutputs: boolean;
  /** `h <- (1 - m) h + m Block(h)` with a gate m that starts at 0. */
  gated: boolean;
}

/** Old over new value of a configuration's multiplier and the layout entries whose factor makes up for it. */
export interface MultiplierRule {
  ratio: number;
  absorbedBy: readonly string[];
}

/**
 * Dense noise over all entries: `W' <- mu + shrink (W' - mu) + noise * std * normal`, mean and standard deviation from
 * the layout table's initialisation (a constant has no deviation, everything else no mean).
 */
export interface Perturbation {
  shrink: number;
  noise: number;
}

/**
 * A growth as data: for every tensor `W' = factor * sum_t weight_t D_t W_src(t) N_t + F`, where D and N are Kronecker
 * products of the maps of the tensor's axes and F fills entries that touch a new unit. Serialises to JSON as it is.
 */
export interface GrowthMap {
  format: "espalier-growth-1";
  source: ModelConfig;
  target: ModelConfig;
  axes: Partial<Record<Axis, AxisMap>>;
  /** One a target layer, in order of execution. */
  layers: readonly LayerMap[];
  multipliers: Record<keyof Multipliers, MultiplierRule>;
  /** Scalar of a layout entry beside its axis maps (multipliers and norm rules); absent means 1. */
  factors: Readonly<Record<string, number>>;
  perturbation?: Perturbation;
  /** Seed of F. */
  seed: number;
  /** Operator per axis group, for records. */
  operators: Readonly<Record<string, string>>;
}
