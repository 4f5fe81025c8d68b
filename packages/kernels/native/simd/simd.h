// simd.h -- one thin vector of floats per instruction set; every kernel is written once on top of it.
//
//   portable  4 lanes, compiler vector extension (SSE2, NEON or scalar code); fma is a multiply, then an add
//   avx2      8 lanes, fused multiply-add
//   avx512   16 lanes, fused multiply-add, masks for tails
//   avx512bf16  the same, and sums of products of bf16 pairs
//
// A file in ops/ is compiled once per instruction set with -DESPALIER_ISA=portable|avx2|avx512|avx512bf16 and the
// matching -m flags, and puts everything it defines into `namespace espalier::ESPALIER_ISA`, headers included: an inline function
// outside of it would exist three times under one name, and the linker would keep any of them. For the same reason no
// templates of the standard library in ops/ (std::vector, std::function ...); <cstddef>, <cstdint>, <cstring> are fine.
//
// Reductions add in one fixed order (halves are folded until one lane is left), so the sum of a vector is the same
// bits on every call of one instruction path; different paths differ, which is why the path is part of a run's record.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__AVX512F__) || defined(__AVX2__)
#include <immintrin.h>
#endif

#ifndef ESPALIER_ISA
#error "compile with -DESPALIER_ISA=portable, avx2, avx512 or avx512bf16"
#endif

#define ESPALIER_INLINE inline __attribute__((always_inline))

namespace espalier {
namespace ESPALIER_ISA {

#if defined(__AVX512F__)

constexpr int kWidth = 16;
struct vf { __m512 v; };   // kWidth floats
struct vi { __m512i v; };  // kWidth 32-bit integers
struct vm { __mmask16 v; };  // kWidth booleans

ESPALIER_INLINE vf load(const float* p) { return {_mm512_loadu_ps(p)}; }
ESPALIER_INLINE vi load(const int32_t* p) { return {_mm512_loadu_si512(p)}; }
ESPALIER_INLINE void store(float* p, vf a) { _mm512_storeu_ps(p, a.v); }
ESPALIER_INLINE __mmask16 tail_mask(int64_t n) { return static_cast<__mmask16>((1u << n) - 1u); }
ESPALIER_INLINE vf load_tail(const float* p, int64_t n) { return {_mm512_maskz_loadu_ps(tail_mask(n), p)}; }
ESPALIER_INLINE vi load_tail(const int32_t* p, int64_t n) { return {_mm512_maskz_loadu_epi32(tail_mask(n), p)}; }
ESPALIER_INLINE void store_tail(float* p, vf a, int64_t n) { _mm512_mask_storeu_ps(p, tail_mask(n), a.v); }
ESPALIER_INLINE vf splat(float x) { return {_mm512_set1_ps(x)}; }
ESPALIER_INLINE vi splat_int(int32_t x) { return {_mm512_set1_epi32(x)}; }
ESPALIER_INLINE vf operator+(vf a, vf b) { return {_mm512_add_ps(a.v, b.v)}; }
ESPALIER_INLINE vf operator-(vf a, vf b) { return {_mm512_sub_ps(a.v, b.v)}; }
ESPALIER_INLINE vf operator*(vf a, vf b) { return {_mm512_mul_ps(a.v, b.v)}; }
ESPALIER_INLINE vf operator/(vf a, vf b) { return {_mm512_div_ps(a.v, b.v)}; }
ESPALIER_INLINE vf fma(vf a, vf b, vf c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }
ESPALIER_INLINE vf max(vf a, vf b) { return {_mm512_max_ps(a.v, b.v)}; }
ESPALIER_INLINE vf min(vf a, vf b) { return {_mm512_min_ps(a.v, b.v)}; }
ESPALIER_INLINE vf sqrt(vf a) { return {_mm512_sqrt_ps(a.v)}; }
ESPALIER_INLINE vi operator+(vi a, vi b) { return {_mm512_add_epi32(a.v, b.v)}; }
ESPALIER_INLINE vi operator-(vi a, vi b) { return {_mm512_sub_epi32(a.v, b.v)}; }
ESPALIER_INLINE vi operator&(vi a, vi b) { return {_mm512_and_si512(a.v, b.v)}; }
ESPALIER_INLINE vi operator|(vi a, vi b) { return {_mm512_or_si512(a.v, b.v)}; }
template <int count> ESPALIER_INLINE vi shift_left(vi a) { return {_mm512_slli_epi32(a.v, count)}; }
template <int count> ESPALIER_INLINE vi shift_right(vi a) { return {_mm512_srai_epi32(a.v, count)}; }
ESPALIER_INLINE vi max(vi a, vi b) { return {_mm512_max_epi32(a.v, b.v)}; }
ESPALIER_INLINE vi to_int(vf a) { return {_mm512_cvtps_epi32(a.v)}; }
ESPALIER_INLINE vf to_float(vi a) { return {_mm512_cvtepi32_ps(a.v)}; }
ESPALIER_INLINE vi bits(vf a) { return {_mm512_castps_si512(a.v)}; }
ESPALIER_INLINE vf from_bits(vi a) { return {_mm512_castsi512_ps(a.v)}; }
ESPALIER_INLINE vm operator<(vf a, vf b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_LT_OQ)}; }
ESPALIER_INLINE vf select(vm m, vf a, vf b) { return {_mm512_mask_blend_ps(m.v, b.v, a.v)}; }
ESPALIER_INLINE vf gather(const float* table, vi index) { return {_mm512_i32gather_ps(index.v, table, 4)}; }
// Lower and upper half of a vector; folding them is the first step of every reduction.
ESPALIER_INLINE __m256 lower(vf a) { return _mm512_castps512_ps256(a.v); }
ESPALIER_INLINE __m256 upper(vf a) { return _mm512_extractf32x8_ps(a.v, 1); }

#elif defined(__AVX2__)

constexpr int kWidth = 8;
struct vf { __m256 v; };
struct vi { __m256i v; };
struct vm { __m256 v; };

ESPALIER_INLINE __m256i tail_mask(int64_t n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int32_t>(n)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
ESPALIER_INLINE vf load(const float* p) { return {_mm256_loadu_ps(p)}; }
ESPALIER_INLINE vi load(const int32_t* p) { return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))}; }
ESPALIER_INLINE void store(float* p, vf a) { _mm256_storeu_ps(p, a.v); }
ESPALIER_INLINE vf load_tail(const float* p, int64_t n) { return {_mm256_maskload_ps(p, tail_mask(n))}; }
ESPALIER_INLINE vi load_tail(const int32_t* p, int64_t n) { return {_mm256_maskload_epi32(p, tail_mask(n))}; }
ESPALIER_INLINE void store_tail(float* p, vf a, int64_t n) { _mm256_maskstore_ps(p, tail_mask(n), a.v); }
ESPALIER_INLINE vf splat(float x) { return {_mm256_set1_ps(x)}; }
ESPALIER_INLINE vi splat_int(int32_t x) { return {_mm256_set1_epi32(x)}; }
ESPALIER_INLINE vf operator+(vf a, vf b) { return {_mm256_add_ps(a.v, b.v)}; }
ESPALIER_INLINE vf operator-(vf a, vf b) { return {_mm256_sub_ps(a.v, b.v)}; }
ESPALIER_INLINE vf operator*(vf a, vf b) { return {_mm256_mul_ps(a.v, b.v)}; }
ESPALIER_INLINE vf operator/(vf a, vf b) { return {_mm256_div_ps(a.v, b.v)}; }
ESPALIER_INLINE vf fma(vf a, vf b, vf c) { return {_mm256_fmadd_ps(a.v, b.v, c.v)}; }
ESPALIER_INLINE vf max(vf a, vf b) { return {_mm256_max_ps(a.v, b.v)}; }
ESPALIER_INLINE vf min(vf a, vf b) { return {_mm256_min_ps(a.v, b.v)}; }
ESPALIER_INLINE vf sqrt(vf a) { return {_mm256_sqrt_ps(a.v)}; }
ESPALIER_INLINE vi operator+(vi a, vi b) { return {_mm256_add_epi32(a.v, b.v)}; }
ESPALIER_INLINE vi operator-(vi a, vi b) { return {_mm256_sub_epi32(a.v, b.v)}; }
ESPALIER_INLINE vi operator&(vi a, vi b) { return {_mm256_and_si256(a.v, b.v)}; }
ESPALIER_INLINE vi operator|(vi a, vi b) { return {_mm256_or_si256(a.v, b.v)}; }
template <int count> ESPALIER_INLINE vi shift_left(vi a) { return {_mm256_slli_epi32(a.v, count)}; }
template <int count> ESPALIER_INLINE vi shift_right(vi a) { return {_mm256_srai_epi32(a.v, count)}; }
ESPALIER_INLINE vi max(vi a, vi b) { return {_mm256_max_epi32(a.v, b.v)}; }
ESPALIER_INLINE vi to_int(vf a) { return {_mm256_cvtps_epi32(a.v)}; }
ESPALIER_INLINE vf to_float(vi a) { return {_mm256_cvtepi32_ps(a.v)}; }
ESPALIER_INLINE vi bits(vf a) { return {_mm256_castps_si256(a.v)}; }
ESPALIER_INLINE vf from_bits(vi a) { return {_mm256_castsi256_ps(a.v)}; }
ESPALIER_INLINE vm operator<(vf a, vf b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_LT_OQ)}; }
ESPALIER_INLINE vf select(vm m, vf a, vf b) { return {_mm256_blendv_ps(b.v, a.v, m.v)}; }
ESPALIER_INLINE vf gather(const float* table, vi index) { return {_mm256_i32gather_ps(table, index.v, 4)}; }

#else

constexpr int kWidth = 4;
typedef float float4 __attribute__((vector_size(16)));
typedef int32_t int4 __attribute__((vector_size(16)));
struct vf { float4 v; };
struct vi { int4 v; };
struct vm { int4 v; };

ESPALIER_INLINE vf load(const float* p) { vf a; std::memcpy(&a.v, p, 16); return a; }
ESPALIER_INLINE vi load(const int32_t* p) { vi a; std::memcpy(&a.v, p, 16); return a; }
ESPALIER_INLINE void store(float* p, vf a) { std::memcpy(p, &a.v, 16); }
ESPALIER_INLINE vf load_tail(const float* p, int64_t n) {
  vf a{float4{0, 0, 0, 0}};
  for (int64_t i = 0; i < n; ++i) a.v[i] = p[i];
  return a;
}
ESPALIER_INLINE vi load_tail(const int32_t* p, int64_t n) {
  vi a{int4{0, 0, 0, 0}};
  for (int64_t i = 0; i < n; ++i) a.v[i] = p[i];
  return a;
}
ESPALIER_INLINE void store_tail(float* p, vf a, int64_t n) {
  for (int64_t i = 0; i < n; ++i) p[i] = a.v[i];
}
ESPALIER_INLINE vf splat(float x) { return {float4{x, x, x, x}}; }
ESPALIER_INLINE vi splat_int(int32_t x) { return {int4{x, x, x, x}}; }
ESPALIER_INLINE vf operator+(vf a, vf b) { return {a.v + b.v}; }
ESPALIER_INLINE vf operator-(vf a, vf b) { return {a.v - b.v}; }
ESPALIER_INLINE vf operator*(vf a, vf b) { return {a.v * b.v}; }
ESPALIER_INLINE vf operator/(vf a, vf b) { return {a.v / b.v}; }
ESPALIER_INLINE vf fma(vf a, vf b, vf c) { return {a.v * b.v + c.v}; }
ESPALIER_INLINE vi bits(vf a) { vi b; std::memcpy(&b.v, &a.v, 16); return b; }
ESPALIER_INLINE vf from_bits(vi a) { vf b; std::memcpy(&b.v, &a.v, 16); return b; }
ESPALIER_INLINE vm operator<(vf a, vf b) { return {a.v < b.v}; }
ESPALIER_INLINE vf select(vm m, vf a, vf b) { return from_bits({(bits(a).v & m.v) | (bits(b).v & ~m.v)}); }
// As the x86 instructions: the second operand when either is not a number.
ESPALIER_INLINE vf max(vf a, vf b) { return select(b < a, a, b); }
ESPALIER_INLINE vf min(vf a, vf b) { return select(a < b, a, b); }
ESPALIER_INLINE vf sqrt(vf a) {
  for (int i = 0; i < 4; ++i) a.v[i] = __builtin_sqrtf(a.v[i]);
  return a;
}
ESPALIER_INLINE vi operator+(vi a, vi b) { return {a.v + b.v}; }
ESPALIER_INLINE vi operator-(vi a, vi b) { return {a.v - b.v}; }
ESPALIER_INLINE vi operator&(vi a, vi b) { return {a.v & b.v}; }
ESPALIER_INLINE vi operator|(vi a, vi b) { return {a.v | b.v}; }
template <int count> ESPALIER_INLINE vi shift_left(vi a) { return {a.v << count}; }
template <int count> ESPALIER_INLINE vi shift_right(vi a) { return {a.v >> count}; }
ESPALIER_INLINE vi max(vi a, vi b) {
  const int4 m = a.v > b.v;
  return {(a.v & m) | (b.v & ~m)};
}
// Rounds to nearest, ties to even, for |a| < 2^22: adding 1.5 * 2^23 leaves the integer in the low bits.
ESPALIER_INLINE vi to_int(vf a) { return bits(a + splat(12582912.0f)) - splat_int(0x4b400000); }
ESPALIER_INLINE vf to_float(vi a) {
  vf b;
  for (int i = 0; i < 4; ++i) b.v[i] = static_cast<float>(a.v[i]);
  return b;
}
ESPALIER_INLINE vf gather(const float* table, vi index) {
  return {float4{table[index.v[0]], table[index.v[1]], table[index.v[2]], table[index.v[3]]}};
}

#endif

ESPALIER_INLINE vf zero() { return splat(0.0f); }
ESPALIER_INLINE vf& operator+=(vf& a, vf b) { return a = a + b; }
ESPALIER_INLINE vf abs(vf a) { return from_bits(bits(a) & splat_int(0x7fffffff)); }
// |magnitude| with the sign of `sign`.
ESPALIER_INLINE vf copy_sign(vf magnitude, vf sign) {
  return from_bits((bits(magnitude) & splat_int(0x7fffffff)) | (bits(sign) & splat_int(INT32_MIN)));
}

// bf16 is the upper half of an fp32 number: 8 bits of exponent, 7 of mantissa.
// Nearest bf16 of each lane, ties to even, as fp32; not a number stays so.
ESPALIER_INLINE vf round_to_bf16(vf a) {
  const vi pattern = bits(a);
  const vi last_kept = shift_right<16>(pattern) & splat_int(1);
  const vf rounded = from_bits((pattern + splat_int(0x7fff) + last_kept) & splat_int(static_cast<int32_t>(0xffff0000u)));
  return select(abs(a) < splat(__builtin_inff()), rounded, a);
}
#if defined(__AVX512BF16__)
constexpr bool kHasBf16Pairs = true;
// Lane i: bf16 of numbers 2 i (low half) and 2 i + 1 of the 32 numbers in `first` and `second`.
ESPALIER_INLINE vf pairs_along(vf first, vf second) { return {(__m512)_mm512_cvtne2ps_pbh(second.v, first.v)}; }
// Lane i: bf16 of even[i] (low half) and odd[i].
ESPALIER_INLINE vf pairs_across(vf even, vf odd) {
  alignas(64) static const int16_t kInterleaved[32] = {0, 16, 1, 17, 2,  18, 3,  19, 4,  20, 5,  21, 6,  22, 7,  23,
                                                       8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
  const __m512i halves = (__m512i)_mm512_cvtne2ps_pbh(odd.v, even.v);
  return {_mm512_castsi512_ps(_mm512_permutexvar_epi16(_mm512_load_si512(kInterleaved), halves))};
}
// sum[i] + x[i].low * y[i].low + x[i].high * y[i].high
ESPALIER_INLINE vf dot_pairs(vf x, vf y, vf sum) {
#if defined(__clang__) && __clang_major__ < 18
  // These compilers abort on the intrinsic where x is a broadcast number: they look for a broadcast of pairs to fold.
  __asm__("vdpbf16ps %2, %1, %0" : "+v"(sum.v) : "v"(x.v), "v"(y.v));
  return sum;
#else
  return {_mm512_dpbf16_ps(sum.v, (__m512bh)x.v, (__m512bh)y.v)};
#endif
}
#else
constexpr bool kHasBf16Pairs = false;
// Never called: code for pairs must compile on every path.
ESPALIER_INLINE vf pairs_along(vf first, vf) { return first; }
ESPALIER_INLINE vf pairs_across(vf even, vf) { return even; }
ESPALIER_INLINE vf dot_pairs(vf, vf, vf sum) { return sum; }
#endif

// Sum and maximum of all lanes: lane i meets lane i + width/2, then i + width/4, ..., always in this order.
#if defined(__AVX512F__) || defined(__AVX2__)
#if defined(__AVX512F__)
ESPALIER_INLINE float reduce_add(vf a) {
  const __m256 half = _mm256_add_ps(lower(a), upper(a));
#else
ESPALIER_INLINE float reduce_add(vf a) {
  const __m256 half = a.v;
#endif
  __m128 q = _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
  q = _mm_add_ps(q, _mm_movehl_ps(q, q));
  return _mm_cvtss_f32(_mm_add_ss(q, _mm_shuffle_ps(q, q, 1)));
}
#if defined(__AVX512F__)
ESPALIER_INLINE float reduce_max(vf a) {
  const __m256 half = _mm256_max_ps(lower(a), upper(a));
#else
ESPALIER_INLINE float reduce_max(vf a) {
  const __m256 half = a.v;
#endif
  __m128 q = _mm_max_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
  q = _mm_max_ps(q, _mm_movehl_ps(q, q));
  return _mm_cvtss_f32(_mm_max_ss(q, _mm_shuffle_ps(q, q, 1)));
}
#else
ESPALIER_INLINE float reduce_add(vf a) { return (a.v[0] + a.v[2]) + (a.v[1] + a.v[3]); }
ESPALIER_INLINE float reduce_max(vf a) {
  const float x = a.v[0] < a.v[2] ? a.v[2] : a.v[0];
  const float y = a.v[1] < a.v[3] ? a.v[3] : a.v[1];
  return x < y ? y : x;
}
#endif

// Calls body(offset, lanes) over [0, n): full vectors first, then one tail with lanes < kWidth. `body` is a lambda;
// load_some / store_some pick the plain or the masked access, so that kernels are written once.
template <class Body>
ESPALIER_INLINE void for_each_vector(int64_t n, Body body) {
  int64_t i = 0;
  for (; i + kWidth <= n; i += kWidth) body(i, static_cast<int64_t>(kWidth));
  if (i < n) body(i, n - i);
}
ESPALIER_INLINE vf load_some(const float* p, int64_t lanes) { return lanes == kWidth ? load(p) : load_tail(p, lanes); }
ESPALIER_INLINE void store_some(float* p, vf a, int64_t lanes) {
  if (lanes == kWidth) store(p, a);
  else store_tail(p, a, lanes);
}

}  // namespace ESPALIER_ISA
}  // namespace espalier
