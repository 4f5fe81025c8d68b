// attention_tiles_cuda.h -- what the tensor-core attention kernels share: tiles of rows of one head in shared memory, and
// products of 16 rows a warp with them.
#pragma once
#include "cuda/async_copy.h"
#include "cuda/tensor_core.h"

namespace espalier {
namespace cuda {

constexpr int kAttentionWarps = 4, kAttentionThreads = kAttentionWarps * kWarpSize;
constexpr int kRowsPerWarp = 16;
constexpr int kBlockRows = kAttentionWarps * kRowsPerWarp;  // queries (or keys) that a block keeps
constexpr float kLog2E = 1.44269504f;

// A tile of kRows rows of D numbers, each row 16 bytes longer than it need be, so that eight rows lie in different banks.
template <int D>
constexpr int kTileStride = D + 8;

// Rows first ... of a head whose rows are `stride` apart; rows from `end` on become 0.
template <int D, int kRows>
__device__ __forceinline__ void fetch_rows(uint16_t* tile, const uint16_t* head, int64_t stride, int64_t first, int64_t end) {
  constexpr int kChunks = D / kWide;
#pragma unroll
  for (int chunk = threadIdx.x; chunk < kRows * kChunks; chunk += kAttentionThreads) {
    const int row = chunk / kChunks, at = chunk % kChunks * kWide;
    const bool inside = first + row < end;
    copy_async_16(tile + row * kTileStride<D> + at, inside ? head + (first + row) * stride + at : head, inside ? 16 : 0);
  }
}

// The left factor's fragment: 16 rows from `row`, columns k ... k + 15.
template <int D>
__device__ __forceinline__ void load_left(uint32_t (&a)[4], const uint16_t* tile, int row, int k) {
  const int lane = threadIdx.x % kWarpSize;
  load_matrices<false>(a, tile + (row + lane % 16) * kTileStride<D> + k + lane / 16 * 8);
}

// sum [16 x kRows] += left [16 x D] (16 rows of `left` from `row`) times the transpose of tile [kRows x D].
template <int D, int kRows>
__device__ __forceinline__ void multiply_by_transpose(float (&sum)[kRows / 8][4], const uint16_t* left, int row, const uint16_t* tile) {
  const int lane = threadIdx.x % kWarpSize;
#pragma unroll
  for (int k = 0; k < D; k += 16) {
    uint32_t a[4];
    load_left<D>(a, left, row, k);
#pragma unroll
    for (int n = 0; n < kRows; n += 16) {
      uint32_t b[4];
      load_matrices<false>(b, tile + (n + lane % 8 + lane / 16 * 8) * kTileStride<D> + k + lane / 8 % 2 * 8);
      const uint32_t first[2] = {b[0], b[1]}, second[2] = {b[2], b[3]};
      mma_bf16(sum[n / 8], a, first);
      mma_bf16(sum[n / 8 + 1], a, second);
    }
  }
}

// sum [16 x D] += p [16 x kRows], which is a result of the above, rounded, times tile [kRows x D].
template <int D, int kRows>
__device__ __forceinline__ void multiply_by_rows(float (&sum)[D / 8][4], const float (&p)[kRows / 8][4], const uint16_t* tile) {
  const int lane = threadIdx.x % kWarpSize;
#pragma unroll
  for (int k = 0; k < kRows; k += 16) {
    // Results of two neighbouring tiles of 8 columns have the layout of one left fragment.
    const uint32_t a[4] = {pack_bf16(p[k / 8][0], p[k / 8][1]), pack_bf16(p[k / 8][2], p[k / 8][3]),
                           pack_bf16(p[k / 8 + 1][0], p[k / 8 + 1][1]), pack_bf16(p[k / 8 + 1][2], p[k / 8 + 1][3])};
#pragma unroll
    for (int d = 0; d < D; d += 16) {
      uint32_t b[4];
      load_matrices<true>(b, tile + (k + lane % 16) * kTileStride<D> + d + lane / 16 * 8);
      const uint32_t first[2] = {b[0], b[1]}, second[2] = {b[2], b[3]};
      mma_bf16(sum[d / 8], a, first);
      mma_bf16(sum[d / 8 + 1], a, second);
    }
  }
}

// Of element e of a result's tile j: its row and column in the 16 rows of the warp.
__device__ __forceinline__ int result_row(int e) { return static_cast<int>(threadIdx.x % kWarpSize) / 4 + e / 2 * 8; }
__device__ __forceinline__ int result_column(int j, int e) { return 8 * j + 2 * static_cast<int>(threadIdx.x % 4) + e % 2; }

// Sum and maximum over the four lanes that share a row.
__device__ __forceinline__ float row_sum(float x) {
  x += __shfl_xor_sync(~0u, x, 1);
  return x + __shfl_xor_sync(~0u, x, 2);
}
__device__ __forceinline__ float row_max(float x) {
  x = fmaxf(x, __shfl_xor_sync(~0u, x, 1));
  return fmaxf(x, __shfl_xor_sync(~0u, x, 2));
}

}  // namespace cuda
}  // namespace espalier
