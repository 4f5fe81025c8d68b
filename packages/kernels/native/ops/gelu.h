// gelu.h -- gelu: y = 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))).   geluGrad: dx = dy gelu'(x).
//   y, x, dy, dx: f32, one shape. y may alias x; dx may alias dy. Overwrites.
// See math/gelu.h for the form that is computed, and its source.
#pragma once
#include "executor/op.h"

namespace espalier {
namespace ESPALIER_ISA {
extern const OpKernel gelu_kernel;
extern const OpKernel gelu_grad_kernel;
}  // namespace ESPALIER_ISA
}  // namespace espalier
