// gemm_wgmma_cuda.cu -- the product on Hopper's tensor cores (sm_90a): wgmma fed by bulk copies.
//
// A block computes 128 x 256 elements, two warpgroups 64 x 256 each, 64 of k at a time from four stages in shared memory. One
// thread of a third warpgroup, which has given its registers away, issues the copies of a stage when all have left it (its
// `empty` barrier); the two multiply when its bytes have arrived (`full`), one group of products behind. A factor as stored
// along k is one tile of [rows][64 k]; stored across, it is blocks of [64 k][64 rows]. What a tile has outside of the matrix
// is zero, so sums need no care at the edges. Where a factor stored across is to be summed over k, the first blocks along the other
// factor have further warps of the third warpgroup read its stages too.
#include "cuda/hopper.h"
#include "cuda/hopper_code.h"
#include "cuda/round_bf16.h"
#include "cuda/tensor_map.h"
#include "ops/gemm_cuda.h"

#include <cstdlib>
#include <cstring>

namespace espalier {
namespace cuda {
namespace {

constexpr int kTileM = 128, kTileN = 256, kDepth = 64, kStages = 4, kGroup = 128, kThreads = 3 * kGroup;
constexpr int kBytesA = kTileM * kDepth * 2, kBytesB = kTileN * kDepth * 2;
[[maybe_unused]] constexpr int kBlockBytes = kDepth * 64 * 2;  // of a factor stored across, 64 of M or N
[[maybe_unused]] constexpr int kConsumerWarps = 8, kSummingWarps = 3;

struct Shared {
  unsigned char a[kStages][kBytesA], b[kStages][kBytesB];
  uint64_t full[kStages], empty[kStages];
};

#if defined(ESPALIER_HOPPER)
template <bool kAcross, int kTile>
__device__ __forceinline__ void copy_factor(unsigned char* tile, const TensorMap& map, int first, int k, uint64_t* barrier) {
  if (!kAcross) {
    copy_tile(tile, map, k, first, barrier);
  } else {
#pragma unroll
    for (int i = 0; i < kTile / 64; ++i) copy_tile(tile + i * kBlockBytes, map, first + 64 * i, k, barrier);
  }
}

// One of the warps that sum: blocks of 64 rows of M or N, a pair of them a lane. A line of a block is one k, in the swizzle.
__device__ __forceinline__ void sum_factor(const Gemm& g, const PartsOfK& parts, Shared& shared, int warp, int steps, int m_first, int n_first) {
  const int lane = static_cast<int>(threadIdx.x) % kWarpSize;
  const bool of_a = g.bias_grad_of == 1;
  const int blocks = (of_a ? kTileM : kTileN) / 64;
  float sum[2][2] = {};  // of blocks `warp` and `warp` + 3
  for (int step = 0; step < steps; ++step) {
    const int s = step % kStages;
    wait_phase(&shared.full[s], step / kStages & 1);
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      const int block = warp + kSummingWarps * i;
      if (block >= blocks) continue;
      const unsigned char* const lines = (of_a ? shared.a[s] : shared.b[s]) + block * kBlockBytes + lane % 4 * 4;
#pragma unroll 8
      for (int k = 0; k < kDepth; ++k) {
        const uint32_t pair = *reinterpret_cast<const uint32_t*>(lines + k * 128 + ((lane / 4) ^ (k % 8)) * 16);
        sum[i][0] += from_bf16(static_cast<uint16_t>(pair));
        sum[i][1] += from_bf16(static_cast<uint16_t>(pair >> 16));
      }
    }
    __syncwarp();
    if (lane == 0) arrive(&shared.empty[s]);
  }
  const bool adds = g.accumulate.on();
#pragma unroll
  for (int i = 0; i < 2; ++i) {
#pragma unroll
    for (int j = 0; j < 2; ++j) {
      const int block = warp + kSummingWarps * i;
      const int64_t at = int64_t(of_a ? m_first : n_first) + 64 * block + 2 * lane + j;
      if (block < blocks) finish_factor_sum(g, parts, at, sum[i][j], adds);
    }
  }
}
#endif

template <bool kAAcross, bool kBAcross>
__global__ void __launch_bounds__(kThreads, 1) gemm_wgmma(Gemm g, PartsOfK parts, const __grid_constant__ TensorMap a_map,
                                                          const __grid_constant__ TensorMap b_map) {
#if defined(ESPALIER_HOPPER)
  Shared& shared = *block_memory<Shared>();
  const int group = static_cast<int>(threadIdx.x) / kGroup, lane = static_cast<int>(threadIdx.x) % kWarpSize;
  const TilePlace place = place_of_block();
  const int m_first = static_cast<int>(place.m) * kTileM, n_first = static_cast<int>(place.n) * kTileN, k_first = static_cast<int>(blockIdx.z * parts.depth);
  const int steps = static_cast<int>((min(parts.depth, g.K - k_first) + kDepth - 1) / kDepth);
  const bool sums = kAAcross && kBAcross && (g.bias_grad_of == 1 ? n_first == 0 : g.bias_grad_of == 2 && m_first == 0);
  if (threadIdx.x == 0) {
    for (int s = 0; s < kStages; ++s) {
      init_barrier(&shared.full[s], 1);
      init_barrier(&shared.empty[s], kConsumerWarps + (sums ? kSummingWarps : 0));
    }
    publish_barriers();
  }
  __syncthreads();

  if (group == 2) {
    give_registers<40>();
    if (kAAcross && kBAcross && sums && threadIdx.x >= 2 * kGroup + kWarpSize) {
      sum_factor(g, parts, shared, static_cast<int>(threadIdx.x) / kWarpSize - 2 * kGroup / kWarpSize - 1, steps, m_first, n_first);
      return;
    }
    if (threadIdx.x != 2 * kGroup) return;
    for (int step = 0; step < steps; ++step) {
      const int s = step % kStages;
      wait_phase(&shared.empty[s], (step / kStages & 1) ^ 1);  // the first time nobody has been there
      arrive_expecting(&shared.full[s], kBytesA + kBytesB);
      copy_factor<kAAcross, kTileM>(shared.a[s], a_map, m_first, k_first + step * kDepth, &shared.full[s]);
      copy_factor<kBAcross, kTileN>(shared.b[s], b_map, n_first, k_first + step * kDepth, &shared.full[s]);
    }
    return;
  }

  take_registers<232>();
  float sum[128];
#pragma unroll
  for (int i = 0; i < 128; ++i) sum[i] = 0.0f;
  const auto leave = [&](int step) {
    __syncwarp();
    if (lane == 0) arrive(&shared.empty[step % kStages]);
  };
  for (int step = 0; step < steps; ++step) {
    const int s = step % kStages;
    wait_phase(&shared.full[s], step / kStages & 1);
    hold(sum);
    fence_products();
#pragma unroll
    for (int k = 0; k < kDepth / 16; ++k) {
      // Along k 16 elements are 32 bytes of a row; across, 16 rows.
      const unsigned char* const a = shared.a[s] + group * (kBytesA / 2) + k * (kAAcross ? 16 * 128 : 32);
      const unsigned char* const b = shared.b[s] + k * (kBAcross ? 16 * 128 : 32);
      multiply_64x256<kAAcross, kBAcross>(sum, tile_descriptor(a, kAAcross ? kBlockBytes : 16), tile_descriptor(b, kBAcross ? kBlockBytes : 16));
    }
    commit_products();
    wait_products<1>();
    if (step > 0) leave(step - 1);
  }
  wait_products<0>();
  hold(sum);

  const bool adds = g.accumulate.on();
  const int64_t row = m_first + 64 * group + static_cast<int>(threadIdx.x) % kGroup / kWarpSize * 16 + lane / 4;
#pragma unroll
  for (int j = 0; j < 32; ++j) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const int64_t m = row + half * 8, n = n_first + 8 * j + 2 * (lane % 4);
      finish_part(g, parts, m, n, sum[4 * j + 2 * half], sum[4 * j + 2 * half + 1], adds);
    }
  }
#endif
}

}  // namespace

bool launch_gemm_wgmma(const CudaContext& context, const char* name, const Gemm& g, const void* a, int64_t a_stride, const void* b, int64_t b_stride,
                       const PartsOfK& parts) {
  const char* const setting = std::getenv("ESPALIER_CUDA_GEMM");
  const bool forced = setting && std::strcmp(setting, "wgmma") == 0;
#if defined(ESPALIER_EMULATED)
  if (!forced) return false;
#else
  // Smaller products leave most of such a tile empty. Not measured.
  if (!forced && (setting || g.M <= 64 || g.N <= 64)) return false;
#endif
  static const bool has_code = has_hopper_code(reinterpret_cast<const void*>(gemm_wgmma<false, false>));
  if (!has_code) return false;
  if (g.K < 1 || g.M > INT32_MAX || g.N > INT32_MAX || g.K > INT32_MAX) return false;
  TensorMap a_map{}, b_map{};
  const bool described = (g.trans_a ? describe_matrix(a_map, a, g.K, g.M, a_stride, kDepth) : describe_matrix(a_map, a, g.M, g.K, a_stride, kTileM)) &&
                         (g.trans_b ? describe_matrix(b_map, b, g.N, g.K, b_stride, kTileN) : describe_matrix(b_map, b, g.K, g.N, b_stride, kDepth));
  if (!described) return false;
  const dim3 grid(blocks_for(g.M, kTileM), blocks_for(g.N, kTileN), static_cast<unsigned>(parts.count));
  const auto kernel = g.trans_a ? (g.trans_b ? gemm_wgmma<true, false> : gemm_wgmma<true, true>)
                                : (g.trans_b ? gemm_wgmma<false, false> : gemm_wgmma<false, true>);
  launch(context, name, kernel, grid, kThreads, sizeof(Shared), g, parts, a_map, b_map);
  return true;
}

}  // namespace cuda
}  // namespace espalier
