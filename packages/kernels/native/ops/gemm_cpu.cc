// gemm_cpu.cc -- see gemm.h.
#include "ops/gemm.h"

#include "math/transpose.h"

namespace espalier {
namespace ESPALIER_ISA {

namespace {

// One register tile over one block of k: kRows rows, kVectors vectors, of which the last holds `last_lanes` columns.
template <int kRows, int kVectors>
void multiply_tile(float* c, int64_t c_stride, const float* a, const float* b, int64_t k, float alpha, bool add,
                   int64_t last_lanes) {
  vf sum[kRows][kVectors];
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 2
    for (int j = 0; j < kVectors; ++j) sum[i][j] = zero();
  }
  for (; k > 0; --k, a += kRows, b += kVectors * kWidth) {
    vf row[kVectors];
#pragma GCC unroll 2
    for (int j = 0; j < kVectors; ++j) row[j] = load(b + j * kWidth);
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) {
      const vf x = splat(a[i]);
#pragma GCC unroll 2
      for (int j = 0; j < kVectors; ++j) sum[i][j] = fma(x, row[j], sum[i][j]);
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 2
    for (int j = 0; j < kVectors; ++j) {
      float* to = c + i * c_stride + j * kWidth;
      const int64_t lanes = j + 1 < kVectors ? static_cast<int64_t>(kWidth) : last_lanes;
      const vf value = splat(alpha) * sum[i][j];
      store_some(to, add ? load_some(to, lanes) + value : value, lanes);
    }
  }
}

using TileKernel = void (*)(float*, int64_t, const float*, const float*, int64_t, float, bool, int64_t);

// tile_kernels[rows - 1][vectors - 1]
#define ESPALIER_TILE(rows) {multiply_tile<rows, 1>, multiply_tile<rows, 2>}
const TileKernel tile_kernels[][kTileVectors] = {
    ESPALIER_TILE(1),  ESPALIER_TILE(2),  ESPALIER_TILE(3),  ESPALIER_TILE(4), ESPALIER_TILE(5), ESPALIER_TILE(6),
#if defined(__AVX512F__)
    ESPALIER_TILE(7),  ESPALIER_TILE(8),  ESPALIER_TILE(9),  ESPALIER_TILE(10), ESPALIER_TILE(11), ESPALIER_TILE(12),
    ESPALIER_TILE(13), ESPALIER_TILE(14),
#endif
};
#undef ESPALIER_TILE

// packed[k][i] = op(a)[row + i][k_begin + k] for i < rows.
void pack_tile(float* packed, const Matrix& a, int64_t row, int64_t rows, int64_t k_begin, int64_t k_count) {
  if (!a.transposed) {
    transpose(packed, rows, a.data + row * a.stride + k_begin, a.stride, rows, k_count);
    return;
  }
  const float* from = a.data + k_begin * a.stride + row;
  for (int64_t k = 0; k < k_count; ++k, from += a.stride, packed += rows) {
    for_each_vector(rows, [&](int64_t i, int64_t lanes) { store_some(packed + i, load_some(from + i, lanes), lanes); });
  }
}

int64_t smaller_of(int64_t a, int64_t b) { return a < b ? a : b; }

}  // namespace

void pack_panels(float* packed, Matrix b, int64_t K, int64_t N, int64_t panel_begin, int64_t panel_end) {
  for (int64_t panel = panel_begin; panel < panel_end; ++panel) {
    const int64_t first = panel * kTileCols;
    const int64_t cols = smaller_of(kTileCols, N - first);
    const int64_t width = packed_columns(cols);
    float* to = packed + first * K;
    if (b.transposed) {
      transpose(to, width, b.data + first * b.stride, b.stride, cols, K);
      for (int64_t k = 0; k < K && cols < width; ++k) {
        for (int64_t j = cols; j < width; ++j) to[k * width + j] = 0.0f;
      }
    } else {
      const float* from = b.data + first;
      for (int64_t k = 0; k < K; ++k, from += b.stride, to += width) {
        for_each_vector(cols, [&](int64_t j, int64_t lanes) { store(to + j, load_some(from + j, lanes)); });
      }
    }
  }
}

void multiply_tiles(const Product& p, float* a_tile, int64_t tile_begin, int64_t tile_end, int64_t panel_begin,
                    int64_t panel_end, Epilogue epilogue, const void* context) {
  const int64_t blocks = p.K > 0 ? (p.K + kBlockK - 1) / kBlockK : 1;
  for (int64_t block = 0; block < blocks; ++block) {
    const int64_t k_begin = p.K * block / blocks;
    const int64_t k_count = p.K * (block + 1) / blocks - k_begin;
    for (int64_t tile = tile_begin; tile < tile_end; ++tile) {
      const int64_t row = tile_row(p.M, tile);
      const int64_t rows = tile_row(p.M, tile + 1) - row;
      pack_tile(a_tile, p.a, row, rows, k_begin, k_count);
      for (int64_t panel = panel_begin; panel < panel_end; ++panel) {
        const int64_t col = panel * kTileCols;
        const int64_t cols = smaller_of(kTileCols, p.N - col);
        const int64_t width = packed_columns(cols);
        const int64_t vectors = width / kWidth;
        tile_kernels[rows - 1][vectors - 1](p.c + row * p.c_stride + col, p.c_stride, a_tile,
                                            p.packed + col * p.K + k_begin * width, k_count, p.alpha,
                                            p.add || block > 0, cols - (vectors - 1) * kWidth);
      }
      if (epilogue && block == blocks - 1) {
        epilogue(context, row, row + rows, panel_begin * kTileCols, smaller_of(panel_end * kTileCols, p.N));
      }
    }
  }
}

}  // namespace ESPALIER_ISA
}  // namespace espalier
