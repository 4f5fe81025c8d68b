// gelu_erf_cpu.cc -- see gelu_erf.h.
#include "ops/gelu_erf.h"

#include "math/gelu_erf.h"
#include "ops/blocks.h"

namespace espalier {
namespace ESPALIER_ISA {
namespace {

void run_gelu_erf(const OpCall& call, int64_t task_begin, int64_t task_end) {
  const Range range = element_range(call, task_begin, task_end);
  float* y = call.outputs[0].f32() + range.begin;
  const float* x = call.inputs[0].f32() + range.begin;
  for_each_vector(range.end - range.begin,
                  [&](int64_t i, int64_t lanes) { store_some(y + i, gelu_erf(load_some(x + i, lanes)), lanes); });
}

void run_gelu_erf_grad(const OpCall& call, int64_t task_begin, int64_t task_end) {
  const Range range = element_range(call, task_begin, task_end);
  float* dx = call.outputs[0].f32() + range.begin;
  const float* x = call.inputs[0].f32() + range.begin;
  const float* dy = call.inputs[1].f32() + range.begin;
  for_each_vector(range.end - range.begin, [&](int64_t i, int64_t lanes) {
    store_some(dx + i, load_some(dy + i, lanes) * gelu_erf_derivative(load_some(x + i, lanes)), lanes);
  });
}

// About 30 operations an element, one of them a division.
double work(const OpCall& call) { return 60.0 * static_cast<double>(call.outputs[0].count); }

}  // namespace

const OpKernel gelu_erf_kernel = {
    "geluErf", "", element_tasks, run_gelu_erf, nullptr, nullptr, work, nullptr, nullptr, nullptr,
};
const OpKernel gelu_erf_grad_kernel = {
    "geluErfGrad", "", element_tasks, run_gelu_erf_grad, nullptr, nullptr, work, nullptr, nullptr, nullptr,
};

}  // namespace ESPALIER_ISA
}  // namespace espalier
