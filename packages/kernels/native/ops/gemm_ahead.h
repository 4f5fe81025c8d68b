// gemm_ahead.h -- work on the panel of b that comes next, done a little at a time while a panel is multiplied.
//
// The inner loop leaves most loads and stores of the processor unused, while packing waits for memory; done beside each
// other they cost hardly more than the multiplication. Rows of b that are stored as they are packed are packed. Others are
// transposed in squares, which would displace the sums from registers, and are brought into L2. Where a long k is cut into
// blocks the tiles that stream through L2 displace them again: of pairs, which are multiplied twice as fast as packing goes
// on, slices are packed behind every tile (2 % at k = 3072; with a short k, whose rows memory reads at once, a loss of 3 %).
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

  // k [k_begin, k_end) of columns [col, col + kTileCols) of b, as far as there are so many. `calls` of `next` do all of it,
  // those for a tile being followed by one of `pack_fetched`.
  // With `packed`, into that panel, where its columns can be packed so: see `packs`.
  Ahead(const Product& p, int64_t k_begin, int64_t k_end, int64_t col, float* packed, int64_t calls)
      : stride_(p.b.stride), precision_(p.precision) {
    const int64_t cols = smaller(kTileCols, p.N - col), length = k_end - k_begin;
    const bool as_stored = !p.b.transposed;
    row_ = p.b.data + (as_stored ? k_begin * stride_ + col : col * stride_ + k_begin);
    rows_ = as_stored ? length : cols;
    slice_ = as_stored ? cols : length;
    // Factors rounded one by one are left to pack_columns: `next` knows words of fp32 and of pairs.
    const bool whole = as_stored && cols == kTileCols && (p.precision == Precision::f32 || kHasBf16Pairs);
    if (packed && whole) packed_ = packed;
    if (packed && !as_stored && length < p.K && numbers_in_word(p.precision) > 1) {
      transposed_ = packed;
      slice_ = smaller(kSlice, length);
      lanes_ = {row_, stride_, true, cols};
      length_ = length;
    }
    const int64_t pieces = packed_ ? ceil_div(rows_, numbers_in_word(p.precision)) : rows_ * ceil_div(as_stored ? cols : length, kPiece);
    pieces_a_call_ = ceil_div(pieces, larger(1, calls));
  }

  // Part `part` of `parts` of what comes.
  Ahead(Coming coming, int64_t part, int64_t parts, int64_t calls) {
    const int64_t begin = coming.numbers * part / parts;
    row_ = coming.from + begin;
    slice_ = coming.numbers * (part + 1) / parts - begin;
    rows_ = slice_ > 0 ? 1 : 0;
    pieces_a_call_ = ceil_div(ceil_div(slice_, kPiece), larger(1, calls));
  }

  bool packs() const { return packed_ || transposed_; }

  // Rows of the tile to come, from element `at` of c on: of c, and with the last block of k of p.beside, which the epilogue
  // touches. They are brought in over `calls` of `next`; all at once they would keep the first words of k waiting.
  void fetch_outputs(const Product& p, int64_t at, int64_t rows, bool last_block, int64_t calls) {
    outputs_[0] = p.c + at;
    for (int i = 0; i < kMostBeside; ++i) outputs_[1 + i] = last_block && p.beside[i] ? p.beside[i] + at : nullptr;
    output_rows_ = rows;
    output_rows_a_call_ = ceil_div(rows, calls);
    output_stride_ = p.c_stride;
  }

  template <bool kPairs>
  ESPALIER_INLINE void next() {
    for (int64_t row = 0; row < output_rows_a_call_ && output_rows_ > 0; ++row) fetch_output_row();
    for (int64_t piece = 0; piece < pieces_a_call_ && rows_ > 0; ++piece) {
      if (packed_) pack_word<kPairs>();
      else fetch_piece();
    }
  }

  // Packs the slices whose rows `next` has brought in, if they are transposed.
  void pack_fetched() {
    if (!transposed_ || packed_k_ == fetched_k_) return;
    Lanes lanes = lanes_;
    lanes.data += packed_k_;
    const int64_t width = packed_columns(lanes.count);
    pack(transposed_ + packed_k_ / numbers_in_word(precision_) * width, width, lanes, fetched_k_ - packed_k_, precision_);
    packed_k_ = fetched_k_;
  }

 private:
  static constexpr int64_t kLine = 64 / sizeof(float);
  static constexpr int64_t kPiece = kTileCols < kLine ? kLine : kTileCols;
  // k of a slice: a row's part is long enough for memory to read it well, and 32 of them take 16 KB of L2.
  static constexpr int64_t kSlice = 128;
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
    if (at_ < slice_) return;
    at_ = 0;
    row_ += stride_;
    if (--rows_ == 0 && transposed_) begin_slice();
  }

  void fetch_output_row() {
    for (int i = 0; i <= kMostBeside && outputs_[i]; ++i) {
      __builtin_prefetch(outputs_[i]);
      if (kTileCols > kLine) __builtin_prefetch(outputs_[i] + kTileCols - 1);
      outputs_[i] += output_stride_;
    }
    --output_rows_;
  }

  void begin_slice() {
    fetched_k_ = smaller(fetched_k_ + kSlice, length_);
    if (fetched_k_ == length_) return;
    slice_ = smaller(kSlice, length_ - fetched_k_);
    row_ = lanes_.data + fetched_k_;
    rows_ = lanes_.count;
  }

  const float* row_ = nullptr;  // of b as stored
  float* packed_ = nullptr;
  int64_t stride_ = 0, rows_ = 0;  // rows left, of a slice
  int64_t slice_ = 0, at_ = 0;     // numbers of a row of a slice
  int64_t pieces_a_call_ = 0;
  // Of a transposed panel that is packed behind tiles.
  float* transposed_ = nullptr;
  Lanes lanes_{};
  int64_t length_ = 0, fetched_k_ = 0, packed_k_ = 0;
  Precision precision_ = Precision::f32;
  const float* outputs_[1 + kMostBeside] = {};
  int64_t output_rows_ = 0, output_rows_a_call_ = 0, output_stride_ = 0;
};

}  // namespace ESPALIER_ISA
}  // namespace espalier
