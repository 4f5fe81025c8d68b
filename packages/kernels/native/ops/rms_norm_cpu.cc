// rms_norm_cpu.cc -- see rms_norm.h.
#include "ops/rms_norm.h"

#include "ops/norm_rows.h"

namespace espalier {
namespace ESPALIER_ISA {
namespace {

// The sum of two inputs first when kOfSum, row by row.
template <bool kOfSum, class Weights>
void normalize_rows(const OpCall& call, const Weights& weights, Range rows) {
  const int64_t C = call.outputs[0].last();
  const float* input = kOfSum ? call.outputs[2].f32() : call.inputs[0].f32();
  const float* gain = call.inputs[kOfSum ? 2 : 1].f32();
  const float epsilon = static_cast<float>(call.attributes[0]);
  for (int64_t r = rows.begin; r < rows.end; ++r) {
    float* y = call.outputs[0].f32() + r * C;
    const float* x = input + r * C;
    if (kOfSum) add_rows(call.outputs[2].f32(), call.inputs[0].f32(), call.inputs[1].f32(), r * C, (r + 1) * C);
    vf squares = zero();
    for_each_vector(C, [&](int64_t i, int64_t lanes) {
      const vf v = load_some(x + i, lanes);
      squares = fma(weights.times(v, i, lanes), v, squares);
    });
    const float rstd = inverse_sqrt(reduce_add(squares) * weights.inverse_sum + epsilon);
    call.outputs[1].f32()[r] = rstd;
    for_each_vector(C, [&](int64_t i, int64_t lanes) {
      const vf plain = load_some(x + i, lanes) * splat(rstd) * load_some(gain + i, lanes);
      store_some(y + i, weights.times(plain, i, lanes), lanes);
    });
  }
}

template <bool kOfSum>
void run_rms_norm(const OpCall& call, int64_t task_begin, int64_t task_end) {
  with_channel_weights(call, kOfSum ? 3 : 2, call.outputs[0].last(), [&](const auto& weights) {
    normalize_rows<kOfSum>(call, weights, row_range(call, task_begin, task_end));
  });
}

template <bool kPlusResidual, class Weights>
void differentiate_rows(const OpCall& call, const Weights& weights, Range rows) {
  const int64_t C = call.outputs[0].last();
  const float* gain = call.inputs[3].f32();
  for (int64_t r = rows.begin; r < rows.end; ++r) {
    float* dx = call.outputs[0].f32() + r * C;
    const float* dy = call.inputs[0].f32() + r * C;
    const float* x = call.inputs[1].f32() + r * C;
    const vf rstd = splat(call.inputs[2].f32()[r]);
    const auto a_of = [&](int64_t i, int64_t lanes) {
      return weights.times(load_some(gain + i, lanes) * load_some(dy + i, lanes), i, lanes);
    };
    vf sum_a_xhat = zero();
    for_each_vector(C, [&](int64_t i, int64_t lanes) {
      sum_a_xhat = fma(a_of(i, lanes), load_some(x + i, lanes) * rstd, sum_a_xhat);
    });
    const vf mean_a_xhat = splat(reduce_add(sum_a_xhat) * weights.inverse_sum);
    for_each_vector(C, [&](int64_t i, int64_t lanes) {
      const vf along = weights.times(load_some(x + i, lanes) * rstd * mean_a_xhat, i, lanes);
      vf result = rstd * (a_of(i, lanes) - along);
      if (kPlusResidual) result += load_some(call.inputs[4].f32() + r * C + i, lanes);
      store_some(dx + i, result, lanes);
    });
  }
}

template <bool kPlusResidual>
void run_rms_norm_grad(const OpCall& call, int64_t task_begin, int64_t task_end) {
  with_channel_weights(call, kPlusResidual ? 5 : 4, call.outputs[0].last(), [&](const auto& weights) {
    differentiate_rows<kPlusResidual>(call, weights, row_range(call, task_begin, task_end));
  });
}

}  // namespace

const OpKernel rms_norm_kernel = {
    "rmsNorm", "epsilon", row_tasks, run_rms_norm<false>, nullptr, nullptr, norm_work, nullptr, nullptr, nullptr,
};
const OpKernel rms_norm_grad_kernel = {
    "rmsNormGrad", "", row_tasks, run_rms_norm_grad<false>, nullptr, nullptr, norm_work, nullptr, nullptr, nullptr,
};
const OpKernel add_rms_norm_kernel = {
    "addRmsNorm", "epsilon", row_tasks, run_rms_norm<true>, nullptr, nullptr, norm_work, nullptr, nullptr, nullptr,
};
const OpKernel rms_norm_grad_add_kernel = {
    "rmsNormGradAdd", "", row_tasks, run_rms_norm_grad<true>, nullptr, nullptr, norm_work, nullptr, nullptr, nullptr,
};

}  // namespace ESPALIER_ISA
}  // namespace espalier
