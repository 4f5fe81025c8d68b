// rotary.h -- rotary position embedding, plain (RoPE) or with xPos decay, on half-split pairs (i, i + D/2).
//
//   y, x [B, T, heads, D], D even   frequencies [D/2], optional: radians per position, instead of base
//   attributes: kind (0 rope, 1 xpos), side (+1 query, -1 key), base, scaleBase, gamma, centre, inverse
//   angle = n base^(-2i/D) at position n;  scale = zeta_i^(side (n - centre) / scaleBase) for xpos, else 1,
//   zeta_i = (2i/D + gamma) / (1 + gamma)
//   y_i = scale (x_i cos - x_j sin),  y_j = scale (x_j cos + x_i sin),  j = i + D/2
//   inverse 1: the negative angle with the same scale, which is the backward of the op.
// y may alias x. Overwrites. Positions up to 2^20 radians are exact to fp32 rounding.
// Sources: Su et al. 2021, arXiv:2104.09864, equation 34; Sun et al. 2022, arXiv:2212.10554, algorithm 1.
#pragma once
#include "executor/op.h"

namespace espalier {
namespace ESPALIER_ISA {
extern const OpKernel rotary_kernel;
}
}  // namespace espalier
