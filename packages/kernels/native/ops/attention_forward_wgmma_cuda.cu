// attention_forward_wgmma_cuda.cu -- see attention_wgmma_cuda.h. A block keeps the queries of a head, 64 a warpgroup, and walks over
// keys in tiles of 128, two of keys and two of values in shared memory, brought by one thread of a further warpgroup, which has
// given its registers away. Scores, probabilities and results stay in registers.
//
// The softmax of a tile runs while the tensor cores multiply the probabilities of the tile before it by their values, and while
// the other warpgroups multiply: they take turns to issue, each letting the next one go on when its products are under way. After
// Shah et al. 2024, arXiv:2407.08608 (FlashAttention-3), sections 3.1 and 3.2.
#include <cstdlib>
#include <cstring>

#include "cuda/hopper_code.h"
#include "ops/attention_wgmma_cuda.h"

namespace espalier {
namespace cuda {
namespace {

constexpr int kKeys = 128, kStages = 2;

// Warpgroups that compute, and their registers: at head size 64 exponentials take longer than products, and three hide them better
// (the same paper).
template <int D>
constexpr int kGroups = D == 64 ? 3 : 2;
template <int D>
constexpr int kRegisters = D == 64 ? 160 : 240;
template <int D>
constexpr int kThreads = (kGroups<D> + 1) * kGroupThreads;
template <int D>
constexpr int kRows = kGroups<D> * kGroupRows;

template <int D>
struct Room {
  HeadTile<D, kRows<D>> q;
  HeadTile<D, kKeys> k[kStages], v[kStages];
  uint64_t q_full, k_full[kStages], k_empty[kStages], v_full[kStages], v_empty[kStages];
};

struct Forward {
  Out y, lse;
  AttentionShape s;
  bool turns;
};
[[maybe_unused]] constexpr int kTurnBarrier = 2;  // of the first group; barrier 1 is clear_rows's

template <int D>
__global__ void __launch_bounds__(kThreads<D>, 1) attention_forward(Forward a, const __grid_constant__ TensorMap q_map, const __grid_constant__ TensorMap k_map,
                                                                    const __grid_constant__ TensorMap v_map) {
#if defined(ESPALIER_HOPPER)
  Room<D>& room = *block_memory<Room<D>>();
  const AttentionShape& s = a.s;
  const int group = static_cast<int>(threadIdx.x) / kGroupThreads, lane = static_cast<int>(threadIdx.x) % kWarpSize;
  // The longest rows first: they take the most time.
  const int64_t first = int64_t(gridDim.x - 1 - blockIdx.x) * kRows<D>, n = blockIdx.y, b = blockIdx.z, g = n / (s.N / s.G);
  const int64_t length = s.length(b), key_end = first < length ? min(first + kRows<D>, length) : 0;
  const int first_tile = key_end > 0 ? static_cast<int>(s.start(b, first) / kKeys) : 0;  // starts do not fall
  const int steps = static_cast<int>((key_end + kKeys - 1) / kKeys) - first_tile;
  if (threadIdx.x == 0) {
    init_barrier(&room.q_full, 1);
    for (int i = 0; i < kStages; ++i) {
      init_barrier(&room.k_full[i], 1);
      init_barrier(&room.v_full[i], 1);
      init_barrier(&room.k_empty[i], kGroups<D> * kGroupThreads / kWarpSize);
      init_barrier(&room.v_empty[i], kGroups<D> * kGroupThreads / kWarpSize);
    }
    publish_barriers();
  }
  __syncthreads();

  if (group == kGroups<D>) {
    give_registers<kProducerRegisters>();
    if (threadIdx.x != kGroups<D> * kGroupThreads) return;
    if (steps > 0) {
      arrive_expecting(&room.q_full, sizeof(room.q));
      copy_head(room.q, q_map, n, first, b, &room.q_full);
    }
    for (int step = 0; step < steps; ++step) {
      const int at = step % kStages, parity = (step / kStages & 1) ^ 1;  // the first time nobody has been there
      const int64_t key = int64_t(first_tile + step) * kKeys;
      wait_phase(&room.k_empty[at], parity);
      arrive_expecting(&room.k_full[at], sizeof(room.k[at]));
      copy_head(room.k[at], k_map, g, key, b, &room.k_full[at]);
      wait_phase(&room.v_empty[at], parity);
      arrive_expecting(&room.v_full[at], sizeof(room.v[at]));
      copy_head(room.v[at], v_map, g, key, b, &room.v_full[at]);
    }
    return;
  }

  take_registers<kRegisters<D>>();
  const int group_first = static_cast<int>(first) + kGroupRows * group;
  const float to_log2 = s.scale * kLog2E;
  int start[2] = {0, 0}, highest_start = 0;
  if (s.starts) {
    const int64_t last = min(int64_t(group_first + kGroupRows), length) - 1;
    highest_start = last >= group_first ? static_cast<int>(s.start(b, last)) : 0;
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const int t = group_first + sum_row(2 * half);
      start[half] = t < length ? static_cast<int>(s.start(b, t)) : 0;
    }
  }
  float sum[D / 2], score[kKeys / 2], top[2] = {-INFINITY, -INFINITY}, total[2] = {0.0f, 0.0f}, shrink[2];
  uint32_t p[kKeys / 16][4];
#pragma unroll
  for (int i = 0; i < D / 2; ++i) sum[i] = 0.0f;

  const auto leave = [&](uint64_t* barrier) {
    __syncwarp();
    if (lane == 0) arrive(barrier);
  };
  // A group issues when the one before it has: its barrier counts both. The last one opens the first turn, and nobody a turn
  // that does not come.
  const auto turn_of = [](int of) { return kTurnBarrier + of % kGroups<D>; };
  const auto take_turn = [&] {
    if (a.turns) sync_threads(turn_of(group), 2 * kGroupThreads);
  };
  const auto pass_turn = [&](int step) {
    if (a.turns && (group + 1 < kGroups<D> || step + 1 < steps)) arrive_threads(turn_of(group + 1), 2 * kGroupThreads);
  };
  const auto await_keys = [&](int step) { wait_phase(&room.k_full[step % kStages], step / kStages & 1); };
  const auto begin_scores = [&](int step) {
    fence_products();
    multiply_by_transpose(score, room.q, kGroupRows * group, room.k[step % kStages]);
    commit_products();
  };
  const auto await_values = [&](int step) {
    wait_phase(&room.v_full[step % kStages], step / kStages & 1);
    // What lies behind a sequence's length may be no number, and its probability 0 would not help.
    const int64_t behind = length - int64_t(first_tile + step) * kKeys;
    if (s.lengths && behind < kKeys) clear_rows(room.v[step % kStages], static_cast<int>(behind), kGroups<D> * kGroupThreads);
  };
  const auto begin_results = [&](int step) {
    hold(sum);
    fence_products();
    multiply_by_rows<D, kKeys>(sum, p, room.v[step % kStages]);
    commit_products();
  };
  // Of scores their powers of two, less the highest of the row; `shrink` is for what was summed before.
  const auto soften = [&](int step) {
    const int key = (first_tile + step) * kKeys;
    if (key + kKeys > group_first || key < highest_start) {  // some keys are after some queries, or before their starts
      SeenColumns seen[2];
#pragma unroll
      for (int half = 0; half < 2; ++half) seen[half] = {start[half] - key - sum_column(0), group_first + sum_row(2 * half) - key - sum_column(0)};
#pragma unroll
      for (int i = 0; i < kKeys / 2; ++i) {
        if (!seen[i % 4 / 2].has(sum_place(i))) score[i] = -INFINITY;
      }
    }
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      float highest = top[half];
#pragma unroll
      for (int j = 0; j < kKeys / 8; ++j) highest = fmaxf(highest, fmaxf(score[4 * j + 2 * half], score[4 * j + 2 * half + 1]));
      highest = row_max(highest);
      const float less = highest == -INFINITY ? 0.0f : highest * to_log2;  // a row that has seen no key yet
      shrink[half] = power_of_two(top[half] * to_log2 - less);
      top[half] = highest;
      float part = 0.0f;
#pragma unroll
      for (int j = 0; j < kKeys / 8; ++j) {
#pragma unroll
        for (int i = 4 * j + 2 * half; i < 4 * j + 2 * half + 2; ++i) {
          score[i] = power_of_two(score[i] * to_log2 - less);
          part += score[i];
        }
      }
      total[half] = total[half] * shrink[half] + part;  // of this lane's columns; lanes are added at the end
    }
  };

  if (steps > 0) {
    wait_phase(&room.q_full, 0);
    await_keys(0);
    begin_scores(0);
    if (a.turns && steps > 1 && group + 1 == kGroups<D>) arrive_threads(turn_of(0), 2 * kGroupThreads);
    wait_products<0>();
    hold(score);
    leave(&room.k_empty[0]);
    soften(0);
    round_to_left(p, score);
    for (int step = 1; step < steps; ++step) {
      await_values(step - 1);
      await_keys(step);
      take_turn();
      begin_scores(step);
      begin_results(step - 1);
      pass_turn(step);
      wait_products<1>();
      hold(score);
      leave(&room.k_empty[step % kStages]);
      soften(step);
      wait_products<0>();
      hold(sum);
      leave(&room.v_empty[(step - 1) % kStages]);
#pragma unroll
      for (int i = 0; i < D / 2; ++i) sum[i] *= shrink[i % 4 / 2];
      round_to_left(p, score);
    }
    await_values(steps - 1);
    begin_results(steps - 1);
    wait_products<0>();
    hold(sum);
  }
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const int64_t t = int64_t(group_first) + sum_row(2 * half);
    const float all = row_sum(total[half]);
    const bool live = t < length;
    store_row<D>(a.y, s.query(b, t, n), sum, half, 1.0f / all, live, t < s.T);
    if (t < s.T && threadIdx.x % 4 == 0) a.lse.set((b * s.N + n) * s.T + t, live ? top[half] * s.scale + logf(all) : 0.0f);
  }
#endif
}

template <int D>
bool launch_forward(const CudaContext& context, const Forward& a, const uint16_t* q, const uint16_t* k, const uint16_t* v) {
  static const bool has_code = has_hopper_code(reinterpret_cast<const void*>(attention_forward<D>));
  const AttentionShape& s = a.s;
  TensorMap q_map{}, k_map{}, v_map{};
  if (!has_code || !describe_heads(q_map, q, s, s.N, kRows<D>) || !describe_heads(k_map, k, s, s.G, kKeys) || !describe_heads(v_map, v, s, s.G, kKeys)) return false;
  const dim3 grid(blocks_for(s.T, kRows<D>), static_cast<unsigned>(s.N), static_cast<unsigned>(s.B));
  launch(context, "causalAttention", attention_forward<D>, grid, kThreads<D>, sizeof(Room<D>), a, q_map, k_map, v_map);
  return true;
}

}  // namespace

bool wants_attention_wgmma() {
  const char* const setting = std::getenv("ESPALIER_CUDA_ATTENTION");
#if defined(ESPALIER_EMULATED)
  return setting && std::strcmp(setting, "wgmma") == 0;
#else
  return !setting || std::strcmp(setting, "wgmma") == 0;
#endif
}

bool launch_attention_forward_wgmma(const CudaContext& context, Out y, Out lse, const uint16_t* q, const uint16_t* k, const uint16_t* v, const AttentionShape& s) {
  if (!wants_attention_wgmma() || s.T < 1 || s.T > INT32_MAX / 2 || s.B > INT32_MAX || reinterpret_cast<std::uintptr_t>(y.data) % 16) return false;
  const char* const turns = std::getenv("ESPALIER_CUDA_ATTENTION_TURNS");
  const Forward a{y, lse, s, !turns || std::strcmp(turns, "0") != 0};
  return s.D == 64 ? launch_forward<64>(context, a, q, k, v) : launch_forward<128>(context, a, q, k, v);
}

}  // namespace cuda
}  // namespace espalier
