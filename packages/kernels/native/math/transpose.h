// transpose.h -- small out-of-place transpositions, for tiles that are read along the other axis.
#pragma once
#include "simd/simd.h"

#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace espalier {
namespace ESPALIER_ISA {

// target[c * target_stride + r] = source[r * source_stride + c] for r < rows, c < cols.
inline void transpose(float* target, int64_t target_stride, const float* source, int64_t source_stride, int64_t rows,
                      int64_t cols) {
  int64_t r = 0;
#if defined(__SSE2__)
  for (; r + 4 <= rows; r += 4) {
    int64_t c = 0;
    for (; c + 4 <= cols; c += 4) {
      const float* from = source + r * source_stride + c;
      float* to = target + c * target_stride + r;
      __m128 a = _mm_loadu_ps(from), b = _mm_loadu_ps(from + source_stride);
      __m128 d = _mm_loadu_ps(from + 2 * source_stride), e = _mm_loadu_ps(from + 3 * source_stride);
      _MM_TRANSPOSE4_PS(a, b, d, e);
      _mm_storeu_ps(to, a);
      _mm_storeu_ps(to + target_stride, b);
      _mm_storeu_ps(to + 2 * target_stride, d);
      _mm_storeu_ps(to + 3 * target_stride, e);
    }
    for (; c < cols; ++c) {
      for (int64_t i = r; i < r + 4; ++i) target[c * target_stride + i] = source[i * source_stride + c];
    }
  }
#endif
  for (; r < rows; ++r) {
    for (int64_t c = 0; c < cols; ++c) target[c * target_stride + r] = source[r * source_stride + c];
  }
}

// Transposes kWidth rows of kWidth numbers in registers.
ESPALIER_INLINE void transpose_square(vf rows[kWidth]) {
#if defined(__AVX512F__)
  __m512 pairs[16], quads[16];
#pragma GCC unroll 8
  for (int i = 0; i < 16; i += 2) {
    pairs[i] = _mm512_unpacklo_ps(rows[i].v, rows[i + 1].v);
    pairs[i + 1] = _mm512_unpackhi_ps(rows[i].v, rows[i + 1].v);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 16; i += 4) {  // quads[i + j], 128-bit lane l: rows i to i + 3 of column 4 l + j
#pragma GCC unroll 2
    for (int j = 0; j < 2; ++j) {
      const __m512d low = _mm512_castps_pd(pairs[i + j]), high = _mm512_castps_pd(pairs[i + j + 2]);
      quads[i + 2 * j] = _mm512_castpd_ps(_mm512_unpacklo_pd(low, high));
      quads[i + 2 * j + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(low, high));
    }
  }
#pragma GCC unroll 4
  for (int j = 0; j < 4; ++j) {
    const __m512 a = _mm512_shuffle_f32x4(quads[j], quads[4 + j], 0x88), b = _mm512_shuffle_f32x4(quads[j], quads[4 + j], 0xdd);
    const __m512 c = _mm512_shuffle_f32x4(quads[8 + j], quads[12 + j], 0x88);
    const __m512 d = _mm512_shuffle_f32x4(quads[8 + j], quads[12 + j], 0xdd);
    rows[j].v = _mm512_shuffle_f32x4(a, c, 0x88);
    rows[4 + j].v = _mm512_shuffle_f32x4(b, d, 0x88);
    rows[8 + j].v = _mm512_shuffle_f32x4(a, c, 0xdd);
    rows[12 + j].v = _mm512_shuffle_f32x4(b, d, 0xdd);
  }
#elif defined(__AVX2__)
  __m256 pairs[8], quads[8];
#pragma GCC unroll 4
  for (int i = 0; i < 8; i += 2) {
    pairs[i] = _mm256_unpacklo_ps(rows[i].v, rows[i + 1].v);
    pairs[i + 1] = _mm256_unpackhi_ps(rows[i].v, rows[i + 1].v);
  }
#pragma GCC unroll 2
  for (int i = 0; i < 8; i += 4) {
#pragma GCC unroll 2
    for (int j = 0; j < 2; ++j) {
      const __m256d low = _mm256_castps_pd(pairs[i + j]), high = _mm256_castps_pd(pairs[i + j + 2]);
      quads[i + 2 * j] = _mm256_castpd_ps(_mm256_unpacklo_pd(low, high));
      quads[i + 2 * j + 1] = _mm256_castpd_ps(_mm256_unpackhi_pd(low, high));
    }
  }
#pragma GCC unroll 4
  for (int j = 0; j < 4; ++j) {
    rows[j].v = _mm256_permute2f128_ps(quads[j], quads[4 + j], 0x20);
    rows[4 + j].v = _mm256_permute2f128_ps(quads[j], quads[4 + j], 0x31);
  }
#else
  for (int i = 1; i < kWidth; ++i) {
    for (int j = 0; j < i; ++j) {
      const float upper = rows[j].v[i];
      rows[j].v[i] = rows[i].v[j];
      rows[i].v[j] = upper;
    }
  }
#endif
}

}  // namespace ESPALIER_ISA
}  // namespace espalier
