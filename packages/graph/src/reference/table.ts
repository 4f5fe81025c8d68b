import { adamw } from "./adamw.ts";
import { add } from "./add.ts";
import { addBias } from "./addBias.ts";
import { blend, blendGrad } from "./blend.ts";
import type { ReferenceOp } from "./call.ts";
import { cachedAttention } from "./cachedAttention.ts";
import { causalAttention, causalAttentionGrad } from "./causalAttention.ts";
import { columnSum } from "./columnSum.ts";
import { embedding, embeddingGrad } from "./embedding.ts";
import { gatherRows } from "./gatherRows.ts";
import { gelu, geluGrad } from "./gelu.ts";
import { geluErf, geluErfGrad } from "./geluErf.ts";
import { gradNorm } from "./gradNorm.ts";
import { layerNorm, layerNormGrad } from "./layerNorm.ts";
import { linearCrossEntropy, linearCrossEntropyGrad, linearCrossEntropyWithGrad } from "./linearCrossEntropy.ts";
import { matmul } from "./matmul.ts";
import { normParameterGrad } from "./normParameterGrad.ts";
import { addLayerNorm, addRmsNorm, layerNormGradAdd, rmsNormGradAdd } from "./residualNorm.ts";
import { rmsNorm, rmsNormGrad } from "./rmsNorm.ts";
import { rotary } from "./rotary.ts";
import { rotaryAngles, rotaryAt } from "./rotaryAt.ts";
import { scale } from "./scale.ts";
import { scaleColumns } from "./scaleColumns.ts";
import { swiglu, swigluGrad } from "./swiglu.ts";
import { writeRows } from "./writeRows.ts";

/** The plain form of every op of `opTable`: what fast executors are judged against. */
export const referenceTable: Readonly<Record<string, ReferenceOp>> = {
  embedding,
  embeddingGrad,
  matmul,
  addBias,
  columnSum,
  add,
  scale,
  scaleColumns,
  blend,
  blendGrad,
  gelu,
  geluGrad,
  geluErf,
  geluErfGrad,
  swiglu,
  swigluGrad,
  layerNorm,
  layerNormGrad,
  addLayerNorm,
  layerNormGradAdd,
  normParameterGrad,
  rmsNorm,
  rmsNormGrad,
  addRmsNorm,
  rmsNormGradAdd,
  rotary,
  causalAttention,
  causalAttentionGrad,
  linearCrossEntropy,
  linearCrossEntropyGrad,
  linearCrossEntropyWithGrad,
  gatherRows,
  writeRows,
  rotaryAngles,
  rotaryAt,
  cachedAttention,
  gradNorm,
  adamw,
};
