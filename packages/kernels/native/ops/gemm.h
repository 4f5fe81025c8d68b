// gemm.h -- matrix products of packed panels, for matmul and linearCrossEntropy.
//
//   c [M, N] (+)= alpha * a [M, K] b [K, N]
//
// b is packed once into panels of kTileCols columns, [panel][k][column], the last panel padded with zeros to whole
// vectors. a is packed a tile at a time, [k][row], by the task that uses it. A tile of kTileRows x kTileCols products
// stays in registers while k runs over a block of at most kBlockK; blocks of k are added to c in order, so an element
// of c is the same bits wherever and by whomever it is computed.
// After Goto & van de Geijn 2008, "Anatomy of high-performance matrix multiplication", and BLIS.
#pragma once
#include "simd/simd.h"

namespace espalier {
namespace ESPALIER_ISA {

// Accumulators, two vectors of b and one value of a fill the registers: 31 of 32 (AVX-512), 15 of 16 (others).
constexpr int kTileRows = kWidth == 16 ? 14 : 6;
constexpr int kTileVectors = 2;
constexpr int kTileCols = kTileVectors * kWidth;
// 512 x 32 floats of b are 64 KB: a panel streams from L2 while the tile of a (28 KB) stays in L1.
constexpr int64_t kBlockK = 512;

// op(x) as stored: row-major, or its transpose.
struct Matrix {
  const float* data;
  int64_t stride;   // between rows as stored
  bool transposed;  // op(x)[i][j] = data[j * stride + i]
};

inline int64_t panel_count(int64_t n) { return (n + kTileCols - 1) / kTileCols; }
inline int64_t packed_columns(int64_t n) { return (n + kWidth - 1) / kWidth * kWidth; }
inline std::size_t packed_bytes(int64_t k, int64_t n) {
  return static_cast<std::size_t>(k * packed_columns(n)) * sizeof(float);
}

// Packs panels [panel_begin, panel_end) of b [K, N].
void pack_panels(float* packed, Matrix b, int64_t K, int64_t N, int64_t panel_begin, int64_t panel_end);

// Rows [0, M) are cut into tiles as evenly as possible: tile t is rows [tile_row(M, t), tile_row(M, t + 1)).
inline int64_t tile_count(int64_t m) { return (m + kTileRows - 1) / kTileRows; }
inline int64_t tile_row(int64_t m, int64_t tile) { return m * tile / tile_count(m); }

struct Product {
  float* c;
  int64_t c_stride;
  Matrix a;
  const float* packed;  // b, by pack_panels
  int64_t M, N, K;
  float alpha;
  bool add;  // c += instead of c =
};

// Called when rows [row_begin, row_end) and columns [col_begin, col_end) of c are complete and still in cache.
using Epilogue = void (*)(const void* context, int64_t row_begin, int64_t row_end, int64_t col_begin, int64_t col_end);

// Room that multiply_tiles needs for a tile of a.
constexpr std::size_t kTileBytes = std::size_t(kTileRows) * kBlockK * sizeof(float);

// Row tiles [tile_begin, tile_end) and panels [panel_begin, panel_end) of c; `a_tile` holds kTileBytes.
void multiply_tiles(const Product& product, float* a_tile, int64_t tile_begin, int64_t tile_end, int64_t panel_begin,
                    int64_t panel_end, Epilogue epilogue = nullptr, const void* context = nullptr);

}  // namespace ESPALIER_ISA
}  // namespace espalier
