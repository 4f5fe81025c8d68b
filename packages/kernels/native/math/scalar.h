// scalar.h -- exp, log, sine and cosine of one double, for tables and per-row constants.
//
// The C library's versions differ between glibc, musl, macOS and Windows, and a digest must not depend on which one is
// there. Only +, -, *, / and bit patterns are used here, so the results are the same bits on every machine and path
// (the build switches contraction off). Errors are below 1e-15, far under the fp32 rounding that follows.
#pragma once
#include <cstdint>

namespace espalier {
namespace ESPALIER_ISA {

inline double double_from_bits(uint64_t bits) {
  double value;
  __builtin_memcpy(&value, &bits, sizeof value);
  return value;
}

inline uint64_t bits_of_double(double value) {
  uint64_t bits;
  __builtin_memcpy(&bits, &value, sizeof bits);
  return bits;
}

// Nearest integer, ties to even, for |x| < 2^51: adding 1.5 * 2^52 pushes the fraction out of the mantissa.
inline double round_to_even(double x) {
  constexpr double kShifter = 6755399441055744.0;
  return (x + kShifter) - kShifter;
}

// exp(x); 0 below -708, exp(709) above 709.
inline double exp_double(double x) {
  if (!(x >= -708.0)) return x != x ? x : 0.0;
  if (x > 709.0) x = 709.0;
  constexpr double kLog2e = 1.4426950408889634;
  constexpr double kLn2High = 6.93147180369123816490e-01;  // 33 bits: n * kLn2High is exact
  constexpr double kLn2Low = 1.90821492927058770002e-10;
  const double n = round_to_even(x * kLog2e);
  const double r = (x - n * kLn2High) - n * kLn2Low;  // |r| <= ln(2)/2
  double series = 1.0;
#pragma GCC unroll 16  // so that 1.0 / k is a constant
  for (int k = 14; k >= 1; --k) series = 1.0 + series * (r * (1.0 / k));  // next term: 0.35^15 / 15! = 1e-19
  const int64_t exponent = static_cast<int64_t>(n);
  // Two factors, since 2^1024 at the upper end has no double.
  const int64_t half = exponent / 2;
  return series * double_from_bits(static_cast<uint64_t>(half + 1023) << 52) *
         double_from_bits(static_cast<uint64_t>(exponent - half + 1023) << 52);
}

// Natural logarithm of a positive normal x.
inline double log_double(double x) {
  constexpr uint64_t kSqrtHalf = 0x3fe6a09e667f3bcdULL;
  const uint64_t bits = bits_of_double(x);
  const int64_t exponent = static_cast<int64_t>(bits - kSqrtHalf) >> 52;
  const double m = double_from_bits(bits - (static_cast<uint64_t>(exponent) << 52));  // in [sqrt(1/2), sqrt(2))
  const double s = (m - 1.0) / (m + 1.0);  // log m = 2 atanh s, |s| <= 0.1716
  const double s2 = s * s;
  double series = 0.0;
#pragma GCC unroll 16
  for (int k = 23; k >= 3; k -= 2) series = (series + 1.0 / k) * s2;  // next term: 0.1716^24 / 25 = 2e-20
  const double e = static_cast<double>(exponent);
  return e * 6.93147180369123816490e-01 + (2.0 * s * (1.0 + series) + e * 1.90821492927058770002e-10);
}

struct SinCos {
  double sin, cos;
};

// Sine and cosine of |x| <= 1.6e6 (n * kHalfPiHigh is exact for n < 2^20); absolute error below 2e-16 there.
inline SinCos sincos_double(double x) {
  constexpr double kTwoOverPi = 0.63661977236758134308;
  constexpr double kHalfPiHigh = 1.57079632673412561417e+00;  // 33 bits
  constexpr double kHalfPiMiddle = 6.07710050630396597660e-11;  // the next 33
  constexpr double kHalfPiLow = 2.02226624879595063154e-21;
  const double n = round_to_even(x * kTwoOverPi);
  const double r = ((x - n * kHalfPiHigh) - n * kHalfPiMiddle) - n * kHalfPiLow;  // |r| <= pi/4
  const double r2 = r * r;
  double s = 1.0, c = 1.0;  // Taylor in nested form; next terms: (pi/4)^19 / 19! = 8e-20
#pragma GCC unroll 16
  for (int k = 17; k >= 3; k -= 2) s = 1.0 - s * (r2 * (1.0 / (k * (k - 1))));
#pragma GCC unroll 16
  for (int k = 18; k >= 2; k -= 2) c = 1.0 - c * (r2 * (1.0 / (k * (k - 1))));
  s *= r;
  switch (static_cast<int64_t>(n) & 3) {
    case 0: return {s, c};
    case 1: return {c, -s};
    case 2: return {-s, -c};
    default: return {-c, s};
  }
}

}  // namespace ESPALIER_ISA
}  // namespace espalier
