// attention_forward_bf16_cuda.cu -- see attention_bf16_cuda.h. A block keeps 64 queries of a head, 16 a warp, and walks over
// keys in tiles of 64, two of which are in shared memory: one in use, one on its way. Scores, probabilities and results stay
// in registers. After Dao 2023, arXiv:2307.08691 (FlashAttention-2), section 3.
#include "cuda/round_bf16.h"
#include "ops/attention_bf16_cuda.h"
#include "ops/attention_tiles_cuda.h"

namespace espalier {
namespace cuda {
namespace {

constexpr int kKeys = 64;
// The score of a key before a query's start. Finite, because a query may see none of the first keys of its block: what it
// sums then has weight 0 as soon as it sees one, and each sees its own.
constexpr float kUnseen = -1e30f;

template <int D>
struct Room {
  uint16_t q[kBlockRows * kTileStride<D>];
  uint16_t k[2][kKeys * kTileStride<D>];
  uint16_t v[2][kKeys * kTileStride<D>];
};

struct Forward {
  Out y, lse;
  const uint16_t *q, *k, *v;
  AttentionShape s;
};

template <int D>
__global__ void __launch_bounds__(kAttentionThreads) attention_forward(Forward a) {
  Room<D>& room = *block_memory<Room<D>>();
  const AttentionShape& s = a.s;
  // The longest rows first: they take the most time.
  const int64_t first = int64_t(gridDim.x - 1 - blockIdx.x) * kBlockRows, n = blockIdx.y, b = blockIdx.z, g = n / (s.N / s.G);
  const int64_t length = s.length(b), last = min(first + kBlockRows, s.T);
  const int row = static_cast<int>(threadIdx.x) / kWarpSize * kRowsPerWarp;
  const uint16_t *keys = a.k + s.key(b, 0, g), *values = a.v + s.key(b, 0, g);
  const int64_t key_end = min(last, length);
  const int tiles = static_cast<int>((key_end + kKeys - 1) / kKeys);
  const int first_tile = static_cast<int>(s.lowest_start(b, first, key_end) / kKeys);
  const auto begin_tile = [&](int tile) {
    if (tile < tiles) {
      fetch_rows<D, kKeys>(room.k[tile % 2], keys, s.G * D, int64_t(tile) * kKeys, key_end);
      fetch_rows<D, kKeys>(room.v[tile % 2], values, s.G * D, int64_t(tile) * kKeys, key_end);
    }
    commit_async();
  };
  fetch_rows<D, kBlockRows>(room.q, a.q + s.query(b, 0, n), s.N * D, first, last);
  begin_tile(first_tile);
  int64_t start[2];
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const int64_t t = first + row + result_row(2 * half);
    start[half] = t < length ? s.start(b, t) : 0;
  }

  const float to_log2 = s.scale * kLog2E;
  float sum[D / 8][4] = {}, top[2] = {-INFINITY, -INFINITY}, total[2] = {};
  for (int tile = first_tile; tile < tiles; ++tile) {
    begin_tile(tile + 1);
    wait_async<1>();
    __syncthreads();
    float score[kKeys / 8][4] = {};
    multiply_by_transpose<D, kKeys>(score, room.q, row, room.k[tile % 2]);
    const int64_t key_first = int64_t(tile) * kKeys;
    if (s.starts) {
#pragma unroll
      for (int j = 0; j < kKeys / 8; ++j) {
#pragma unroll
        for (int e = 0; e < 4; ++e) {
          if (key_first + result_column(j, e) < start[e / 2]) score[j][e] = kUnseen;
        }
      }
    }
    if (key_first + kKeys > first + row || key_first + kKeys > key_end) {  // some keys are after some queries, or none
#pragma unroll
      for (int j = 0; j < kKeys / 8; ++j) {
#pragma unroll
        for (int e = 0; e < 4; ++e) {
          if (key_first + result_column(j, e) > first + row + result_row(e)) score[j][e] = -INFINITY;
        }
      }
    }
#pragma unroll
    for (int half = 0; half < 2; ++half) {  // the two rows of a lane
      float highest = top[half];
#pragma unroll
      for (int j = 0; j < kKeys / 8; ++j) highest = fmaxf(highest, fmaxf(score[j][2 * half], score[j][2 * half + 1]));
      highest = row_max(highest);
      const float shrink = exp2f((top[half] - highest) * to_log2);
      top[half] = highest;
      float part = 0.0f;
#pragma unroll
      for (int j = 0; j < kKeys / 8; ++j) {
#pragma unroll
        for (int e = 2 * half; e < 2 * half + 2; ++e) {
          score[j][e] = exp2f((score[j][e] - highest) * to_log2);
          part += score[j][e];
        }
      }
      total[half] = total[half] * shrink + part;  // of this lane's columns; lanes are added at the end
#pragma unroll
      for (int d = 0; d < D / 8; ++d) {
        sum[d][2 * half] *= shrink;
        sum[d][2 * half + 1] *= shrink;
      }
    }
    multiply_by_rows<D, kKeys>(sum, score, room.v[tile % 2]);
    __syncthreads();  // before the tile after next is copied over this one
  }
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const int64_t t = first + row + result_row(2 * half);
    const float all = row_sum(total[half]);
    if (t >= s.T) continue;
    const bool live = t < length;
    const float share = live ? 1.0f / all : 0.0f;
#pragma unroll
    for (int d = 0; d < D / 8; ++d) {
#pragma unroll
      for (int e = 0; e < 2; ++e) {
        a.y.set(s.query(b, t, n) + result_column(d, e), live ? sum[d][2 * half + e] * share : 0.0f);
      }
    }
    if (threadIdx.x % 4 == 0) a.lse.set((b * s.N + n) * s.T + t, live ? top[half] * s.scale + logf(all) : 0.0f);
  }
}

}  // namespace

std::size_t attention_forward_bf16_bytes(const AttentionShape& s) {
  return rounded_bytes(s.B * s.T * s.N, s.D) + 2 * rounded_bytes(s.B * s.T * s.G, s.D);
}

void launch_attention_forward_bf16(const CudaContext& context, Out y, Out lse, In q, In k, In v, const AttentionShape& s, void* scratch) {
  char* room = static_cast<char*>(scratch);
  const auto ready = [&](const In& x, int64_t heads) { return rounded(context, x, s.B * s.T * heads, s.D, s.D, room).data; };
  const uint16_t* query = ready(q, s.N);
  const uint16_t* key = ready(k, s.G);
  const uint16_t* value = ready(v, s.G);
  if (launch_attention_forward_wgmma(context, y, lse, query, key, value, s)) return;
  const Forward a{y, lse, query, key, value, s};
  const dim3 grid(blocks_for(s.T, kBlockRows), static_cast<unsigned>(s.N), static_cast<unsigned>(s.B));
  if (s.D == 64) launch(context, "causalAttention", attention_forward<64>, grid, kAttentionThreads, sizeof(Room<64>), a);
  else launch(context, "causalAttention", attention_forward<128>, grid, kAttentionThreads, sizeof(Room<128>), a);
}

}  // namespace cuda
}  // namespace espalier
