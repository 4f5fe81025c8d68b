// gemm.h -- matrix products of packed operands, for matmul and linearCrossEntropy.
//
//   c [M, N] (+)= alpha * a [M, K] b [K, N]
//
// Rows of a are packed in tiles of kTileRows, columns of b in panels of kTileCols, both k-major and padded with zeros to
// whole vectors. A tile times a panel stays in registers while k runs over a block of at most kBlockWords words; blocks
// are added to c in order, so an element of c is the same bits wherever and by whomever it is computed.
// After Goto & van de Geijn 2008, "Anatomy of high-performance matrix multiplication", and BLIS.
//
// With Precision::bf16 both operands are rounded to bf16 (nearest, ties to even) as they are packed; products and sums
// are fp32. A packed word is one fp32 number; on the path avx512bf16 it is a pair of bf16, of k (low half) and k + 1,
// which one instruction multiplies and adds. Other paths keep the rounded numbers as fp32: the same factors, in an order
// of sums of their own.
#pragma once
#include "ops/blocks.h"
#include "simd/simd.h"

namespace espalier {
namespace ESPALIER_ISA {

// Accumulators, two vectors of b and one value of a fill the registers: 31 of 32 (AVX-512), 15 of 16 (others).
constexpr int kTileRows = kWidth == 16 ? 14 : 6;
constexpr int kTileVectors = 2;
constexpr int kTileCols = kTileVectors * kWidth;
constexpr int kTileStride = (kTileRows + kWidth - 1) / kWidth * kWidth;  // words of one k of a packed tile
// 1024 x 32 words of b are 128 KB: a panel stays in L2 while tiles of a stream past it. Shorter blocks read and write c
// more often, which costs more than L1 misses that are prefetched.
constexpr int64_t kBlockWords = 1024;

// Tiles or panels that are packed together where they lie beside each other in memory.
constexpr int64_t kStrips = 4;

enum class Precision : int32_t { f32 = 0, bf16 = 1 };

// k in a packed word.
inline int64_t numbers_in_word(Precision precision) { return kHasBf16Pairs && precision == Precision::bf16 ? 2 : 1; }
inline int64_t words_of(int64_t k, Precision precision) { return ceil_div(k, numbers_in_word(precision)); }

// x as stored: row-major, or its transpose.
struct Matrix {
  const float* data;
  int64_t stride;   // between rows as stored
  bool transposed;  // op(x)[i][j] = data[j * stride + i]
};

inline int64_t panel_count(int64_t n) { return ceil_div(n, kTileCols); }
inline int64_t packed_columns(int64_t n) { return ceil_div(n, kWidth) * kWidth; }

// Rows [0, M) are cut into tiles as evenly as possible: tile t is rows [tile_row(M, t), tile_row(M, t + 1)).
inline int64_t tile_count(int64_t m) { return ceil_div(m, kTileRows); }
inline int64_t tile_row(int64_t m, int64_t tile) { return m * tile / tile_count(m); }

// Bytes of all tiles of a [M, K], and of all panels of b [K, N].
inline std::size_t packed_rows_bytes(int64_t M, int64_t K, Precision precision) {
  return static_cast<std::size_t>(tile_count(M) * kTileStride * words_of(K, precision)) * sizeof(float);
}
inline std::size_t packed_columns_bytes(int64_t K, int64_t N, Precision precision) {
  return static_cast<std::size_t>(packed_columns(N) * words_of(K, precision)) * sizeof(float);
}

// Packs tiles [tile_begin, tile_end) of a [M, K] into their places: tile t begins at t * kTileStride * words_of(K).
void pack_rows(float* packed, Matrix a, int64_t M, int64_t K, Precision precision, int64_t tile_begin, int64_t tile_end);
// Packs panels [panel_begin, panel_end) of b [K, N]: panel p begins at p * kTileCols * words_of(K).
void pack_columns(float* packed, Matrix b, int64_t K, int64_t N, Precision precision, int64_t panel_begin, int64_t panel_end);

// Memory that is read next: `numbers` of them from `from`.
struct Coming {
  const float* from;
  int64_t numbers;
};

constexpr int kMostBeside = 3;

struct Product {
  float* c;
  int64_t c_stride;
  const float* rows;     // a, by pack_rows
  const float* columns;  // b, by pack_columns; null: packed from `b` as it is used
  Matrix b;
  int64_t M, N, K;
  Precision precision;
  float alpha;
  bool add;  // c += instead of c =
  int64_t next_panel = -1;  // the panel that this thread is likely to pack after those of a call: read ahead; -1: none known
  Coming coming = {};  // brought into cache beside the multiplication where columns are packed already
  // What the epilogue reads or writes where c is, rows as far apart: brought into cache while a tile is multiplied. Null: none.
  const float* beside[kMostBeside] = {};
};

// Called when rows [row_begin, row_end) and columns [col_begin, col_end) of c are complete and still in cache.
using Epilogue = void (*)(const void* context, int64_t row_begin, int64_t row_end, int64_t col_begin, int64_t col_end);

// The panel that `multiply` packs when columns are not packed, and the one after it.
constexpr std::size_t kPanelBytes = 2 * std::size_t(kTileCols) * kBlockWords * sizeof(float);

// Tiles [tile_begin, tile_end) by panels [panel_begin, panel_end) of c; `room` holds kPanelBytes unless columns are packed.
void multiply(const Product& product, float* room, int64_t tile_begin, int64_t tile_end, int64_t panel_begin,
              int64_t panel_end, Epilogue epilogue = nullptr, const void* context = nullptr);

}  // namespace ESPALIER_ISA
}  // namespace espalier
