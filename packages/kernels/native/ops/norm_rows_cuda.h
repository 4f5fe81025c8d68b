// norm_rows_cuda.h -- what the two norms share on a GPU: a warp takes a row, its lanes take turns along the channels.
#pragma once
#include "cuda/device_math.h"
#include "cuda/launch.h"

namespace espalier {
namespace cuda {

constexpr int kNormThreads = 256;
constexpr int kRowsPerBlock = kNormThreads / kWarpSize;

// Channel weights c [C], or 1 for each.
struct ChannelWeights {
  In c;
  template <int W>
  __device__ __forceinline__ void load(int64_t i, float (&to)[W]) const {
    if (c.data) {
      c.load<W>(i, to);
    } else {
#pragma unroll
      for (int j = 0; j < W; ++j) to[j] = 1.0f;
    }
  }
};

// x of a norm: a tensor, or the sum of two, which is written as it is read first and normalised as it is stored.
struct NormInput {
  In x;
  In addend;  // no data: x alone
  Out sum;
  // x at i, the first time that the lane comes there.
  template <int W>
  __device__ __forceinline__ void first(int64_t i, float (&to)[W]) const {
    x.load<W>(i, to);
    if (!addend.data) return;
    float more[W];
    addend.load<W>(i, more);
#pragma unroll
    for (int j = 0; j < W; ++j) {
      to[j] += more[j];
      if (sum.bf16) to[j] = from_bf16(to_bf16(to[j]));
    }
    sum.store<W>(i, to);
  }
  // x at i, later.
  template <int W>
  __device__ __forceinline__ void load(int64_t i, float (&to)[W]) const {
    if (addend.data) In{sum.data, sum.bf16}.load<W>(i, to);
    else x.load<W>(i, to);
  }
};

// Adds what reaches the same value around the norm, when there is such a thing.
template <int W>
__device__ __forceinline__ void add_residual(const In& residual, int64_t i, float (&to)[W]) {
  if (!residual.data) return;
  float more[W];
  residual.load<W>(i, more);
#pragma unroll
  for (int j = 0; j < W; ++j) to[j] += more[j];
}

// Calls f(i, W elements at i) for the lane's share of a row of C channels.
template <int W, class F>
__device__ __forceinline__ void for_lane_channels(int64_t C, F f) {
  for (int64_t i = int64_t(threadIdx.x % kWarpSize) * W; i < C; i += kWarpSize * W) f(i);
}

// S = sum of c, known to every lane.
template <int W>
__device__ __forceinline__ float weight_sum(const ChannelWeights& weights, int64_t C) {
  if (!weights.c.data) return static_cast<float>(C);
  float sum = 0.0f;
  for_lane_channels<W>(C, [&](int64_t i) {
    float c[W];
    weights.load<W>(i, c);
#pragma unroll
    for (int j = 0; j < W; ++j) sum += c[j];
  });
  return warp_sum(sum);
}

// The row of this warp, or -1 beyond the last; the same for all lanes, so that a warp leaves as a whole.
__device__ __forceinline__ int64_t row_of_warp(int64_t R) {
  const int64_t row = int64_t(blockIdx.x) * kRowsPerBlock + threadIdx.x / kWarpSize;
  return row < R ? row : -1;
}

template <class Arguments>
void launch_rows(const CudaContext& context, const char* name, void (*wide)(Arguments), void (*narrow)(Arguments), const Arguments& a) {
  launch(context, name, a.C % kWide == 0 ? wide : narrow, dim3(blocks_for(a.R, kRowsPerBlock)), kNormThreads, 0, a);
}

}  // namespace cuda
}  // namespace espalier
