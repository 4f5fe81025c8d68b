// norm_parameter_grad.h -- gradients of gain and bias of both norms.
//
//   inputs: dy, x [..., C], mean [R] (when hasMean), rstd [R], c [C] (when hasChannelWeights),
//           accumulateFlag i32 [1] (last, in mode 2)
//   outputs: dGain [C], dBias [C] (when hasMean)   attributes: accumulate, hasMean, hasChannelWeights
//   dGain = sum over rows of c xhat dy,  dBias = sum over rows of c dy,  xhat = (x - mean) rstd (mean 0 for rmsNorm)
// Nothing aliases. Overwrites or adds, by `accumulate` (docs/ops.md).
#pragma once
#include "executor/op.h"

namespace espalier {
namespace ESPALIER_ISA {
extern const OpKernel norm_parameter_grad_kernel;
}
}  // namespace espalier
