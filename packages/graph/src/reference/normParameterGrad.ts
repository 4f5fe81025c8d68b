import { type ReferenceOp, lastAxis, numRows, startGradient } from "./call.ts";
import { channelWeightsOf } from "./layerNorm.ts";

/** `dGain = sum over rows of c xhat dy`, and with a mean `dBias = sum over rows of c dy` */
export const normParameterGrad: ReferenceOp = (call) => {
  const { hasMean, hasChannelWeights } = call.attributes;
  const [dy, x] = call.inputs;
  const mean = hasMean ? call.inputs[2] : undefined;
  const rstd = call.inputs[2 + hasMean];
  const C = lastAxis(x);
  const { c } = channelWeightsOf(hasChannelWeights ? call.inputs[3 + hasMean] : undefined, C);
  const dGain = startGradient(call, call.outputs[0]);
  const dBias = hasMean ? startGradient(call, call.outputs[1]) : undefined;
  for (let r = 0; r < numRows(x); r++) {
    for (let i = 0; i < C; i++) {
      const xhat = (x.data[r * C + i] - (mean ? mean.data[r] : 0)) * rstd.data[r];
      dGain[i] += c[i] * xhat * dy.data[r * C + i];
      if (dBias) dBias[i] += c[i] * dy.data[r * C + i];
    }
  }
};
