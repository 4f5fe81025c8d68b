export { copies, corner } from "./axisMaps.ts";
export { type ParameterTree, type TensorGrower, applyGrowth, tensorGrower } from "./apply.ts";
export {
  type BirthEvent,
  type BirthRate,
  type Births,
  type EntryBirths,
  type GrowthEventOptions,
  type UnitBirths,
  birthTable,
  entryBirths,
  firstBirths,
  growBirths,
} from "./births.ts";
export { composeGrowth, fittedTarget } from "./compose.ts";
export { proveExactness } from "./exactness.ts";
export type { Exactness, Refusal, Verdict } from "./exactness/verdict.ts";
export { type Gate, gateValues, gates, rampValue } from "./gates.ts";
export { type GrowthParts, growthMap, keepLayers } from "./growthMap.ts";
export type { FloatArray } from "./kronecker.ts";
export type {
  AxisMap,
  GrowthMap,
  LayerMap,
  LayerTerm,
  MultiplierRule,
  NormRule,
  Perturbation,
  SparseRow,
  UnitKind,
} from "./map.ts";
export { type MomentPolicy, carryGradients, growMoments } from "./moments.ts";
export { type GrowthTerm, type TensorGrowth, momentTerms, parameterTerms } from "./terms.ts";
export type { AxisGroup, GrowthOperator, OperatorOptions } from "./operators/operator.ts";
export { operatorNamed, operators } from "./operators/table.ts";
