// scale.h -- scale: y = factor x.   scaleColumns: y = x * gate along the last axis.
//   y, x [..., N] f32   gate [N]   attribute factor (scale only)
// y may alias x. Gates are runtime values and have no gradient, so the backward of both is the op itself.
#pragma once
#include "executor/op.h"

namespace espalier {
namespace ESPALIER_ISA {
extern const OpKernel scale_kernel;
extern const OpKernel scale_columns_kernel;
}  // namespace ESPALIER_ISA
}  // namespace espalier
