// causal_attention_shape_cuda.h -- the sizes of a causal attention, as its kernels take them.
#pragma once
#include "cuda/platform.h"
#include "executor/op.h"

namespace espalier {
namespace cuda {

struct AttentionShape {
  int64_t B, T, N, G, D;
  const int32_t* lengths;  // null: every sequence is full
  const int32_t* starts;   // null: all 0
  float scale;

#if defined(ESPALIER_EMULATED) || defined(__CUDACC__)
  __device__ __forceinline__ int64_t length(int64_t b) const {
    return lengths ? max(int64_t(0), min(int64_t(lengths[b]), T)) : T;
  }
  // The first key that position t < T sees.
  __device__ __forceinline__ int64_t start(int64_t b, int64_t t) const {
    return starts ? max(int64_t(0), min(int64_t(starts[b * T + t]), t)) : 0;
  }
  // The first key that any of the positions [begin, end) sees.
  __device__ __forceinline__ int64_t lowest_start(int64_t b, int64_t begin, int64_t end) const {
    int64_t low = starts && begin < end ? T : 0;
    for (int64_t t = begin; starts && t < end; ++t) low = min(low, start(b, t));
    return low;
  }
  // Offsets of the row of a position and head.
  __device__ __forceinline__ int64_t query(int64_t b, int64_t t, int64_t n) const { return ((b * T + t) * N + n) * D; }
  __device__ __forceinline__ int64_t key(int64_t b, int64_t t, int64_t g) const { return ((b * T + t) * G + g) * D; }
#endif
};

inline AttentionShape attention_shape(const OpCall& call, int32_t lengths_input) {
  const int64_t* q = call.inputs[0].dims;
  return {q[0], q[1], q[2], call.inputs[1].dims[2], q[3],
          call.num_inputs > lengths_input ? call.inputs[lengths_input].i32() : nullptr,
          call.num_inputs > lengths_input + 1 ? call.inputs[lengths_input + 1].i32() : nullptr, static_cast<float>(call.attributes[0])};
}

}  // namespace cuda
}  // namespace espalier
