// gemm_few_rows_cpu.cc -- see gemm_few_rows.h. A group is kWidth columns of c, so kWidth rows of the stored weights, which
// lie behind each other: a square of them at a time is transposed in registers, and each of its words meets all rows of a.
#include "ops/gemm_few_rows.h"

#include "ops/gemm_pack.h"

namespace espalier {
namespace ESPALIER_ISA {

namespace {

constexpr int64_t kLine = 64 / sizeof(float);
// While a group is multiplied the next one is fetched in the order of memory, which the processor's own prefetchers do
// not see in kWidth streams; longer groups would not stay in L2 until then.
constexpr int64_t kFetchedNumbers = (512 << 10) / sizeof(float);

// Walks through the numbers [at, end) a few cache lines at a time.
struct Fetch {
  const float* at;
  const float* end;

  ESPALIER_INLINE void next(int64_t numbers) {
    const float* const stop = end - at > numbers ? at + numbers : end;
    for (; at < stop; at += kLine) __builtin_prefetch(at, 0, 2);
  }
};

// Columns [col, col + lanes) of c, all rows.
template <Precision kPrecision, int kRows>
ESPALIER_INLINE void multiply_group(const Product& p, int64_t col, int64_t lanes, Fetch fetch) {
  constexpr int64_t kNumbers = kNumbersInWord<kPrecision>, kStep = kNumbers * kWidth;
  const int64_t words = words_of(p.K, p.precision);
  const int64_t blocks = larger(1, ceil_div(words, kBlockWords));  // as in multiply
  const float* const weights = p.b.data + col * p.b.stride;
  const vf alpha = splat(p.alpha);
  vf total[kRows];
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i) total[i] = zero();
  for (int64_t block = 0; block < blocks; ++block) {
    const int64_t begin = words * block / blocks, end = words * (block + 1) / blocks;
    const int64_t k_end = smaller(end * kNumbers, p.K);
    vf sum[kRows];
#pragma GCC unroll 8
    for (int i = 0; i < kRows; ++i) sum[i] = zero();
    for (int64_t word = begin; word < end; word += kWidth) {
      const int64_t k = word * kNumbers, left = k_end - k;
      const float* a = p.rows + word * kTileStride;
      vf square[kWidth];
      fetch.next(kWidth * kStep);
      if (left >= kStep && lanes == kWidth) {
#pragma GCC unroll 16
        for (int i = 0; i < kWidth; ++i) square[i] = words_along<kPrecision>(weights + i * p.b.stride + k, kStep);
        transpose_square(square);
#pragma GCC unroll 16
        for (int w = 0; w < kWidth; ++w, a += kTileStride) {
#pragma GCC unroll 8
          for (int i = 0; i < kRows; ++i) {
            const vf x = splat(a[i]);
            sum[i] = kNumbers == 2 ? dot_pairs(x, square[w], sum[i]) : fma(x, square[w], sum[i]);
          }
        }
        continue;
      }
      for (int i = 0; i < kWidth; ++i) square[i] = i < lanes ? words_along<kPrecision>(weights + i * p.b.stride + k, left) : zero();
      transpose_square(square);
      for (int64_t w = 0; w < smaller(kWidth, end - word); ++w, a += kTileStride) {
#pragma GCC unroll 8
        for (int i = 0; i < kRows; ++i) {
          const vf x = splat(a[i]);
          sum[i] = kNumbers == 2 ? dot_pairs(x, square[w], sum[i]) : fma(x, square[w], sum[i]);
        }
      }
    }
#pragma GCC unroll 8
    for (int i = 0; i < kRows; ++i) {
      const vf value = alpha * sum[i];
      if (block > 0) total[i] = total[i] + value;
      else total[i] = p.add ? load_some(p.c + i * p.c_stride + col, lanes) + value : value;
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i) store_some(p.c + i * p.c_stride + col, total[i], lanes);
}

template <Precision kPrecision, int kRows>
__attribute__((flatten)) void multiply_groups(const Product& p, int64_t col_begin, int64_t col_end) {
  const float* const end = p.b.data + (col_end - 1) * p.b.stride + p.K;
  for (int64_t col = col_begin; col < col_end; col += kWidth) {
    const int64_t next = col + kWidth;
    const float* const from = p.b.data + smaller(next, col_end - 1) * p.b.stride;
    const bool fetches = next < col_end && kWidth * p.b.stride <= kFetchedNumbers;
    multiply_group<kPrecision, kRows>(p, col, smaller(kWidth, col_end - col), {from, fetches ? end : from});
  }
}

using Groups = void (*)(const Product&, int64_t, int64_t);

template <Precision kPrecision>
Groups groups_of(int64_t rows) {
  static constexpr Groups kGroups[] = {
      multiply_groups<kPrecision, 1>, multiply_groups<kPrecision, 2>, multiply_groups<kPrecision, 3>,
      multiply_groups<kPrecision, 4>, multiply_groups<kPrecision, 5>, multiply_groups<kPrecision, 6>,
      multiply_groups<kPrecision, 7>, multiply_groups<kPrecision, 8>,
  };
  return kGroups[rows - 1];
}

}  // namespace

void multiply_few_rows(const Product& p, float*, int64_t, int64_t, int64_t panel_begin, int64_t panel_end,
                       Epilogue epilogue, const void* context) {
  const int64_t begin = panel_begin * kTileCols, end = smaller(panel_end * kTileCols, p.N);
  if (p.M == 0 || begin >= end) return;
  (p.precision == Precision::bf16 ? groups_of<Precision::bf16>(p.M) : groups_of<Precision::f32>(p.M))(p, begin, end);
  if (epilogue) epilogue(context, 0, p.M, begin, end);
}

}  // namespace ESPALIER_ISA
}  // namespace espalier
