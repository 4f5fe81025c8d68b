// gelu_erf.h -- GELU in its exact form, and its derivative.
//
//   gelu(x) = x Phi(x),   gelu'(x) = Phi(x) + x phi(x),   Phi, phi the normal distribution function and density
// The tail is Phi(-u) = exp(-u^2/2) t r(t), t = 1/(1 + 0.35 u), for u = |x|: a polynomial r of degree 10, fitted by us to
// least largest relative error over all u >= 0 (1.3e-8; 2.9e-7 as evaluated in single precision). It keeps relative
// accuracy where 1 + erf would cancel. See Hendrycks & Gimpel 2016, arXiv:1606.08415, section 2.
#pragma once
#include "math/vector.h"

namespace espalier {
namespace ESPALIER_ISA {

struct Normal {
  vf distribution, density;
};

ESPALIER_INLINE Normal normal(vf x) {
  constexpr float kLargest = 14.0f;  // exp(-98) is 0 in single precision
  constexpr float kInverseRootTwoPi = 0.398942280f;
  const vf u = min(splat(kLargest), abs(x));  // operands in the order that keeps a NaN
  const vf square = u * u;
  const vf rest = fma(u, u, zero() - square);  // what rounding cut off, where fma is one operation
  const vf e0 = exp(splat(-0.5f) * square);
  const vf e = fma(e0, splat(-0.5f) * rest, e0);
  const vf t = splat(1.0f) / fma(splat(0.35f), u, splat(1.0f));
  vf p = splat(1.931434140e-2f);
  p = fma(p, t, splat(-1.084574770e-1f));
  p = fma(p, t, splat(2.358887759e-1f));
  p = fma(p, t, splat(-2.259217035e-1f));
  p = fma(p, t, splat(6.957029387e-2f));
  p = fma(p, t, splat(-2.839561588e-2f));
  p = fma(p, t, splat(4.840289339e-2f));
  p = fma(p, t, splat(8.778654118e-2f));
  p = fma(p, t, splat(1.225529071e-1f));
  p = fma(p, t, splat(1.396292368e-1f));
  p = fma(p, t, splat(1.396298000e-1f));
  const vf tail = e * (p * t);
  return {select(x < zero(), tail, splat(1.0f) - tail), e * splat(kInverseRootTwoPi)};
}

ESPALIER_INLINE vf gelu_erf(vf x) { return x * normal(x).distribution; }

ESPALIER_INLINE vf gelu_erf_derivative(vf x) {
  const Normal n = normal(x);
  return fma(x, n.density, n.distribution);
}

}  // namespace ESPALIER_ISA
}  // namespace espalier
