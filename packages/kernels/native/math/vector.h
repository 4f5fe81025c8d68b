// vector.h -- exp, log and the logistic function of a vector, with results fixed per instruction set.
//
// Range reduction and polynomials are those of Cephes (S. Moshier, single precision, public domain); the largest
// relative error, over every seventh float of the used range on every path, is 8.4e-8 for exp and 8.2e-8 for log.
// Not a number stays not a number, so that a diverged run shows.
#pragma once
#include "simd/simd.h"

namespace espalier {
namespace ESPALIER_ISA {

constexpr float kMinusInfinity = -__builtin_inff();

// ln 2 in two parts; the first has 9 significant bits, so n * kLn2High is exact for every exponent n.
constexpr float kLn2High = 0.693359375f;
constexpr float kLn2Low = -2.12194440e-4f;

// Lane numbers 0, 1, ... as floats, plus `first`.
ESPALIER_INLINE vf lane_numbers(int64_t first) {
  static const float kNumbers[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  return load(kNumbers) + splat(static_cast<float>(first));
}

// `a` in the first `lanes` lanes, 0 in the others.
ESPALIER_INLINE vf keep_first(vf a, int64_t lanes) {
  return select(lane_numbers(0) < splat(static_cast<float>(lanes)), a, zero());
}

// exp(x - n ln 2) for the whole number n nearest to x / ln 2.
ESPALIER_INLINE vf exp_remainder(vf x, vf n) {
  const vf r = fma(n, splat(-kLn2Low), fma(n, splat(-kLn2High), x));  // |r| <= ln(2)/2
  vf p = splat(1.9875691500e-4f);
  p = fma(p, r, splat(1.3981999507e-3f));
  p = fma(p, r, splat(8.3334519073e-3f));
  p = fma(p, r, splat(4.1665795894e-2f));
  p = fma(p, r, splat(1.6666665459e-1f));
  p = fma(p, r, splat(5.0000001201e-1f));
  return fma(p, r * r, r) + splat(1.0f);
}

// exp(x); below -87.3, where results are no longer normal numbers, 0 or a subnormal; 2.4e38 above 88.37.
ESPALIER_INLINE vf exp(vf x) {
  constexpr float kLog2e = 1.44269504f, kHighest = 88.37626f;
#if defined(__AVX512F__)
  constexpr float kLowest = -105.0f;  // scaling rounds exp of it to 0
#else
  constexpr float kLowest = -87.33654f;
#endif
  const vf clamped = max(splat(kLowest), min(splat(kHighest), x));  // operands in the order that keeps a NaN in x
#if defined(__AVX512F__)
  const vf n = {_mm512_roundscale_ps((clamped * splat(kLog2e)).v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)};
  return {_mm512_scalef_ps(exp_remainder(clamped, n).v, n.v)};
#else
  const vi n = to_int(clamped * splat(kLog2e));
  const vf power = from_bits(shift_left<23>(n + splat_int(127)));
  return select(x < splat(kLowest), zero(), exp_remainder(clamped, to_float(n)) * power);
#endif
}

// Natural logarithm of positive normal numbers.
ESPALIER_INLINE vf log(vf x) {
  const vi pattern = bits(x);
  const vi exponent = shift_right<23>(pattern - splat_int(0x3f3504f3));  // sqrt(1/2) begins the range of the mantissa
  const vf f = from_bits(pattern - shift_left<23>(exponent)) - splat(1.0f);  // in [sqrt(1/2) - 1, sqrt(2) - 1)
  const vf e = to_float(exponent);
  const vf f2 = f * f;
  vf p = splat(7.0376836292e-2f);
  p = fma(p, f, splat(-1.1514610310e-1f));
  p = fma(p, f, splat(1.1676998740e-1f));
  p = fma(p, f, splat(-1.2420140846e-1f));
  p = fma(p, f, splat(1.4249322787e-1f));
  p = fma(p, f, splat(-1.6668057665e-1f));
  p = fma(p, f, splat(2.0000714765e-1f));
  p = fma(p, f, splat(-2.4999993993e-1f));
  p = fma(p, f, splat(3.3333331174e-1f));
  const vf low = fma(e, splat(kLn2Low), p * f * f2);
  const vf y = fma(e, splat(kLn2High), f + fma(f2, splat(-0.5f), low));
  return y + (x - x);  // NaN for NaN and infinity
}

// sigmoid(x) = 1 / (1 + exp(-x)) and its complement 1 - sigmoid(x), neither by cancellation.
struct Sigmoid {
  vf value, complement;
};
ESPALIER_INLINE Sigmoid sigmoid(vf x) {
  const vf e = exp(zero() - x);
  const vf value = splat(1.0f) / (splat(1.0f) + e);
  return {value, e * value};
}

}  // namespace ESPALIER_ISA
}  // namespace espalier
