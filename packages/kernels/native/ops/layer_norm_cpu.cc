// layer_norm_cpu.cc -- see layer_norm.h. A row is read three times, from L1 after the first: the variance is taken
// around the mean (the one-pass formula cancels), and the backward needs both sums before it can write.
#include "ops/layer_norm.h"

#include "ops/norm_rows.h"

namespace espalier {
namespace ESPALIER_ISA {
namespace {

// Rows [begin, end), few enough to stay in L1. Step by step for all of them, since one row alone is a long chain of
// dependent sums: with several in flight a step costs its work, not its latency.
template <class Weights>
void normalize_rows(const OpCall& call, const float* input, int32_t first_parameter, const Weights& weights, int64_t begin, int64_t end) {
  const int64_t C = call.outputs[0].last();
  const float* gain = call.inputs[first_parameter].f32();
  const float* bias = call.inputs[first_parameter + 1].f32();
  float* means = call.outputs[1].f32();
  float* rstds = call.outputs[2].f32();
  const float epsilon = static_cast<float>(call.attributes[0]);
  for (int64_t r = begin; r < end; ++r) {
    vf sum = zero();
    for_each_vector(C, [&](int64_t i, int64_t lanes) {
      sum = fma(weights.of(i, lanes), load_some(input + r * C + i, lanes), sum);
    });
    means[r] = reduce_add(sum) * weights.inverse_sum;
  }
  for (int64_t r = begin; r < end; ++r) {
    const vf mean = splat(means[r]);
    vf squares = zero();
    for_each_vector(C, [&](int64_t i, int64_t lanes) {
      const vf centred = load_some(input + r * C + i, lanes) - mean;
      squares = fma(weights.of(i, lanes) * centred, centred, squares);
    });
    rstds[r] = inverse_sqrt(reduce_add(squares) * weights.inverse_sum + epsilon);
  }
  for (int64_t r = begin; r < end; ++r) {
    const vf mean = splat(means[r]), rstd = splat(rstds[r]);
    float* y = call.outputs[0].f32() + r * C;
    for_each_vector(C, [&](int64_t i, int64_t lanes) {
      const vf xhat = (load_some(input + r * C + i, lanes) - mean) * rstd;
      const vf plain = fma(xhat, load_some(gain + i, lanes), load_some(bias + i, lanes));
      store_some(y + i, weights.times(plain, i, lanes), lanes);
    });
  }
}

// The sum of two inputs first when kOfSum, as many rows at a time as stay in L1.
template <bool kOfSum>
void run_layer_norm(const OpCall& call, int64_t task_begin, int64_t task_end) {
  constexpr int64_t kL1Elements = 4096;
  constexpr int32_t kFirstParameter = kOfSum ? 2 : 1;
  const Range rows = row_range(call, task_begin, task_end);
  const int64_t C = call.outputs[0].last();
  const int64_t together = larger(1, kL1Elements / C);
  const float* input = kOfSum ? call.outputs[3].f32() : call.inputs[0].f32();
  with_channel_weights(call, kFirstParameter + 2, C, [&](const auto& weights) {
    for (int64_t r = rows.begin; r < rows.end; r += together) {
      const int64_t end = smaller(r + together, rows.end);
      if (kOfSum) add_rows(call.outputs[3].f32(), call.inputs[0].f32(), call.inputs[1].f32(), r * C, end * C);
      normalize_rows(call, input, kFirstParameter, weights, r, end);
    }
  });
}

template <bool kPlusResidual, class Weights>
void differentiate_rows(const OpCall& call, const Weights& weights, Range rows) {
  const int64_t C = call.outputs[0].last();
  const float* gain = call.inputs[4].f32();
  for (int64_t r = rows.begin; r < rows.end; ++r) {
    float* dx = call.outputs[0].f32() + r * C;
    const float* dy = call.inputs[0].f32() + r * C;
    const float* x = call.inputs[1].f32() + r * C;
    const vf mean = splat(call.inputs[2].f32()[r]), rstd = splat(call.inputs[3].f32()[r]);
    // a = c gain dy and xhat of a vector of channels
    const auto a_of = [&](int64_t i, int64_t lanes) {
      return weights.times(load_some(gain + i, lanes) * load_some(dy + i, lanes), i, lanes);
    };
    const auto xhat_of = [&](int64_t i, int64_t lanes) { return (load_some(x + i, lanes) - mean) * rstd; };
    vf sum_a = zero(), sum_a_xhat = zero();
    for_each_vector(C, [&](int64_t i, int64_t lanes) {
      const vf a = a_of(i, lanes);
      sum_a += a;
      sum_a_xhat = fma(a, xhat_of(i, lanes), sum_a_xhat);
    });
    const vf mean_a = splat(reduce_add(sum_a) * weights.inverse_sum);
    const vf mean_a_xhat = splat(reduce_add(sum_a_xhat) * weights.inverse_sum);
    for_each_vector(C, [&](int64_t i, int64_t lanes) {
      const vf along = weights.times(fma(xhat_of(i, lanes), mean_a_xhat, mean_a), i, lanes);
      vf result = rstd * (a_of(i, lanes) - along);
      if (kPlusResidual) result += load_some(call.inputs[5].f32() + r * C + i, lanes);
      store_some(dx + i, result, lanes);
    });
  }
}

template <bool kPlusResidual>
void run_layer_norm_grad(const OpCall& call, int64_t task_begin, int64_t task_end) {
  with_channel_weights(call, kPlusResidual ? 6 : 5, call.outputs[0].last(), [&](const auto& weights) {
    differentiate_rows<kPlusResidual>(call, weights, row_range(call, task_begin, task_end));
  });
}

}  // namespace

const OpKernel layer_norm_kernel = {
    "layerNorm", "epsilon", row_tasks, run_layer_norm<false>, nullptr, nullptr, norm_work, nullptr, nullptr, nullptr,
};
const OpKernel layer_norm_grad_kernel = {
    "layerNormGrad", "", row_tasks, run_layer_norm_grad<false>, nullptr, nullptr, norm_work, nullptr, nullptr, nullptr,
};
const OpKernel add_layer_norm_kernel = {
    "addLayerNorm", "epsilon", row_tasks, run_layer_norm<true>, nullptr, nullptr, norm_work, nullptr, nullptr, nullptr,
};
const OpKernel layer_norm_grad_add_kernel = {
    "layerNormGradAdd", "", row_tasks, run_layer_norm_grad<true>, nullptr, nullptr, norm_work, nullptr, nullptr, nullptr,
};

}  // namespace ESPALIER_ISA
}  // namespace espalier
