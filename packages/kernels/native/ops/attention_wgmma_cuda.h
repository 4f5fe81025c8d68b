// attention_wgmma_cuda.h -- causal attention on Hopper's tensor cores (sm_90a): what its kernels share. See attention_bf16_cuda.h for
// what is computed, hopper.h for barriers, copies and products.
//
// A tile is rows of one head, in blocks of 64 columns: each row 128 bytes, in the 128-byte swizzle. As a factor it is read along its
// rows, or across them, where it lies.
#pragma once
#include "cuda/tensor_map.h"
#include "cuda/warpgroup_products.h"
#include "ops/attention_bf16_cuda.h"
#include "ops/attention_tiles_cuda.h"

namespace espalier {
namespace cuda {

// By the setting alone; see attention_bf16_cuda.h.
bool wants_attention_wgmma();
// Rows of a [B, T, heads, D] tensor by tiles of `tile_rows`.
inline bool describe_heads(TensorMap& map, const uint16_t* data, const AttentionShape& s, int64_t heads, int tile_rows) {
  return describe_matrices(map, data, s.B, s.T, heads * s.D, heads * s.D, tile_rows);
}

constexpr int kGroupThreads = 128;  // a warpgroup
constexpr int kGroupRows = 64;      // of the results of one
constexpr int kProducerRegisters = 24;

template <int D, int kRows>
struct HeadTile {
  static constexpr int kBlockBytes = kRows * 128;
  unsigned char block[D / 64][kBlockBytes];
};

#if defined(ESPALIER_HOPPER) && (defined(ESPALIER_EMULATED) || defined(__CUDACC__))

// 2^x. ex2.approx is what exp2f is without its care for results below 2^-126.
__device__ __forceinline__ float power_of_two(float x) {
#if defined(ESPALIER_EMULATED)
  return exp2f(x);
#else
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
#endif
}

// Issued by one thread; sizeof(tile) bytes arrive at the barrier. Rows from T on are zeros.
template <int D, int kRows>
__device__ __forceinline__ void copy_head(HeadTile<D, kRows>& tile, const TensorMap& map, int64_t head, int64_t first, int64_t b, uint64_t* barrier) {
#pragma unroll
  for (int i = 0; i < D / 64; ++i) {
    copy_tile(tile.block[i], map, static_cast<int>(head) * D + 64 * i, static_cast<int>(first), static_cast<int>(b), barrier);
  }
}

// Rows from `row`, a multiple of 8, as M or N; depth 16 k ... 16 k + 15 of the columns.
template <int D, int kRows>
__device__ __forceinline__ uint64_t along(const HeadTile<D, kRows>& tile, int row, int k) {
  return tile_descriptor(tile.block[k / 4] + row * 128 + k % 4 * 32, 16);
}
// Columns as N; depth: rows 16 k ... 16 k + 15.
template <int D, int kRows>
__device__ __forceinline__ uint64_t across(const HeadTile<D, kRows>& tile, int k) {
  return tile_descriptor(tile.block[0] + k * 16 * 128, HeadTile<D, kRows>::kBlockBytes);
}

// d [64 x 2 kSums] = left [64 x D] (its rows from `row`) times the transpose of the tile.
template <int D, int kLeftRows, int kRows, int kSums>
__device__ __forceinline__ void multiply_by_transpose(float (&d)[kSums], const HeadTile<D, kLeftRows>& left, int row, const HeadTile<D, kRows>& tile) {
  static_assert(kRows == 2 * kSums, "a column a row of the tile");
#pragma unroll
  for (int k = 0; k < D / 16; ++k) multiply_tiles<false, false>(d, along(left, row, k), along(tile, 0, k), k > 0);
}
// d [64 x D] += p [64 x kRows], in registers, times the tile.
template <int D, int kRows>
__device__ __forceinline__ void multiply_by_rows(float (&d)[D / 2], const uint32_t (&p)[kRows / 16][4], const HeadTile<D, kRows>& tile) {
#pragma unroll
  for (int k = 0; k < kRows / 16; ++k) multiply_registers<true>(d, p[k], across(tile, k), true);
}

// Results in pairs, as a left factor.
template <int kSums>
__device__ __forceinline__ void round_to_left(uint32_t (&p)[kSums / 8][4], const float (&d)[kSums]) {
#pragma unroll
  for (int i = 0; i < kSums / 2; ++i) p[i / 4][i % 4] = pack_bf16(d[2 * i], d[2 * i + 1]);
}

// Rows from `from` on become 0, by `threads` threads that then wait for each other at barrier 1.
template <int D, int kRows>
__device__ __forceinline__ void clear_rows(HeadTile<D, kRows>& tile, int from, int threads) {
  for (int i = 0; i < D / 64; ++i) {
    for (int at = from * 128 + static_cast<int>(threadIdx.x) * 16; at < HeadTile<D, kRows>::kBlockBytes; at += threads * 16) {
      *reinterpret_cast<uint4*>(tile.block[i] + at) = make_uint4(0, 0, 0, 0);
    }
  }
  publish_writes();
  sync_threads(1, threads);
}

// Of element e of a thread's sums: its row and column in the 64 rows of the warpgroup.
__device__ __forceinline__ int sum_row(int e) { return static_cast<int>(threadIdx.x % kGroupThreads) / kWarpSize * 16 + static_cast<int>(threadIdx.x % kWarpSize) / 4 + e % 4 / 2 * 8; }
__device__ __forceinline__ int sum_column(int e) { return e / 4 * 8 + 2 * static_cast<int>(threadIdx.x % 4) + e % 2; }

// The part of `sum_column` that is the same for all threads.
__device__ __forceinline__ constexpr int sum_place(int e) { return e / 4 * 8 + e % 2; }

// Places of columns that a row sees, in 32 bits: two comparisons with a constant each.
struct SeenColumns {
  int from, to;
  __device__ __forceinline__ bool has(int place) const { return place >= from && place <= to; }
};

// One of a thread's two rows of results, times `factor`, to `at` of the tensor; 0 where it is not live. All lanes take part, also
// those with nothing to store. In bf16 the four lanes of a row first trade columns, so that each stores eight neighbours.
template <int D>
__device__ __forceinline__ void store_row(Out to, int64_t at, const float (&d)[D / 2], int half, float factor, bool live, bool stores) {
  const int t = static_cast<int>(threadIdx.x % 4);
  const auto value = [&](int i) { return live ? d[i] * factor : 0.0f; };
  if (!to.bf16) {
    if (!stores) return;
#pragma unroll
    for (int j = 0; j < D / 8; ++j) {
      float2 pair;
      pair.x = value(4 * j + 2 * half);
      pair.y = value(4 * j + 2 * half + 1);
      *reinterpret_cast<float2*>(static_cast<float*>(to.data) + at + 8 * j + 2 * t) = pair;
    }
    return;
  }
#pragma unroll
  for (int j = 0; j < D / 8; j += 4) {
    uint32_t x[4];  // a pair of each of four blocks of eight columns; then four pairs of block t
#pragma unroll
    for (int i = 0; i < 4; ++i) x[i] = pack_bf16(value(4 * (j + i) + 2 * half), value(4 * (j + i) + 2 * half + 1));
#pragma unroll
    for (int bit = 1; bit < 4; bit *= 2) {
      const bool upper = (t & bit) != 0;
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        if (i & bit) continue;
        const uint32_t got = __shfl_xor_sync(~0u, upper ? x[i] : x[i + bit], bit);
        if (upper) x[i] = got;
        else x[i + bit] = got;
      }
    }
    if (stores) *reinterpret_cast<uint4*>(static_cast<uint16_t*>(to.data) + at + 8 * (j + t)) = make_uint4(x[0], x[1], x[2], x[3]);
  }
}

#endif  // of device code

}  // namespace cuda
}  // namespace espalier
