// scale_cpu.cc -- see scale.h.
#include "ops/scale.h"

#include "ops/blocks.h"
#include "simd/simd.h"

namespace espalier {
namespace ESPALIER_ISA {
namespace {

void run_scale(const OpCall& call, int64_t task_begin, int64_t task_end) {
  const Range range = element_range(call, task_begin, task_end);
  float* y = call.outputs[0].f32() + range.begin;
  const float* x = call.inputs[0].f32() + range.begin;
  const vf factor = splat(static_cast<float>(call.attributes[0]));
  for_each_vector(range.end - range.begin,
                  [&](int64_t i, int64_t lanes) { store_some(y + i, factor * load_some(x + i, lanes), lanes); });
}

void run_scale_columns(const OpCall& call, int64_t task_begin, int64_t task_end) {
  const Range rows = row_range(call, task_begin, task_end);
  const int64_t N = call.outputs[0].last();
  const float* gate = call.inputs[1].f32();
  for (int64_t r = rows.begin; r < rows.end; ++r) {
    float* y = call.outputs[0].f32() + r * N;
    const float* x = call.inputs[0].f32() + r * N;
    for_each_vector(N, [&](int64_t i, int64_t lanes) {
      store_some(y + i, load_some(x + i, lanes) * load_some(gate + i, lanes), lanes);
    });
  }
}

}  // namespace

const OpKernel scale_kernel = {
    "scale", "factor", element_tasks, run_scale, nullptr, nullptr, elementwise_work, nullptr, nullptr, nullptr,
};
const OpKernel scale_columns_kernel = {
    "scaleColumns", "", row_tasks, run_scale_columns, nullptr, nullptr, elementwise_work, nullptr, nullptr, nullptr,
};

}  // namespace ESPALIER_ISA
}  // namespace espalier
