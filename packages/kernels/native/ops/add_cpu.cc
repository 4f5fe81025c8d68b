// add_cpu.cc -- see add.h.
#include "ops/add.h"

#include "ops/blocks.h"
#include "simd/simd.h"

namespace espalier {
namespace ESPALIER_ISA {
namespace {

void run(const OpCall& call, int64_t task_begin, int64_t task_end) {
  const Range range = element_range(call, task_begin, task_end);
  float* y = call.outputs[0].f32() + range.begin;
  const float* a = call.inputs[0].f32() + range.begin;
  const float* b = call.inputs[1].f32() + range.begin;
  for_each_vector(range.end - range.begin, [&](int64_t i, int64_t lanes) {
    store_some(y + i, load_some(a + i, lanes) + load_some(b + i, lanes), lanes);
  });
}

}  // namespace

const OpKernel add_kernel = {
    "add", "", element_tasks, run, nullptr, nullptr, elementwise_work, nullptr, nullptr, nullptr,
};

}  // namespace ESPALIER_ISA
}  // namespace espalier
