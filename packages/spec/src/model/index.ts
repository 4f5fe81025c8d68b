export {
  type ModelConfig,
  type ModelFamily,
  type ModelKind,
  type ModelShape,
  type Multipliers,
  type PositionConfig,
  hasBias,
  modelConfig,
  modelConfigSchema,
  mupRatio,
  numHeads,
  parseModelConfig,
} from "./config.ts";
export { forwardFlopsPerToken, trainingFlopsPerToken } from "./flops.ts";
export {
  type Axis,
  type AxisSide,
  type GatePoint,
  type Init,
  type LayoutAxis,
  type LayoutEntry,
  type MupClass,
  type Parameter,
  axisSize,
  gatePoints,
  layoutTable,
  numMatmulParameters,
  numParameters,
  parameters,
} from "./layout.ts";
export { type Preset, preset, presets } from "./presets.ts";
