// attention_backward_wgmma_cuda.cu -- see attention_wgmma_cuda.h. Two passes that recompute the probabilities, so that nothing is added
// by two blocks: one keeps 128 queries and walks over keys (dq), one keeps 128 keys and walks over the queries of all heads of their
// group (dk, dv); 64 rows a warpgroup, tiles of the other side brought by one thread of a third. Both have their kept rows as the rows
// of their results, so probabilities and their gradients go from registers into the next product. The exponentials of a tile run while
// dy v^T is multiplied. No product is under way from one tile to the next: ptxas then makes all of them wait for each other.
#include "cuda/hopper_code.h"
#include "ops/attention_wgmma_cuda.h"

namespace espalier {
namespace cuda {
namespace {

constexpr int kGroups = 2, kKept = kGroups * kGroupRows, kThreads = (kGroups + 1) * kGroupThreads, kConsumers = kGroups * kGroupThreads;
[[maybe_unused]] constexpr int kRegisters = 240;
constexpr int kQueries = 64, kKeys = 128;  // of the side that a pass walks over

// Of 64 queries of a head, [B, N, tiles of T]. Queries that are none have an infinite lse: their probabilities are 0.
struct Facts {
  float lse[kQueries], delta[kQueries];  // in powers of two; dy.y
  int32_t start[kQueries];
};
inline int64_t tiles_of(const AttentionShape& s) { return (s.T + kQueries - 1) / kQueries; }

struct FindFacts {
  Facts* facts;
  In y, dy, lse;
  AttentionShape s;
  int64_t tiles;
};
// A warp a query.
__global__ void attention_facts(FindFacts a) {
  const AttentionShape& s = a.s;
  const int lane = threadIdx.x % kWarpSize;
  const int64_t row = int64_t(blockIdx.x) * kAttentionWarps + threadIdx.x / kWarpSize;  // (b, n, t)
  const int64_t padded = a.tiles * kQueries, t = row % padded, n = row / padded % s.N, b = row / padded / s.N;
  if (b >= s.B) return;
  const bool live = t < s.length(b);
  float sum = 0.0f;
  for (int64_t d = lane; live && d < s.D; d += kWarpSize) sum += a.dy[s.query(b, t, n) + d] * a.y[s.query(b, t, n) + d];
  sum = warp_sum(sum);
  if (lane != 0) return;
  Facts& facts = a.facts[(b * s.N + n) * a.tiles + t / kQueries];
  facts.lse[t % kQueries] = live ? a.lse[(b * s.N + n) * s.T + t] * kLog2E : INFINITY;
  facts.delta[t % kQueries] = sum;
  facts.start[t % kQueries] = live ? static_cast<int32_t>(s.start(b, t)) : 0;
}

struct Backward {
  Out dq, dk, dv;
  const Facts* facts;
  AttentionShape s;
  int64_t tiles;
};

template <int kStages, int kEmpty>
struct Barriers {
  uint64_t kept, full[kStages], empty[kStages];
};
template <int kStages, int kEmpty>
__device__ __forceinline__ void init_barriers(Barriers<kStages, kEmpty>& barriers) {
#if defined(ESPALIER_HOPPER)
  if (threadIdx.x == 0) {
    init_barrier(&barriers.kept, 1);
    for (int i = 0; i < kStages; ++i) {
      init_barrier(&barriers.full[i], 1);
      init_barrier(&barriers.empty[i], kEmpty);
    }
    publish_barriers();
  }
  __syncthreads();
#endif
}

template <int D>
struct QueryRoom {
  static constexpr int kStages = 2;
  HeadTile<D, kKept> q, dy;
  HeadTile<D, kKeys> k[kStages], v[kStages];
  Barriers<kStages, kConsumers / kWarpSize> barriers;
};

template <int D>
__global__ void __launch_bounds__(kThreads, 1) attention_query_gradients(Backward a, const __grid_constant__ TensorMap q_map, const __grid_constant__ TensorMap k_map,
                                                                         const __grid_constant__ TensorMap v_map, const __grid_constant__ TensorMap dy_map) {
#if defined(ESPALIER_HOPPER)
  QueryRoom<D>& room = *block_memory<QueryRoom<D>>();
  constexpr int kStages = QueryRoom<D>::kStages;
  auto& barriers = room.barriers;
  const AttentionShape& s = a.s;
  const int group = static_cast<int>(threadIdx.x) / kGroupThreads, lane = static_cast<int>(threadIdx.x) % kWarpSize;
  const int64_t first = int64_t(gridDim.x - 1 - blockIdx.x) * kKept, n = blockIdx.y, b = blockIdx.z, g = n / (s.N / s.G);
  const int64_t length = s.length(b), key_end = first < length ? min(first + kKept, length) : 0;
  const int first_tile = key_end > 0 ? static_cast<int>(s.start(b, first) / kKeys) : 0;  // starts do not fall
  const int steps = static_cast<int>((key_end + kKeys - 1) / kKeys) - first_tile;
  init_barriers(barriers);
  if (group == kGroups) {
    give_registers<kProducerRegisters>();
    if (threadIdx.x != kConsumers) return;
    if (steps > 0) {
      arrive_expecting(&barriers.kept, sizeof(room.q) + sizeof(room.dy));
      copy_head(room.q, q_map, n, first, b, &barriers.kept);
      copy_head(room.dy, dy_map, n, first, b, &barriers.kept);
    }
    for (int step = 0; step < steps; ++step) {
      const int at = step % kStages;
      const int64_t key = int64_t(first_tile + step) * kKeys;
      wait_phase(&barriers.empty[at], (step / kStages & 1) ^ 1);  // the first time nobody has been there
      arrive_expecting(&barriers.full[at], sizeof(room.k[at]) + sizeof(room.v[at]));
      copy_head(room.k[at], k_map, g, key, b, &barriers.full[at]);
      copy_head(room.v[at], v_map, g, key, b, &barriers.full[at]);
    }
    return;
  }

  take_registers<kRegisters>();
  const int64_t group_first = first + kGroupRows * group;
  const float to_log2 = s.scale * kLog2E;
  float lse[2] = {INFINITY, INFINITY}, delta[2] = {0.0f, 0.0f};
  int start[2] = {0, 0}, highest_start = 0;
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const int row = sum_row(2 * half);
    if (group_first + row >= length) continue;
    const Facts& facts = a.facts[(b * s.N + n) * a.tiles + group_first / kQueries];
    lse[half] = facts.lse[row];
    delta[half] = facts.delta[row];
    start[half] = facts.start[row];
  }
  if (s.starts && group_first < length) highest_start = static_cast<int>(s.start(b, min(group_first + kGroupRows, length) - 1));
  float sum[D / 2];
  uint32_t ds[kKeys / 16][4];
#pragma unroll
  for (int i = 0; i < D / 2; ++i) sum[i] = 0.0f;
  if (steps > 0) wait_phase(&barriers.kept, 0);
  for (int step = 0; step < steps; ++step) {
    const int at = step % kStages;
    const int64_t key = int64_t(first_tile + step) * kKeys;
    wait_phase(&barriers.full[at], step / kStages & 1);
    if (s.lengths && length - key < kKeys) {  // what lies there may be no number
      clear_rows(room.k[at], static_cast<int>(length - key), kConsumers);
      clear_rows(room.v[at], static_cast<int>(length - key), kConsumers);
    }
    float score[kKeys / 2], d_p[kKeys / 2], weight[kKeys / 2];  // fresh ones each time: products under way write sums of their own alone
    fence_products();
    multiply_by_transpose(score, room.q, kGroupRows * group, room.k[at]);
    commit_products();
    multiply_by_transpose(d_p, room.dy, kGroupRows * group, room.v[at]);
    commit_products();
    wait_products<1>();
    hold(score);
#pragma unroll
    for (int i = 0; i < kKeys / 2; ++i) weight[i] = power_of_two(score[i] * to_log2 - lse[i % 4 / 2]);
    if (key + kKeys > group_first || key < highest_start) {  // some keys are after some queries, or before their starts
      SeenColumns seen[2];
      const int before = static_cast<int>(group_first - key);  // of the group's first query
#pragma unroll
      for (int half = 0; half < 2; ++half) seen[half] = {start[half] - static_cast<int>(key) - sum_column(0), before + sum_row(2 * half) - sum_column(0)};
#pragma unroll
      for (int i = 0; i < kKeys / 2; ++i) {
        if (!seen[i % 4 / 2].has(sum_place(i))) weight[i] = 0.0f;
      }
    }
    wait_products<0>();
    hold(d_p);
#pragma unroll
    for (int i = 0; i < kKeys / 2; ++i) weight[i] *= d_p[i] - delta[i % 4 / 2];
    round_to_left(ds, weight);
    fence_products();
    multiply_by_rows<D, kKeys>(sum, ds, room.k[at]);
    commit_products();
    wait_products<0>();
    hold(sum);
    __syncwarp();
    if (lane == 0) arrive(&barriers.empty[at]);
  }
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const int64_t t = group_first + sum_row(2 * half);
    store_row<D>(a.dq, s.query(b, t, n), sum, half, s.scale, t < length, t < s.T);
  }
#endif
}

template <int D>
struct KeyRoom {
  static constexpr int kStages = 3;
  HeadTile<D, kKept> k, v;
  HeadTile<D, kQueries> q[kStages], dy[kStages];
  Facts facts[kStages];
  Barriers<kStages, kConsumers / kWarpSize> barriers;
};

template <int D>
__global__ void __launch_bounds__(kThreads, 1) attention_key_gradients(Backward a, const __grid_constant__ TensorMap q_map, const __grid_constant__ TensorMap k_map,
                                                                       const __grid_constant__ TensorMap v_map, const __grid_constant__ TensorMap dy_map) {
#if defined(ESPALIER_HOPPER)
  KeyRoom<D>& room = *block_memory<KeyRoom<D>>();
  constexpr int kStages = KeyRoom<D>::kStages;
  auto& barriers = room.barriers;
  const AttentionShape& s = a.s;
  const int group = static_cast<int>(threadIdx.x) / kGroupThreads, lane = static_cast<int>(threadIdx.x) % kWarpSize;
  const int64_t first = int64_t(blockIdx.x) * kKept, g = blockIdx.y, b = blockIdx.z, heads = s.N / s.G, length = s.length(b);
  // Queries before the block's first key see none of its keys; nor do those that start behind its last, and starts do not fall.
  const int first_tile = static_cast<int>(first / kQueries);
  int end_tile = first < length ? static_cast<int>((length + kQueries - 1) / kQueries) : first_tile;
  if (s.starts) {
    int low = min(first_tile + 1, end_tile);
    while (low < end_tile) {
      const int middle = (low + end_tile) / 2;
      if (s.start(b, int64_t(middle) * kQueries) >= first + kKept) end_tile = middle;
      else low = middle + 1;
    }
  }
  const int per_head = end_tile - first_tile, steps = per_head * static_cast<int>(heads);
  init_barriers(barriers);
  if (group == kGroups) {
    give_registers<kProducerRegisters>();
    if (threadIdx.x != kConsumers) return;
    if (steps > 0) {
      arrive_expecting(&barriers.kept, sizeof(room.k) + sizeof(room.v));
      copy_head(room.k, k_map, g, first, b, &barriers.kept);
      copy_head(room.v, v_map, g, first, b, &barriers.kept);
    }
    for (int step = 0; step < steps; ++step) {
      const int at = step % kStages, tile = first_tile + step % per_head;
      const int64_t n = g * heads + step / per_head;
      wait_phase(&barriers.empty[at], (step / kStages & 1) ^ 1);
      arrive_expecting(&barriers.full[at], sizeof(room.q[at]) + sizeof(room.dy[at]) + sizeof(Facts));
      copy_head(room.q[at], q_map, n, int64_t(tile) * kQueries, b, &barriers.full[at]);
      copy_head(room.dy[at], dy_map, n, int64_t(tile) * kQueries, b, &barriers.full[at]);
      copy_line(&room.facts[at], &a.facts[(b * s.N + n) * a.tiles + tile], sizeof(Facts), &barriers.full[at]);
    }
    return;
  }

  take_registers<kRegisters>();
  const int64_t group_first = first + kGroupRows * group;
  const float to_log2 = s.scale * kLog2E;
  float sum_k[D / 2], sum_v[D / 2];
  uint32_t p[kQueries / 16][4], ds[kQueries / 16][4];
#pragma unroll
  for (int i = 0; i < D / 2; ++i) sum_k[i] = sum_v[i] = 0.0f;
  if (steps > 0) wait_phase(&barriers.kept, 0);
  for (int step = 0; step < steps; ++step) {
    const int at = step % kStages;
    const int64_t from = int64_t(first_tile + step % per_head) * kQueries;
    const Facts& facts = room.facts[at];
    wait_phase(&barriers.full[at], step / kStages & 1);
    if (s.lengths && length - from < kQueries) {  // what lies there may be no number
      clear_rows(room.q[at], static_cast<int>(length - from), kConsumers);
      clear_rows(room.dy[at], static_cast<int>(length - from), kConsumers);
    }
    float score[kQueries / 2], d_p[kQueries / 2], weight[kQueries / 2];  // fresh ones each time: products under way write sums of their own alone
    fence_products();
    multiply_by_transpose(score, room.k, kGroupRows * group, room.q[at]);
    commit_products();
    multiply_by_transpose(d_p, room.v, kGroupRows * group, room.dy[at]);
    commit_products();
    wait_products<1>();
    hold(score);
#pragma unroll
    for (int i = 0; i < kQueries / 2; ++i) weight[i] = power_of_two(score[i] * to_log2 - facts.lse[sum_column(i)]);
    const int last = static_cast<int>(min(int64_t(kQueries), length - from)) - 1;
    if (from < group_first + kGroupRows) {  // some queries are before some keys
      const int before = static_cast<int>(group_first - from) - sum_column(0);
#pragma unroll
      for (int i = 0; i < kQueries / 2; ++i) {
        if (sum_place(i) < before + sum_row(i)) weight[i] = 0.0f;
      }
    }
    if (s.starts && facts.start[last] > group_first) {  // or start behind some
      const int key = static_cast<int>(group_first);
#pragma unroll
      for (int i = 0; i < kQueries / 2; ++i) {
        if (key + sum_row(i) < facts.start[sum_column(i)]) weight[i] = 0.0f;
      }
    }
    round_to_left(p, weight);
    fence_products();
    multiply_by_rows<D, kQueries>(sum_v, p, room.dy[at]);
    commit_products();
    wait_products<1>();
    hold(d_p);
#pragma unroll
    for (int i = 0; i < kQueries / 2; ++i) weight[i] *= d_p[i] - facts.delta[sum_column(i)];
    round_to_left(ds, weight);
    fence_products();
    multiply_by_rows<D, kQueries>(sum_k, ds, room.q[at]);
    commit_products();
    wait_products<0>();
    hold(sum_k);
    hold(sum_v);
    __syncwarp();
    if (lane == 0) arrive(&barriers.empty[at]);
  }
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const int64_t m = group_first + sum_row(2 * half);
    store_row<D>(a.dk, s.key(b, m, g), sum_k, half, s.scale, m < length, m < s.T);
    store_row<D>(a.dv, s.key(b, m, g), sum_v, half, 1.0f, m < length, m < s.T);
  }
#endif
}

template <int D>
bool launch_passes(const CudaContext& context, const Backward& a, const FindFacts& find, const uint16_t* q, const uint16_t* k, const uint16_t* v, const uint16_t* dy) {
  static const bool has_code = has_hopper_code(reinterpret_cast<const void*>(attention_query_gradients<D>));
  const AttentionShape& s = a.s;
  TensorMap q_map{}, k_map{}, v_map{}, dy_map{}, q_kept{}, dy_kept{};
  if (!has_code || !describe_heads(q_map, q, s, s.N, kQueries) || !describe_heads(k_map, k, s, s.G, kKeys) || !describe_heads(v_map, v, s, s.G, kKeys) ||
      !describe_heads(dy_map, dy, s, s.N, kQueries) || !describe_heads(q_kept, q, s, s.N, kKept) || !describe_heads(dy_kept, dy, s, s.N, kKept)) {
    return false;
  }
  static_assert(kKeys == kKept, "one description of keys serves both passes");
  const char* const name = "causalAttentionGrad";
  const auto grid = [&](int64_t heads) { return dim3(blocks_for(s.T, kKept), static_cast<unsigned>(heads), static_cast<unsigned>(s.B)); };
  launch(context, name, attention_facts, dim3(blocks_for(s.B * s.N * find.tiles * kQueries, kAttentionWarps)), kAttentionThreads, 0, find);
  launch(context, name, attention_query_gradients<D>, grid(s.N), kThreads, sizeof(QueryRoom<D>), a, q_kept, k_map, v_map, dy_kept);
  launch(context, name, attention_key_gradients<D>, grid(s.G), kThreads, sizeof(KeyRoom<D>), a, q_map, k_map, v_map, dy_map);
  return true;
}

}  // namespace

std::size_t attention_backward_wgmma_bytes(const AttentionShape& s) { return static_cast<std::size_t>(s.B * s.N * tiles_of(s)) * sizeof(Facts); }

bool launch_attention_backward_wgmma(const CudaContext& context, const AttentionGradients& given, const uint16_t* q, const uint16_t* k, const uint16_t* v,
                                     const uint16_t* dy, const AttentionShape& s, void* scratch) {
  if (!wants_attention_wgmma() || s.T < 1 || s.T > INT32_MAX / 2 || s.B > INT32_MAX) return false;
  for (const Out& to : {given.dq, given.dk, given.dv}) {
    if (reinterpret_cast<std::uintptr_t>(to.data) % 16) return false;
  }
  const Backward a{given.dq, given.dk, given.dv, static_cast<const Facts*>(scratch), s, tiles_of(s)};
  const FindFacts find{static_cast<Facts*>(scratch), given.y, given.dy, given.lse, s, a.tiles};
  return s.D == 64 ? launch_passes<64>(context, a, find, q, k, v, dy) : launch_passes<128>(context, a, find, q, k, v, dy);
}

}  // namespace cuda
}  // namespace espalier
