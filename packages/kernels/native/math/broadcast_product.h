// broadcast_product.h -- out[i, :] (+)= sum over k of a(i, k) x[k, :], for tiles that fit in L1.
//
// Lanes run along the columns of x and out; a is read one number at a time and broadcast, at any two strides, so the
// same code multiplies by a matrix or by its transpose. A register tile of kTileRows x kVecs accumulators covers the
// latency of the multiply-add and needs one broadcast for kVecs of them. Sums run over k in order.
#pragma once
#include "simd/simd.h"

namespace espalier {
namespace ESPALIER_ISA {

// 16 accumulators of 32 vector registers with AVX-512, 12 of 16 elsewhere.
constexpr int kTileRows = kWidth == 16 ? 8 : 6;

struct Broadcast {
  const float* data;
  int64_t row_stride;   // from a(i, k) to a(i + 1, k)
  int64_t step_stride;  // from a(i, k) to a(i, k + 1)
};

template <int kRows, int kVecs>
ESPALIER_INLINE void product_tile(float* out, int64_t out_stride, Broadcast a, const float* x, int64_t x_stride,
                                  int64_t steps, bool accumulate, int64_t last_lanes) {
  vf sum[kRows][kVecs];
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 8
    for (int v = 0; v < kVecs; ++v) {
      const float* at = out + i * out_stride + v * kWidth;
      sum[i][v] = !accumulate ? zero() : v + 1 < kVecs ? load(at) : load_some(at, last_lanes);
    }
  }
  for (int64_t k = 0; k < steps; ++k) {
    vf row[kVecs];
#pragma GCC unroll 8
    for (int v = 0; v < kVecs; ++v) row[v] = load(x + k * x_stride + v * kWidth);
#pragma GCC unroll 8
    for (int i = 0; i < kRows; ++i) {
      const vf factor = splat(a.data[i * a.row_stride + k * a.step_stride]);
#pragma GCC unroll 8
      for (int v = 0; v < kVecs; ++v) sum[i][v] = fma(factor, row[v], sum[i][v]);
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 8
    for (int v = 0; v < kVecs; ++v) {
      float* at = out + i * out_stride + v * kWidth;
      if (v + 1 < kVecs) store(at, sum[i][v]);
      else store_some(at, sum[i][v], last_lanes);
    }
  }
}

template <int kRows>
struct Height {
  static constexpr int value = kRows;
};

// `rows` rows of kVecs vectors, of which the last has `last_lanes` lanes in out; x is read in whole vectors.
template <int kVecs>
ESPALIER_INLINE void broadcast_product(float* out, int64_t out_stride, Broadcast a, const float* x, int64_t x_stride,
                                       int64_t rows, int64_t steps, bool accumulate, int64_t last_lanes = kWidth) {
  const auto tile = [&](auto height) {
    product_tile<decltype(height)::value, kVecs>(out, out_stride, a, x, x_stride, steps, accumulate, last_lanes);
    out += decltype(height)::value * out_stride;
    a.data += decltype(height)::value * a.row_stride;
    rows -= decltype(height)::value;
  };
  while (rows >= kTileRows) tile(Height<kTileRows>{});
  if (rows >= 4) tile(Height<4>{});
  if (rows >= 2) tile(Height<2>{});
  if (rows >= 1) tile(Height<1>{});
}

}  // namespace ESPALIER_ISA
}  // namespace espalier
