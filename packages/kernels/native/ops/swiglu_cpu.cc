// swiglu_cpu.cc -- see swiglu.h.
#include "ops/swiglu.h"

#include "math/vector.h"
#include "ops/blocks.h"

namespace espalier {
namespace ESPALIER_ISA {
namespace {

void run_swiglu(const OpCall& call, int64_t task_begin, int64_t task_end) {
  const Range range = element_range(call, task_begin, task_end);
  float* y = call.outputs[0].f32() + range.begin;
  const float* gate = call.inputs[0].f32() + range.begin;
  const float* up = call.inputs[1].f32() + range.begin;
  for_each_vector(range.end - range.begin, [&](int64_t i, int64_t lanes) {
    const vf g = load_some(gate + i, lanes);
    store_some(y + i, g * sigmoid(g).value * load_some(up + i, lanes), lanes);
  });
}

void run_swiglu_grad(const OpCall& call, int64_t task_begin, int64_t task_end) {
  const Range range = element_range(call, task_begin, task_end);
  float* d_gate = call.outputs[0].f32() + range.begin;
  float* d_up = call.outputs[1].f32() + range.begin;
  const float* gate = call.inputs[0].f32() + range.begin;
  const float* up = call.inputs[1].f32() + range.begin;
  const float* dy = call.inputs[2].f32() + range.begin;
  for_each_vector(range.end - range.begin, [&](int64_t i, int64_t lanes) {
    const vf g = load_some(gate + i, lanes);
    const vf u = load_some(up + i, lanes);
    const vf d = load_some(dy + i, lanes);
    const Sigmoid s = sigmoid(g);
    const vf silu = g * s.value;
    store_some(d_gate + i, d * u * fma(silu, s.complement, s.value), lanes);
    store_some(d_up + i, d * silu, lanes);
  });
}

double work(const OpCall& call) { return 48.0 * static_cast<double>(call.outputs[0].count); }

}  // namespace

const OpKernel swiglu_kernel = {
    "swiglu", "", element_tasks, run_swiglu, nullptr, nullptr, work, nullptr, nullptr, nullptr,
};
const OpKernel swiglu_grad_kernel = {
    "swigluGrad", "", element_tasks, run_swiglu_grad, nullptr, nullptr, work, nullptr, nullptr, nullptr,
};

}  // namespace ESPALIER_ISA
}  // namespace espalier
