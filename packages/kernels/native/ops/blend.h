// blend.h -- blend: y = (1 - m) a + m b.   blendGrad: da = (1 - m) dy, db = m dy.
//   y, a, b, dy, da, db: f32, one shape   m [1], a runtime value without gradient
// y may alias a or b. da and db alias nothing. Overwrites.
#pragma once
#include "executor/op.h"

namespace espalier {
namespace ESPALIER_ISA {
extern const OpKernel blend_kernel;
extern const OpKernel blend_grad_kernel;
}  // namespace ESPALIER_ISA
}  // namespace espalier
