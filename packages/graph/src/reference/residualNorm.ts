import { add } from "./add.ts";
import type { ReferenceOp, Values } from "./call.ts";
import { layerNorm, layerNormGrad } from "./layerNorm.ts";
import { rmsNorm, rmsNormGrad } from "./rmsNorm.ts";

/** `sum = a + b`, then the norm of it. */
const ofSum = (norm: ReferenceOp): ReferenceOp => ({ inputs: [a, b, ...rest], outputs, attributes }) => {
  const [sum] = outputs.slice(-1);
  add({ inputs: [a, b], outputs: [sum], attributes: {} });
  norm({ inputs: [sum, ...rest], outputs: outputs.slice(0, -1), attributes });
};

/** The norm's gradient, then `residual` (input `position`) added to it; dx may lie over residual. */
const plusResidual = (gradient: ReferenceOp, position: number): ReferenceOp => ({ inputs, outputs: [dx], attributes }) => {
  const behind: Values = { data: new Float64Array(dx.data.length), shape: dx.shape };
  gradient({ inputs: inputs.filter((_, i) => i !== position), outputs: [behind], attributes });
  add({ inputs: [inputs[position], behind], outputs: [dx], attributes: {} });
};

export const addLayerNorm = ofSum(layerNorm);
export const layerNormGradAdd = plusResidual(layerNormGrad, 5);
export const addRmsNorm = ofSum(rmsNorm);
export const rmsNormGradAdd = plusResidual(rmsNormGrad, 4);
