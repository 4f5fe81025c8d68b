// norm_rows.h -- what the two norms share: channel weights and sums along a row.
#pragma once
#include "math/vector.h"
#include "ops/blocks.h"

namespace espalier {
namespace ESPALIER_ISA {

// Channel weights c [C] of a masked norm, or none (c = 1): a constant of the row loops, so that they have no branch.
template <bool kWeighted>
struct ChannelWeights {
  const float* c;     // null without weights
  float inverse_sum;  // 1/S

  // c of a vector of channels; lanes beyond the row are 0, so that they add nothing to a weighted sum.
  ESPALIER_INLINE vf of(int64_t i, int64_t lanes) const {
    if (kWeighted) return load_some(c + i, lanes);
    return lanes == kWidth ? splat(1.0f) : keep_first(splat(1.0f), lanes);
  }
  ESPALIER_INLINE vf times(vf a, int64_t i, int64_t lanes) const { return kWeighted ? of(i, lanes) * a : a; }
};

// Calls body with the weights of a call; `input` is the index of the optional last input c.
template <class Body>
ESPALIER_INLINE void with_channel_weights(const OpCall& call, int32_t input, int64_t C, Body body) {
  if (call.num_inputs <= input) return body(ChannelWeights<false>{nullptr, 1.0f / static_cast<float>(C)});
  const float* c = call.inputs[input].f32();
  vf sum = zero();
  for_each_vector(C, [&](int64_t i, int64_t lanes) { sum += load_some(c + i, lanes); });
  body(ChannelWeights<true>{c, 1.0f / reduce_add(sum)});
}

// sum = a + b for elements [begin, end); sum may lie over a or b.
ESPALIER_INLINE void add_rows(float* sum, const float* a, const float* b, int64_t begin, int64_t end) {
  for_each_vector(end - begin, [&](int64_t i, int64_t lanes) {
    store_some(sum + begin + i, load_some(a + begin + i, lanes) + load_some(b + begin + i, lanes), lanes);
  });
}

inline float inverse_sqrt(float x) { return 1.0f / __builtin_sqrtf(x); }

// Two passes over a row that stays in L1: about twice the time of an op with one.
inline double norm_work(const OpCall& call) { return 32.0 * static_cast<double>(call.outputs[0].count); }

}  // namespace ESPALIER_ISA
}  // namespace espalier
