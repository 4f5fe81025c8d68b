// causal_attention_cpu.h -- what causal_attention_forward_cpu.cc and causal_attention_backward_cpu.cc share.
//
// Vectors never run along D, which is small (16 to 128) and rarely a multiple of 16. The forward has queries in its
// lanes, the backward keys: either file says why.
#pragma once
#include "math/transpose.h"
#include "ops/blocks.h"
#include "ops/causal_attention.h"

namespace espalier {
namespace ESPALIER_ISA {
namespace causal_attention {

constexpr int64_t kBlock = 2 * kWidth;  // queries (forward) or keys (backward) in the lanes of one block

struct Shape {
  int64_t B, T, N, G, D, group;
  int64_t query_stride, key_stride;  // floats from one position to the next
  const int32_t* lengths;            // null: every sequence is full
  const int32_t* starts;             // null: all 0
  float scale;

  // The first key that position t sees.
  int64_t start(int64_t b, int64_t t) const { return starts ? larger(0, smaller(starts[b * T + t], t)) : 0; }
  int64_t length(int64_t b) const { return lengths ? larger(0, smaller(lengths[b], T)) : T; }
  int64_t query_offset(int64_t b, int64_t t, int64_t n) const { return (b * T + t) * query_stride + n * D; }
  int64_t key_offset(int64_t b, int64_t t, int64_t g) const { return (b * T + t) * key_stride + g * D; }
};

inline Shape shape_of(const OpCall& call, int32_t lengths_input) {
  const int64_t* q = call.inputs[0].dims;
  const int64_t G = call.inputs[1].dims[2];
  return {q[0], q[1], q[2], G, q[3], q[2] / G, q[2] * q[3], G * q[3],
          call.num_inputs > lengths_input ? call.inputs[lengths_input].i32() : nullptr,
          call.num_inputs > lengths_input + 1 ? call.inputs[lengths_input + 1].i32() : nullptr,
          static_cast<float>(call.attributes[0])};
}

inline void clear(float* p, int64_t count) { std::memset(p, 0, static_cast<std::size_t>(count) * sizeof(float)); }

// target [D][kBlock] = factor * the `count` rows of source, transposed; lanes beyond `count` are 0.
inline void load_transposed(float* target, const float* source, int64_t stride, int64_t count, int64_t D, float factor) {
  if (count < kBlock) clear(target, D * kBlock);
  transpose(target, kBlock, source, stride, count, D);
  if (factor == 1.0f) return;
  for (int64_t i = 0; i < D * kBlock; i += kWidth) store(target + i, splat(factor) * load(target + i));
}

// Multiply-adds of the causal half, and 16 operations an exponential.
inline double attention_work(const OpCall& call, double products) {
  const Shape s = shape_of(call, 99);
  return static_cast<double>(s.B * s.N) * static_cast<double>(s.T * s.T) * (products * static_cast<double>(s.D) + 8.0);
}

}  // namespace causal_attention
}  // namespace ESPALIER_ISA
}  // namespace espalier
