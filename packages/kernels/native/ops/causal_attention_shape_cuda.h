// causal_attention_shape_cuda.h -- the sizes of a causal attention, as its kernels take them.
#pragma once
#include "cuda/platform.h"
#include "executor/op.h"

namespace espalier {
namespace cuda {

struct AttentionShape {
  int64_t B, T, N, G, D;
  const int32_t* lengths;  // null: every sequence is full
  float scale;

#if defined(ESPALIER_EMULATED) || defined(__CUDACC__)
  __device__ __forceinline__ int64_t length(int64_t b) const {
    return lengths ? max(int64_t(0), min(int64_t(lengths[b]), T)) : T;
  }
  // Offsets of the row of a position and head.
  __device__ __forceinline__ int64_t query(int64_t b, int64_t t, int64_t n) const { return ((b * T + t) * N + n) * D; }
  __device__ __forceinline__ int64_t key(int64_t b, int64_t t, int64_t g) const { return ((b * T + t) * G + g) * D; }
#endif
};

inline AttentionShape attention_shape(const OpCall& call, int32_t lengths_input) {
  const int64_t* q = call.inputs[0].dims;
  return {q[0], q[1], q[2], call.inputs[1].dims[2], q[3],
          call.num_inputs > lengths_input ? call.inputs[lengths_input].i32() : nullptr, static_cast<float>(call.attributes[0])};
}

}  // namespace cuda
}  // namespace espalier
