// column_sums.h -- sums over the rows of dy [R, N] for each column: blocks of rows (ops/blocks.h) into rows of scratch
// memory, a task each, then these in order. The same bits for columnSum and for a product that sums its factor besides.
#pragma once
#include "ops/blocks.h"
#include "simd/simd.h"

namespace espalier {
namespace ESPALIER_ISA {

inline std::size_t column_sums_bytes(int64_t R, int64_t N) {
  return sizeof(float) * static_cast<std::size_t>(reduction_blocks(R) * N);
}

inline void sum_block_of_columns(float* partials, const float* dy, int64_t R, int64_t N, int64_t number) {
  float* const partial = partials + number * N;
  const int64_t block = reduction_block_rows(R), row_end = smaller((number + 1) * block, R);
  for_each_vector(N, [&](int64_t i, int64_t lanes) {
    vf sum = zero();
    for (int64_t r = number * block; r < row_end; ++r) sum += load_some(dy + r * N + i, lanes);
    store_some(partial + i, sum, lanes);
  });
}

inline void finish_column_sums(float* d, const float* partials, int64_t R, int64_t N, bool adds) {
  const int64_t blocks = reduction_blocks(R);
  for_each_vector(N, [&](int64_t i, int64_t lanes) {
    vf sum = zero();
    for (int64_t b = 0; b < blocks; ++b) sum += load_some(partials + b * N + i, lanes);
    store_some(d + i, adds ? load_some(d + i, lanes) + sum : sum, lanes);
  });
}

}  // namespace ESPALIER_ISA
}  // namespace espalier
