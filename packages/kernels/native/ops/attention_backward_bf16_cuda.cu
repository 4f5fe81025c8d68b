// attention_backward_bf16_cuda.cu -- see attention_bf16_cuda.h. Two passes that recompute the probabilities, so that nothing
// is added by two blocks and the order of additions is fixed: one keeps 64 queries and walks over keys (dq), one keeps 64
// keys and walks over the queries of all heads of their group (dk, dv). Both have their kept rows as the rows of the warp's
// results, so probabilities and their gradients go from registers into the next product.
#include "cuda/round_bf16.h"
#include "ops/attention_bf16_cuda.h"
#include "ops/attention_tiles_cuda.h"

namespace espalier {
namespace cuda {
namespace {

constexpr int kOthers = 32;  // of the side that a block walks over: more would not fit the registers at head size 128

struct Backward {
  Out dq, dk, dv;
  const uint16_t *q, *k, *v, *dy;
  In lse;
  const float* delta;  // [B, N, T]: dy.y
  AttentionShape s;
};

template <int D>
struct Room {
  uint16_t kept[2][kBlockRows * kTileStride<D>];
  uint16_t other[2][2][kOthers * kTileStride<D>];
  float lse[2][kOthers], delta[2][kOthers];
  int start[2][kOthers];  // first keys of queries
};

// delta = dy.y, a warp a row.
struct Delta {
  float* delta;
  In y, dy;
  int64_t rows, T, N, D;
};
__global__ void attention_delta(Delta a) {
  const int lane = threadIdx.x % kWarpSize;
  const int64_t row = int64_t(blockIdx.x) * kAttentionWarps + threadIdx.x / kWarpSize;  // (b, t, n)
  if (row >= a.rows) return;
  float sum = 0.0f;
  for (int64_t d = lane; d < a.D; d += kWarpSize) sum += a.dy[row * a.D + d] * a.y[row * a.D + d];
  sum = warp_sum(sum);
  const int64_t n = row % a.N, t = row / a.N % a.T, b = row / a.N / a.T;
  if (lane == 0) a.delta[(b * a.N + n) * a.T + t] = sum;
}

template <int D>
__global__ void __launch_bounds__(kAttentionThreads) attention_query_gradients(Backward a) {
  Room<D>& room = *block_memory<Room<D>>();
  const AttentionShape& s = a.s;
  const int64_t first = int64_t(gridDim.x - 1 - blockIdx.x) * kBlockRows, n = blockIdx.y, b = blockIdx.z, g = n / (s.N / s.G);
  const int64_t length = s.length(b), last = min(first + kBlockRows, s.T), key_end = min(last, length);
  const int row = static_cast<int>(threadIdx.x) / kWarpSize * kRowsPerWarp;
  const int tiles = static_cast<int>((key_end + kOthers - 1) / kOthers);
  const int first_tile = static_cast<int>(s.lowest_start(b, first, key_end) / kOthers);
  const auto begin_tile = [&](int tile) {
    if (tile < tiles) {
      fetch_rows<D, kOthers>(room.other[tile % 2][0], a.k + s.key(b, 0, g), s.G * D, int64_t(tile) * kOthers, key_end);
      fetch_rows<D, kOthers>(room.other[tile % 2][1], a.v + s.key(b, 0, g), s.G * D, int64_t(tile) * kOthers, key_end);
    }
    commit_async();
  };
  fetch_rows<D, kBlockRows>(room.kept[0], a.q + s.query(b, 0, n), s.N * D, first, last);
  fetch_rows<D, kBlockRows>(room.kept[1], a.dy + s.query(b, 0, n), s.N * D, first, last);
  begin_tile(first_tile);
  float lse[2], delta[2];
  int64_t start[2];
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const int64_t t = first + row + result_row(2 * half), at = (b * s.N + n) * s.T + t;
    lse[half] = t < s.T ? a.lse[at] * kLog2E : 0.0f;
    delta[half] = t < s.T ? a.delta[at] : 0.0f;
    start[half] = t < length ? s.start(b, t) : 0;
  }
  const float to_log2 = s.scale * kLog2E;
  float sum[D / 8][4] = {};
  for (int tile = first_tile; tile < tiles; ++tile) {
    begin_tile(tile + 1);
    wait_async<1>();
    __syncthreads();
    float score[kOthers / 8][4] = {}, d_p[kOthers / 8][4] = {};
    multiply_by_transpose<D, kOthers>(score, room.kept[0], row, room.other[tile % 2][0]);
    multiply_by_transpose<D, kOthers>(d_p, room.kept[1], row, room.other[tile % 2][1]);
    const int64_t key_first = int64_t(tile) * kOthers;
#pragma unroll
    for (int j = 0; j < kOthers / 8; ++j) {
#pragma unroll
      for (int e = 0; e < 4; ++e) {
        const int64_t m = key_first + result_column(j, e);
        const bool seen = start[e / 2] <= m && m <= first + row + result_row(e);
        const float p = seen ? exp2f(score[j][e] * to_log2 - lse[e / 2]) : 0.0f;
        score[j][e] = p * (d_p[j][e] - delta[e / 2]);
      }
    }
    multiply_by_rows<D, kOthers>(sum, score, room.other[tile % 2][0]);
    __syncthreads();
  }
#pragma unroll
  for (int e = 0; e < 4; ++e) {
    const int64_t t = first + row + result_row(e);
    if (t >= s.T) continue;
#pragma unroll
    for (int d = 0; d < D / 8; ++d) a.dq.set(s.query(b, t, n) + result_column(d, e), t < length ? s.scale * sum[d][e] : 0.0f);
  }
}

template <int D>
__global__ void __launch_bounds__(kAttentionThreads) attention_key_gradients(Backward a) {
  Room<D>& room = *block_memory<Room<D>>();
  const AttentionShape& s = a.s;
  const int64_t first = int64_t(blockIdx.x) * kBlockRows, g = blockIdx.y, b = blockIdx.z, group = s.N / s.G;
  const int64_t length = s.length(b), last = min(first + kBlockRows, s.T);
  const int row = static_cast<int>(threadIdx.x) / kWarpSize * kRowsPerWarp;
  // Queries before the block's first key see none of its keys.
  const int per_head = first < length ? static_cast<int>((length - first + kOthers - 1) / kOthers) : 0;
  const int tiles = per_head * static_cast<int>(group);
  const auto begin_tile = [&](int tile) {
    if (tile < tiles) {
      const int64_t n = g * group + tile / per_head, from = first + int64_t(tile % per_head) * kOthers;
      fetch_rows<D, kOthers>(room.other[tile % 2][0], a.q + s.query(b, 0, n), s.N * D, from, length);
      fetch_rows<D, kOthers>(room.other[tile % 2][1], a.dy + s.query(b, 0, n), s.N * D, from, length);
      if (threadIdx.x < kOthers) {
        const int64_t t = from + threadIdx.x, at = (b * s.N + n) * s.T + t;
        room.lse[tile % 2][threadIdx.x] = t < length ? a.lse[at] * kLog2E : 0.0f;
        room.delta[tile % 2][threadIdx.x] = t < length ? a.delta[at] : 0.0f;
        room.start[tile % 2][threadIdx.x] = t < length ? static_cast<int>(s.start(b, t)) : 0;
      }
    }
    commit_async();
  };
  fetch_rows<D, kBlockRows>(room.kept[0], a.k + s.key(b, 0, g), s.G * D, first, last);
  fetch_rows<D, kBlockRows>(room.kept[1], a.v + s.key(b, 0, g), s.G * D, first, last);
  begin_tile(0);
  const float to_log2 = s.scale * kLog2E;
  float sum_k[D / 8][4] = {}, sum_v[D / 8][4] = {};
  for (int tile = 0; tile < tiles; ++tile) {
    begin_tile(tile + 1);
    wait_async<1>();
    __syncthreads();
    float score[kOthers / 8][4] = {}, d_p[kOthers / 8][4] = {};
    multiply_by_transpose<D, kOthers>(score, room.kept[0], row, room.other[tile % 2][0]);
    multiply_by_transpose<D, kOthers>(d_p, room.kept[1], row, room.other[tile % 2][1]);
    const int64_t from = first + int64_t(tile % per_head) * kOthers;
#pragma unroll
    for (int j = 0; j < kOthers / 8; ++j) {
#pragma unroll
      for (int e = 0; e < 4; ++e) {
        const int column = result_column(j, e);
        const int64_t t = from + column;
        const int64_t m = first + row + result_row(e);
        const bool seen = t < length && m <= t && room.start[tile % 2][column] <= m;
        const float p = seen ? exp2f(score[j][e] * to_log2 - room.lse[tile % 2][column]) : 0.0f;
        score[j][e] = p;
        d_p[j][e] = p * (d_p[j][e] - room.delta[tile % 2][column]);
      }
    }
    multiply_by_rows<D, kOthers>(sum_v, score, room.other[tile % 2][1]);
    multiply_by_rows<D, kOthers>(sum_k, d_p, room.other[tile % 2][0]);
    __syncthreads();
  }
#pragma unroll
  for (int e = 0; e < 4; ++e) {
    const int64_t m = first + row + result_row(e);
    if (m >= s.T) continue;
#pragma unroll
    for (int d = 0; d < D / 8; ++d) {
      const int64_t at = s.key(b, m, g) + result_column(d, e);
      a.dk.set(at, m < length ? s.scale * sum_k[d][e] : 0.0f);
      a.dv.set(at, m < length ? sum_v[d][e] : 0.0f);
    }
  }
}

template <int D>
void launch_passes(const CudaContext& context, const Backward& a) {
  const AttentionShape& s = a.s;
  const auto grid = [&](int64_t heads) { return dim3(blocks_for(s.T, kBlockRows), static_cast<unsigned>(heads), static_cast<unsigned>(s.B)); };
  launch(context, "causalAttentionGrad", attention_query_gradients<D>, grid(s.N), kAttentionThreads, sizeof(Room<D>), a);
  launch(context, "causalAttentionGrad", attention_key_gradients<D>, grid(s.G), kAttentionThreads, sizeof(Room<D>), a);
}

// What is kept of a query: delta here, more where wgmma runs.
std::size_t facts_bytes(const AttentionShape& s) {
  const std::size_t bytes = static_cast<std::size_t>(s.B * s.N * s.T * 4), more = attention_backward_wgmma_bytes(s);
  return ((bytes > more ? bytes : more) + 255) / 256 * 256;
}

}  // namespace

std::size_t attention_backward_bf16_bytes(const AttentionShape& s) {
  return facts_bytes(s) + 2 * rounded_bytes(s.B * s.T * s.N, s.D) + 2 * rounded_bytes(s.B * s.T * s.G, s.D);
}

void launch_attention_backward_bf16(const CudaContext& context, const AttentionGradients& given, const AttentionShape& s, void* scratch) {
  float* delta = static_cast<float*>(scratch);
  char* room = static_cast<char*>(scratch) + facts_bytes(s);
  const auto ready = [&](const In& x, int64_t heads) { return rounded(context, x, s.B * s.T * heads, s.D, s.D, room).data; };
  Backward a{given.dq, given.dk, given.dv, nullptr, nullptr, nullptr, nullptr, given.lse, delta, s};
  a.q = ready(given.q, s.N);
  a.k = ready(given.k, s.G);
  a.v = ready(given.v, s.G);
  a.dy = ready(given.dy, s.N);
  if (launch_attention_backward_wgmma(context, given, a.q, a.k, a.v, a.dy, s, scratch)) return;
  const Delta d{delta, given.y, given.dy, s.B * s.T * s.N, s.T, s.N, s.D};
  launch(context, "causalAttentionGrad", attention_delta, dim3(blocks_for(d.rows, kAttentionWarps)), kAttentionThreads, 0, d);
  if (s.D == 64) launch_passes<64>(context, a);
  else launch_passes<128>(context, a);
}

}  // namespace cuda
}  // namespace espalier
