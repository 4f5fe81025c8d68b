// gelu.h -- GELU in its tanh form, and its derivative, for the op and for the matmul epilogue.
//
//   gelu(x) = 0.5 x (1 + tanh(u)) = x sigmoid(2u),   u = sqrt(2/pi) (x + 0.044715 x^3)
//   gelu'(x) = s + x s (1 - s) d(2u)/dx,             s = sigmoid(2u)
// The logistic form costs one exp and one division, and keeps relative accuracy where 1 + tanh(u) would cancel.
// See Hendrycks & Gimpel 2016, arXiv:1606.08415, section 2.
#pragma once
#include "math/vector.h"

namespace espalier {
namespace ESPALIER_ISA {

constexpr float kGeluLinear = 1.5957691216057308f;  // 2 sqrt(2/pi)
constexpr float kGeluCubic = 0.0713548163f;  // 0.044715 times that

ESPALIER_INLINE vf gelu(vf x) {
  const vf slope = fma(splat(kGeluCubic), x * x, splat(kGeluLinear));
  return x * sigmoid(x * slope).value;
}

ESPALIER_INLINE vf gelu_derivative(vf x) {
  const vf x2 = x * x;
  const Sigmoid s = sigmoid(x * fma(splat(kGeluCubic), x2, splat(kGeluLinear)));
  const vf slope = fma(splat(3.0f * kGeluCubic), x2, splat(kGeluLinear));
  return fma(x * s.value * s.complement, slope, s.value);
}

}  // namespace ESPALIER_ISA
}  // namespace espalier
