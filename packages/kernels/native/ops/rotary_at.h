// rotary_at.h -- rotary position embedding of rows at any positions; the angles are made once for all layers.
//
//   rotaryAngles: angles [R, 2, D/2]    positions i32 [R]    frequencies [D/2], optional
//     attributes numPairs (D/2), kind, side, base, scaleBase, gamma, centre: see rotary.h
//     angles[r] = scale cos(n w_i), then scale sin(n w_i), at n = positions[r]
//   rotaryAt: y, x [R, heads, D]    angles [R, 2, D/2]
//     y_i = x_i cos - x_j sin,  y_j = x_j cos + x_i sin,  j = i + D/2
// A row depends on its position alone. Nothing aliases. Overwrites.
#pragma once
#include "executor/op.h"

namespace espalier {
namespace ESPALIER_ISA {
extern const OpKernel rotary_angles_kernel;
extern const OpKernel rotary_at_kernel;
}  // namespace ESPALIER_ISA
}  // namespace espalier
