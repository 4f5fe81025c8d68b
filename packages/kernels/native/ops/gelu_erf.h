// gelu_erf.h -- geluErf: y = x Phi(x), Phi the normal distribution function.   geluErfGrad: dx = dy (Phi(x) + x phi(x)).
//   y, x, dy, dx: f32, one shape. y may alias x; dx may alias dy. Overwrites.
// See math/gelu_erf.h for the form that is computed, and its source.
#pragma once
#include "executor/op.h"

namespace espalier {
namespace ESPALIER_ISA {
extern const OpKernel gelu_erf_kernel;
extern const OpKernel gelu_erf_grad_kernel;
}  // namespace ESPALIER_ISA
}  // namespace espalier
