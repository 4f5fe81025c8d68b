// gelu_cpu.cc -- see gelu.h.
#include "ops/gelu.h"

#include "math/gelu.h"
#include "ops/blocks.h"

namespace espalier {
namespace ESPALIER_ISA {
namespace {

void run_gelu(const OpCall& call, int64_t task_begin, int64_t task_end) {
  const Range range = element_range(call, task_begin, task_end);
  float* y = call.outputs[0].f32() + range.begin;
  const float* x = call.inputs[0].f32() + range.begin;
  for_each_vector(range.end - range.begin,
                  [&](int64_t i, int64_t lanes) { store_some(y + i, gelu(load_some(x + i, lanes)), lanes); });
}

void run_gelu_grad(const OpCall& call, int64_t task_begin, int64_t task_end) {
  const Range range = element_range(call, task_begin, task_end);
  float* dx = call.outputs[0].f32() + range.begin;
  const float* x = call.inputs[0].f32() + range.begin;
  const float* dy = call.inputs[1].f32() + range.begin;
  for_each_vector(range.end - range.begin, [&](int64_t i, int64_t lanes) {
    store_some(dx + i, load_some(dy + i, lanes) * gelu_derivative(load_some(x + i, lanes)), lanes);
  });
}

// About 20 operations an element, one of them a division.
double work(const OpCall& call) { return 48.0 * static_cast<double>(call.outputs[0].count); }

}  // namespace

const OpKernel gelu_kernel = {
    "gelu", "", element_tasks, run_gelu, nullptr, nullptr, work, nullptr, nullptr, nullptr,
};
const OpKernel gelu_grad_kernel = {
    "geluGrad", "", element_tasks, run_gelu_grad, nullptr, nullptr, work, nullptr, nullptr, nullptr,
};

}  // namespace ESPALIER_ISA
}  // namespace espalier
