// add_bias.h -- addBias: y = x + bias along the last axis.   columnSum, its backward: d = sum over rows of dy.
//   y, x, dy [..., N] f32   bias, d [N]
//   columnSum: attribute accumulate (docs/ops.md), with accumulateFlag i32 [1] as last input in mode 2
// y may alias x. d aliases nothing; it is overwritten or added to.
#pragma once
#include "executor/op.h"

namespace espalier {
namespace ESPALIER_ISA {
extern const OpKernel add_bias_kernel;
extern const OpKernel column_sum_kernel;
}  // namespace ESPALIER_ISA
}  // namespace espalier
