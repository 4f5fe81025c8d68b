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

}  // namespace ESPALIER_ISA
}  // namespace espalier
