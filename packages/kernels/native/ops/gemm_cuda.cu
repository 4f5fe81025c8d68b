// gemm_cuda.cu -- the fp32 product: a block computes 64 x 64 elements, a thread 4 x 4, from tiles of a and b 16 deep in
// shared memory, two deep so that the next tile is on its way while one is used.
#include "ops/gemm_cuda.h"

namespace espalier {
namespace cuda {
namespace {

constexpr int kTile = 64, kDepth = 16, kPerThread = 4, kThreads = 256;
// Sums of this many products are added up apart, as the CPU does: rounding grows with the longer of the two, not with K.
constexpr int64_t kBlockK = 512;
constexpr int kStride = kTile + 4;  // keeps rows 16-byte aligned and spreads them over the banks

struct Tiles {
  float a[2][kDepth][kStride];  // [k][m]
  float b[2][kDepth][kStride];  // [k][n]
};

// Four elements of a tile: along k when a row as stored runs along k, else along the other axis.
__device__ __forceinline__ void fetch(float (&to)[4], const In& x, int64_t stride, bool along_k, int64_t first, int64_t extent,
                                      int64_t k_first, int64_t K) {
#pragma unroll
  for (int j = 0; j < 4; ++j) {
    const int e = static_cast<int>(threadIdx.x) + j * kThreads;
    const int64_t i = first + (along_k ? e / kDepth : e % kTile), k = k_first + (along_k ? e % kDepth : e / kTile);
    to[j] = i < extent && k < K ? x[along_k ? i * stride + k : k * stride + i] : 0.0f;
  }
}

__device__ __forceinline__ void put(float (&tile)[kDepth][kStride], const float (&from)[4], bool along_k) {
#pragma unroll
  for (int j = 0; j < 4; ++j) {
    const int e = static_cast<int>(threadIdx.x) + j * kThreads;
    tile[along_k ? e % kDepth : e / kTile][along_k ? e / kDepth : e % kTile] = from[j];
  }
}

__global__ void __launch_bounds__(kThreads) gemm_f32(Gemm g) {
  Tiles& tiles = *block_memory<Tiles>();
  const int64_t m_first = int64_t(blockIdx.x) * kTile, n_first = int64_t(blockIdx.y) * kTile;
  const int row = static_cast<int>(threadIdx.x) / 16 * kPerThread, col = static_cast<int>(threadIdx.x) % 16 * kPerThread;
  const bool a_along_k = !g.trans_a, b_along_k = g.trans_b;
  float next_a[4], next_b[4], sum[kPerThread][kPerThread] = {}, total[kPerThread][kPerThread] = {};
  fetch(next_a, g.a, g.lda, a_along_k, m_first, g.M, 0, g.K);
  fetch(next_b, g.b, g.ldb, b_along_k, n_first, g.N, 0, g.K);
  int side = 0;
  for (int64_t k = 0; k < g.K; k += kDepth, side ^= 1) {
    put(tiles.a[side], next_a, a_along_k);
    put(tiles.b[side], next_b, b_along_k);
    __syncthreads();  // one a step is enough: the other side is written only after all have passed here
    if (k + kDepth < g.K) {
      fetch(next_a, g.a, g.lda, a_along_k, m_first, g.M, k + kDepth, g.K);
      fetch(next_b, g.b, g.ldb, b_along_k, n_first, g.N, k + kDepth, g.K);
    }
#pragma unroll
    for (int d = 0; d < kDepth; ++d) {
      const float4 a4 = *reinterpret_cast<const float4*>(&tiles.a[side][d][row]);
      const float4 b4 = *reinterpret_cast<const float4*>(&tiles.b[side][d][col]);
      const float a[4] = {a4.x, a4.y, a4.z, a4.w}, b[4] = {b4.x, b4.y, b4.z, b4.w};
#pragma unroll
      for (int i = 0; i < kPerThread; ++i) {
#pragma unroll
        for (int j = 0; j < kPerThread; ++j) sum[i][j] += a[i] * b[j];
      }
    }
    if ((k + kDepth) % kBlockK == 0 || k + kDepth >= g.K) {
#pragma unroll
      for (int i = 0; i < kPerThread; ++i) {
#pragma unroll
        for (int j = 0; j < kPerThread; ++j) {
          total[i][j] += sum[i][j];
          sum[i][j] = 0.0f;
        }
      }
    }
  }
  const bool adds = g.accumulate.on();
#pragma unroll
  for (int i = 0; i < kPerThread; ++i) {
#pragma unroll
    for (int j = 0; j < kPerThread; ++j) {
      const int64_t m = m_first + row + i, n = n_first + col + j;
      if (m < g.M && n < g.N) finish_element(g, m, n, total[i][j], adds);
    }
  }
}

}  // namespace

void launch_gemm(const CudaContext& context, const char* name, const Gemm& g) {
  launch(context, name, gemm_f32, dim3(blocks_for(g.M, kTile), blocks_for(g.N, kTile)), kThreads, sizeof(Tiles), g);
}

}  // namespace cuda
}  // namespace espalier
