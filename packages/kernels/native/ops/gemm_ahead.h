// gemm_ahead.h -- work on the panel of b that comes next, done a little at a time while a panel is multiplied.
//
// The inner loop leaves most loads and stores of the processor unused, while packing waits for memory; done beside each
// other they cost hardly more than the multiplication. Rows of b that are stored as they are packed are packed; others,
// which are transposed in squares that would displace the sums from registers, are brought into L2.
#pragma once
#include "ops/gemm_pack.h"

namespace espalier {
namespace ESPALIER_ISA {

class Ahead {
 public:
  // Words of k that a tile multiplies between two calls of `next`.
  static constexpr int64_t kWords = 8;

  // Nothing to do.
  Ahead() = default;

  // k [k_begin, k_end) of columns [col, col + kTileCols) of b, as far as there are so many. `calls` of `next` do all of it.
  // With `packed`, into that panel, where its columns can be packed so: see `packs`.
  Ahead(const Product& p, int64_t k_begin, int64_t k_end, int64_t col, float* packed, int64_t calls) : stride_(p.b.stride) {
    const int64_t cols = smaller(kTileCols, p.N - col), length = k_end - k_begin;
    const bool as_stored = !p.b.transposed;
    row_ = p.b.data + (as_stored ? k_begin * stride_ + col : col * stride_ + k_begin);
    rows_ = as_stored ? length : cols;
    row_numbers_ = as_stored ? cols : length;
    // Factors rounded one by one are left to pack_columns: `next` knows words of fp32 and of pairs.
    const bool whole = as_stored && cols == kTileCols && (p.precision == Precision::f32 || kHasBf16Pairs);
    if (packed && whole) packed_ = packed;
    const int64_t pieces = packs() ? ceil_div(rows_, numbers_in_word(p.precision)) : rows_ * ceil_div(row_numbers_, kPiece);
    pieces_a_call_ = ceil_div(pieces, larger(1, calls));
  }

  bool packs() const { return packed_ != nullptr; }

  template <bool kPairs>
  ESPALIER_INLINE void next() {
    for (int64_t piece = 0; piece < pieces_a_call_ && rows_ > 0; ++piece) {
      if (packs()) pack_word<kPairs>();
      else fetch_piece();
    }
  }

 private:
  static constexpr int64_t kLine = 64 / sizeof(float);
  static constexpr int64_t kPiece = kTileCols < kLine ? kLine : kTileCols;
  static constexpr int64_t kFetchedRows = 8;  // some hundred cycles before they are packed

  template <bool kPairs>
  ESPALIER_INLINE void pack_word() {
    constexpr Precision kPrecision = kPairs ? Precision::bf16 : Precision::f32;
    constexpr int64_t kNumbers = kPairs ? 2 : 1;
#pragma GCC unroll 2
    for (int64_t k = 0; k < kNumbers; ++k) {
#pragma GCC unroll 2
      for (int64_t line = 0; line < kPiece; line += kLine) __builtin_prefetch(row_ + (kFetchedRows + k) * stride_ + line);
    }
#pragma GCC unroll 2
    for (int v = 0; v < kTileVectors; ++v) {
      store(packed_ + v * kWidth, words_across<kPrecision>(row_ + v * kWidth, stride_, rows_ > 1, kWidth));
    }
    packed_ += kTileCols;
    row_ += kNumbers * stride_;
    rows_ -= kNumbers;
  }

  ESPALIER_INLINE void fetch_piece() {
#pragma GCC unroll 2
    for (int64_t line = 0; line < kPiece; line += kLine) __builtin_prefetch(row_ + at_ + line, 0, 2);
    at_ += kPiece;
    if (at_ < row_numbers_) return;
    at_ = 0;
    row_ += stride_;
    --rows_;
  }

  const float* row_ = nullptr;  // of b as stored
  float* packed_ = nullptr;
  int64_t stride_ = 0, rows_ = 0;  // rows left
  int64_t row_numbers_ = 0, at_ = 0;
  int64_t pieces_a_call_ = 0;
};

}  // namespace ESPALIER_ISA
}  // namespace espalier
