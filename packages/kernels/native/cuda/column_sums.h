// column_sums.h -- sums over rows for each column, in an order that shapes alone decide: blocks of rows into scratch
// memory, then the blocks in order. For gradients of biases, gains and gates.
//
// `f.value(row, column, sum)` is what row adds to sum 0 ... kSums - 1 of a column.
#pragma once
#include "cuda/device_math.h"
#include "cuda/launch.h"

namespace espalier {
namespace cuda {

constexpr int kSumRowLanes = 8;  // warps of a block, each with rows of its own
// At most 64 blocks of at least 32 rows.
inline int64_t rows_per_sum_block(int64_t rows) { return rows <= 64 * 32 ? 32 : (rows + 63) / 64; }
inline int64_t sum_blocks(int64_t rows) { return (rows + rows_per_sum_block(rows) - 1) / rows_per_sum_block(rows); }

template <int kSums, class F>
__global__ void column_sums_kernel(float* partial, F f, int64_t rows, int64_t columns, int64_t rows_per_block) {
  float(*room)[kSums][kWarpSize] = block_memory<float[kSums][kWarpSize]>();
  const int lane = threadIdx.x % kWarpSize, warp = threadIdx.x / kWarpSize;
  const int64_t column = int64_t(blockIdx.x) * kWarpSize + lane;
  const int64_t begin = int64_t(blockIdx.y) * rows_per_block, end = min(begin + rows_per_block, rows);
  float sum[kSums] = {};
  if (column < columns) {
    for (int64_t r = begin + warp; r < end; r += kSumRowLanes) f.value(r, column, sum);
  }
#pragma unroll
  for (int s = 0; s < kSums; ++s) room[warp][s][lane] = sum[s];
  __syncthreads();
  if (warp == 0 && column < columns) {
    for (int s = 0; s < kSums; ++s) {
      float total = 0.0f;
      for (int w = 0; w < kSumRowLanes; ++w) total += room[w][s][lane];
      partial[(int64_t(blockIdx.y) * kSums + s) * columns + column] = total;
    }
  }
}

struct ColumnTargets {
  Out sums[2];
};

template <int kSums>
__global__ void add_partial_sums_kernel(ColumnTargets targets, const float* partial, int64_t columns, int blocks, Accumulate accumulate) {
  const int64_t column = int64_t(blockIdx.x) * blockDim.x + threadIdx.x;
  if (column >= columns) return;
  for (int s = 0; s < kSums; ++s) {
    float total = accumulate.on() ? targets.sums[s][column] : 0.0f;
    for (int b = 0; b < blocks; ++b) total += partial[(int64_t(b) * kSums + s) * columns + column];
    targets.sums[s].set(column, total);
  }
}

template <int kSums>
std::size_t column_sums_bytes(int64_t rows, int64_t columns) {
  return static_cast<std::size_t>(sum_blocks(rows) * kSums * columns) * sizeof(float);
}

template <int kSums, class F>
void launch_column_sums(const CudaContext& context, const char* name, const ColumnTargets& targets, const F& f, int64_t rows,
                        int64_t columns, void* scratch, const Accumulate& accumulate) {
  float* partial = static_cast<float*>(scratch);
  const int blocks = static_cast<int>(sum_blocks(rows));
  launch(context, name, column_sums_kernel<kSums, F>, dim3(blocks_for(columns, kWarpSize), static_cast<unsigned>(blocks)),
         kWarpSize * kSumRowLanes, sizeof(float) * kSumRowLanes * kSums * kWarpSize, partial, f, rows, columns, rows_per_sum_block(rows));
  launch(context, name, add_partial_sums_kernel<kSums>, dim3(blocks_for(columns, 256)), 256, 0, targets, partial, columns, blocks, accumulate);
}

}  // namespace cuda
}  // namespace espalier
