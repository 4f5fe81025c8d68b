export { Outputs, RuntimeInputs, outputLayout, runtimeLayout } from "./buffers.ts";
export { type DifferentiateOptions, differentiate } from "./differentiate.ts";
export { type FuseOptions, fuse } from "./fuse.ts";
export { Graph, type GraphOptions, type Tensor } from "./graph.ts";
export { type AdamwInputs, type AdamwOptions, type AdamwState, adamw } from "./ops/adamw.ts";
export { add } from "./ops/add.ts";
export { addBias } from "./ops/addBias.ts";
export { blend } from "./ops/blend.ts";
export { type CachedAttentionInputs, cachedAttention } from "./ops/cachedAttention.ts";
export { type AttentionOptions, causalAttention } from "./ops/causalAttention.ts";
export { columnSum } from "./ops/columnSum.ts";
export { type AccumulateMode, type GradientTarget, type OpDefinition } from "./ops/definition.ts";
export { type EmbeddingOptions, embedding } from "./ops/embedding.ts";
export { gatherRows } from "./ops/gatherRows.ts";
export { gelu } from "./ops/gelu.ts";
export { geluErf } from "./ops/geluErf.ts";
export { gradNorm } from "./ops/gradNorm.ts";
export { type NormOptions, layerNorm } from "./ops/layerNorm.ts";
export { type LinearCrossEntropy, type LinearCrossEntropyOptions, linearCrossEntropy } from "./ops/linearCrossEntropy.ts";
export { type MatmulOptions, matmul } from "./ops/matmul.ts";
export { reshape } from "./ops/reshape.ts";
export { rmsNorm } from "./ops/rmsNorm.ts";
export { type RotaryOptions, rotary } from "./ops/rotary.ts";
export { rotaryAngles, rotaryAt } from "./ops/rotaryAt.ts";
export { scale } from "./ops/scale.ts";
export { scaleColumns } from "./ops/scaleColumns.ts";
export { swiglu } from "./ops/swiglu.ts";
export { type RecordOptions, nodeBytes, nodeFlops, opTable, recordOp } from "./ops/table.ts";
export { writeRows } from "./ops/writeRows.ts";
export { type Block, packBlocks } from "./packBlocks.ts";
export { type PlanOptions, peakBytes, plan } from "./plan.ts";
export { profileByOp } from "./profile.ts";
export { type MemoryPlan, type WithinOptions, planWithin, recompute } from "./recompute.ts";
export { roundToBf16 } from "./reference/bf16.ts";
export {
  type ReferenceBuffer,
  type ReferenceExecutor,
  type ReferenceProgram,
  referenceExecutor,
} from "./reference/executor.ts";
export { type TensorType } from "./shapes.ts";
export { ALIGNMENT } from "./storage.ts";
export {
  type Attributes,
  type DType,
  type DeviceBuffer,
  type Executor,
  type GraphData,
  type GraphNode,
  type LoadedProgram,
  type OpProfile,
  type PlacedTensor,
  type Precision,
  type Program,
  type Region,
  type Segment,
  type TensorInfo,
  dtypeBytes,
  precisions,
} from "./types.ts";
