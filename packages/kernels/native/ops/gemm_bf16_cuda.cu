// gemm_bf16_cuda.cu -- the product on tensor cores, mma.sync m16n8k16 (sm_80 and newer).
//
// A block of 8 warps computes 128 x 128 elements, a warp 64 x 32, 32 of k at a time from four stages in shared memory that
// asynchronous copies fill ahead. A factor stored along k lies there as [128][32 + 8], the other way as [32][128 + 8]: rows
// of both spread over all banks when ldmatrix reads eight of them, and its transposing form serves the second.
#include "cuda/async_copy.h"
#include "cuda/round_bf16.h"
#include "cuda/tensor_core.h"
#include "ops/gemm_cuda.h"

namespace espalier {
namespace cuda {
namespace {

constexpr int kTile = 128, kDepth = 32, kStages = 4, kThreads = 256;
constexpr int kAlongStride = kDepth + 8, kAcrossStride = kTile + 8;
constexpr int kTileElements = kTile * kAlongStride;  // the larger of the two layouts
constexpr int kWarpRows = 64, kWarpColumns = 32;

struct Stage {
  uint16_t a[kTileElements], b[kTileElements];
};

// As gemm_cuda.h has it, and the rounded factors.
struct Product {
  Gemm g;
  Rounded a, b;
  PartsOfK parts;
};

// A GPU of 132 multiprocessors, in tiles of Hopper's product, gets a tile each; parts of at least 1024 of k, at most 16.
PartsOfK parts_of(int64_t M, int64_t N, int64_t K) {
  constexpr int64_t kProcessors = 132, kLeastDepth = 1024, kMost = 16;
  const int64_t tiles = ((M + 127) / 128) * ((N + 255) / 256);
  int64_t parts = tiles > 0 ? kProcessors / tiles : 1;
  if (parts > K / kLeastDepth) parts = K / kLeastDepth;
  if (parts > kMost) parts = kMost;
  if (parts <= 1) return {nullptr, nullptr, K, 1};
  const int64_t depth = ((K + parts - 1) / parts + 63) / 64 * 64;
  return {nullptr, nullptr, depth, static_cast<int>((K + depth - 1) / depth)};
}

// Sums of parts, in order, and what follows a product.
struct AddParts {
  Gemm g;
  const float* sums;
  int count;
  template <int W>
  __device__ void at(int64_t i) const {
    const In from{sums, false};
    float total[W], more[W];
    from.load<W>(i, total);
    for (int part = 1; part < count; ++part) {
      from.load<W>(int64_t(part) * g.M * g.N + i, more);
#pragma unroll
      for (int j = 0; j < W; ++j) total[j] += more[j];
    }
    const bool adds = g.accumulate.on();
    int64_t m = i / g.N, n = i % g.N;
#pragma unroll
    for (int j = 0; j < W; ++j) {
      finish_element(g, m, n, total[j], adds);
      if (++n == g.N) n = 0, ++m;
    }
  }
};
struct AddFactorSums {
  Gemm g;
  const float* sums;
  int count;
  template <int W>
  __device__ void at(int64_t i) const {
#pragma unroll
    for (int j = 0; j < W; ++j) {
      float total = sums[i + j];
      for (int part = 1; part < count; ++part) total += sums[int64_t(part) * g.sums() + i + j];
      g.bias_grad.set(i + j, g.accumulate.on() ? g.bias_grad[i + j] + total : total);
    }
  }
};

// Copies of one factor's tile; `first` of `extent` is its place along M or N.
template <bool kAlongK>
__device__ __forceinline__ void fetch(uint16_t* tile, const Rounded& x, int64_t first, int64_t extent, int64_t k, int64_t K) {
  constexpr int kChunks = (kAlongK ? kDepth : kTile) / kWide;  // of a row of the tile
#pragma unroll
  for (int j = 0; j < kTile * kDepth / kWide / kThreads; ++j) {
    const int chunk = static_cast<int>(threadIdx.x) + j * kThreads, line = chunk / kChunks, at = chunk % kChunks * kWide;
    const int64_t row = (kAlongK ? first : k) + line, column = (kAlongK ? k : first) + at;
    const bool inside = row < (kAlongK ? extent : K) && column < x.stride;
    copy_async_16(tile + line * (kAlongK ? kAlongStride : kAcrossStride) + at, inside ? x.data + row * x.stride + column : x.data, inside ? 16 : 0);
  }
}

// The two bf16 of a register, added in fp32.
__device__ __forceinline__ float pair_sum(uint32_t pair) { return from_bf16(static_cast<uint16_t>(pair)) + from_bf16(static_cast<uint16_t>(pair >> 16)); }

template <bool kAAlongK, bool kBAlongK>
__global__ void __launch_bounds__(kThreads) gemm_bf16(Product p) {
  Stage* stages = block_memory<Stage>();
  const Gemm& g = p.g;
  const int lane = threadIdx.x % kWarpSize, warp = threadIdx.x / kWarpSize;
  const TilePlace place = place_of_block();
  const int64_t m_first = place.m * kTile, n_first = place.n * kTile, k_first = int64_t(blockIdx.z) * p.parts.depth;
  const int m_warp = warp / 4 * kWarpRows, n_warp = warp % 4 * kWarpColumns;
  const int steps = static_cast<int>((min(p.parts.depth, g.K - k_first) + kDepth - 1) / kDepth);
  const auto begin_stage = [&](int step) {
    if (step < steps) {
      Stage& stage = stages[step % kStages];
      fetch<kAAlongK>(stage.a, p.a, m_first, g.M, k_first + step * kDepth, g.K);
      fetch<kBAlongK>(stage.b, p.b, n_first, g.N, k_first + step * kDepth, g.K);
    }
    commit_async();  // an empty group too: the wait counts groups
  };
  for (int step = 0; step < kStages - 1; ++step) begin_stage(step);

  float sum[4][4][4] = {};  // [16 rows][8 columns] tiles
  // Sums of a factor over k, of rows or columns 8 apart, by warps that between them read it once.
  constexpr bool kSums = !kAAlongK && !kBAlongK;
  const bool sums_a = kSums && g.bias_grad_of == 1 && n_first == 0 && n_warp == 0, sums_b = kSums && g.bias_grad_of == 2 && m_first == 0 && m_warp == 0;
  [[maybe_unused]] float factor_sum[4][2] = {};
  for (int step = 0; step < steps; ++step) {
    wait_async<kStages - 2>();
    __syncthreads();
    begin_stage(step + kStages - 1);  // over the stage that all have left
    const Stage& stage = stages[step % kStages];
#pragma unroll
    for (int k = 0; k < kDepth; k += 16) {
      uint32_t a[4][4], b[2][4];
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        const int m = m_warp + 16 * i;
        if (kAAlongK) load_matrices<false>(a[i], stage.a + (m + lane % 16) * kAlongStride + k + lane / 16 * 8);
        // matrices in the order of the fragment: (m, k), (m + 8, k), (m, k + 8), (m + 8, k + 8)
        else load_matrices<true>(a[i], stage.a + (k + lane % 8 + lane / 16 * 8) * kAcrossStride + m + lane / 8 % 2 * 8);
      }
#pragma unroll
      for (int j = 0; j < 2; ++j) {  // 16 columns at a time: (k, n), (k + 8, n), (k, n + 8), (k + 8, n + 8)
        const int n = n_warp + 16 * j;
        if (kBAlongK) load_matrices<false>(b[j], stage.b + (n + lane % 8 + lane / 16 * 8) * kAlongStride + k + lane / 8 % 2 * 8);
        else load_matrices<true>(b[j], stage.b + (k + lane % 16) * kAcrossStride + n + lane / 16 * 8);
      }
      if constexpr (kSums) {
        if (sums_a) {
#pragma unroll
          for (int i = 0; i < 4; ++i) {
#pragma unroll
            for (int half = 0; half < 2; ++half) factor_sum[i][half] += pair_sum(a[i][half]) + pair_sum(a[i][half + 2]);
          }
        }
        if (sums_b) {
#pragma unroll
          for (int j = 0; j < 2; ++j) {
#pragma unroll
            for (int half = 0; half < 2; ++half) factor_sum[j][half] += pair_sum(b[j][2 * half]) + pair_sum(b[j][2 * half + 1]);
          }
        }
      }
#pragma unroll
      for (int i = 0; i < 4; ++i) {
#pragma unroll
        for (int j = 0; j < 4; ++j) {
          const uint32_t pair[2] = {b[j / 2][j % 2 * 2], b[j / 2][j % 2 * 2 + 1]};
          mma_bf16(sum[i][j], a[i], pair);
        }
      }
    }
  }
  const bool adds = g.accumulate.on();
  if constexpr (kSums) {
    if (sums_a || sums_b) {
#pragma unroll
      for (int i = 0; i < 4; ++i) {
#pragma unroll
        for (int half = 0; half < 2; ++half) {
          float total = factor_sum[i][half];  // of this lane's k; the four lanes of a row or column have the others
          total += __shfl_xor_sync(~0u, total, 1);
          total += __shfl_xor_sync(~0u, total, 2);
          const int64_t at = (sums_a ? m_first + m_warp : n_first + n_warp) + 16 * i + 8 * half + lane / 4;
          if (lane % 4 == 0 && (sums_a || i < 2)) finish_factor_sum(g, p.parts, at, total, adds);
        }
      }
    }
  }
#pragma unroll
  for (int i = 0; i < 4; ++i) {
#pragma unroll
    for (int j = 0; j < 4; ++j) {
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        const int64_t m = m_first + m_warp + 16 * i + lane / 4 + half * 8, n = n_first + n_warp + 8 * j + 2 * (lane % 4);
        finish_part(g, p.parts, m, n, sum[i][j][2 * half], sum[i][j][2 * half + 1], adds);
      }
    }
  }
}

}  // namespace

std::size_t gemm_bf16_bytes(int64_t M, int64_t N, int64_t K) {
  const std::size_t a = rounded_bytes(M, K) > rounded_bytes(K, M) ? rounded_bytes(M, K) : rounded_bytes(K, M);
  const std::size_t b = rounded_bytes(K, N) > rounded_bytes(N, K) ? rounded_bytes(K, N) : rounded_bytes(N, K);
  return a + b + gemm_parts_bytes(M, N, K);
}

std::size_t gemm_parts_bytes(int64_t M, int64_t N, int64_t K) {
  const PartsOfK parts = parts_of(M, N, K);
  return parts.count > 1 ? static_cast<std::size_t>(parts.count * (M * N + (M > N ? M : N))) * sizeof(float) : 0;
}

// Whether rows of y begin at even elements, and all that is read and written with y at multiples of two of them.
static bool fits_pairs(const Gemm& g) {
  for (const void* address : {static_cast<const void*>(g.y.data), static_cast<const void*>(g.pre.data), g.bias.data, g.gate.data, g.residual.data, g.gelu_of.data}) {
    if (reinterpret_cast<uintptr_t>(address) % (2 * sizeof(float))) return false;
  }
  return g.N % 2 == 0;
}

void launch_gemm_bf16(const CudaContext& context, const char* name, const Gemm& g, void* scratch) {
  char* room = static_cast<char*>(scratch);
  Product p{g, {}, {}, parts_of(g.M, g.N, g.K)};
  p.g.pairs = fits_pairs(g);
  p.a = rounded(context, g.a, g.trans_a ? g.K : g.M, g.trans_a ? g.M : g.K, g.lda, room);
  p.b = rounded(context, g.b, g.trans_b ? g.N : g.K, g.trans_b ? g.K : g.N, g.ldb, room);
  if (p.parts.count > 1) {
    p.parts.sums = reinterpret_cast<float*>(room);
    p.parts.factor_sums = p.parts.sums + p.parts.count * g.M * g.N;
  }
  if (!launch_gemm_wgmma(context, name, p.g, p.a.data, p.a.stride, p.b.data, p.b.stride, p.parts)) {
    const dim3 grid(blocks_for(g.M, kTile), blocks_for(g.N, kTile), static_cast<unsigned>(p.parts.count));
    const auto kernel = g.trans_a ? (g.trans_b ? gemm_bf16<false, true> : gemm_bf16<false, false>)
                                  : (g.trans_b ? gemm_bf16<true, true> : gemm_bf16<true, false>);
    launch(context, name, kernel, grid, kThreads, kStages * sizeof(Stage), p);
  }
  if (p.parts.count <= 1) return;
  launch_elementwise(context, name, AddParts{p.g, p.parts.sums, p.parts.count}, g.M * g.N, g.M * g.N % kWide == 0);
  if (g.bias_grad_of) launch_elementwise(context, name, AddFactorSums{p.g, p.parts.factor_sums, p.parts.count}, g.sums());
}

}  // namespace cuda
}  // namespace espalier
