// blend_cpu.cc -- see blend.h. Both products are formed, so that m = 0 gives a and m = 1 gives b exactly.
#include "ops/blend.h"

#include "ops/blocks.h"
#include "simd/simd.h"

namespace espalier {
namespace ESPALIER_ISA {
namespace {

void run_blend(const OpCall& call, int64_t task_begin, int64_t task_end) {
  const Range range = element_range(call, task_begin, task_end);
  float* y = call.outputs[0].f32() + range.begin;
  const float* a = call.inputs[0].f32() + range.begin;
  const float* b = call.inputs[1].f32() + range.begin;
  const float m = call.inputs[2].f32()[0];
  const vf of_a = splat(1.0f - m), of_b = splat(m);
  for_each_vector(range.end - range.begin, [&](int64_t i, int64_t lanes) {
    store_some(y + i, fma(of_a, load_some(a + i, lanes), of_b * load_some(b + i, lanes)), lanes);
  });
}

void run_blend_grad(const OpCall& call, int64_t task_begin, int64_t task_end) {
  const Range range = element_range(call, task_begin, task_end);
  float* da = call.outputs[0].f32() + range.begin;
  float* db = call.outputs[1].f32() + range.begin;
  const float* dy = call.inputs[0].f32() + range.begin;
  const float m = call.inputs[1].f32()[0];
  const vf of_a = splat(1.0f - m), of_b = splat(m);
  for_each_vector(range.end - range.begin, [&](int64_t i, int64_t lanes) {
    const vf g = load_some(dy + i, lanes);
    store_some(da + i, of_a * g, lanes);
    store_some(db + i, of_b * g, lanes);
  });
}

}  // namespace

const OpKernel blend_kernel = {
    "blend", "", element_tasks, run_blend, nullptr, nullptr, elementwise_work, nullptr, nullptr, nullptr,
};
const OpKernel blend_grad_kernel = {
    "blendGrad", "", element_tasks, run_blend_grad, nullptr, nullptr, elementwise_work, nullptr, nullptr, nullptr,
};

}  // namespace ESPALIER_ISA
}  // namespace espalier
