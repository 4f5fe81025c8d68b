// gather_rows_cpu.cc -- see gather_rows.h.
#include "ops/gather_rows.h"

#include "ops/blocks.h"
#include "simd/simd.h"

namespace espalier {
namespace ESPALIER_ISA {
namespace {

void run(const OpCall& call, int64_t task_begin, int64_t task_end) {
  const Range rows = row_range(call, task_begin, task_end);
  const TensorView& x = call.inputs[0];
  const int64_t T = x.dims[1], C = x.dims[2];
  for (int64_t b = rows.begin; b < rows.end; ++b) {
    const int64_t t = call.inputs[1].i32()[b];
    float* y = call.outputs[0].f32() + b * C;
    if (t >= 0 && t < T) {
      std::memcpy(y, x.f32() + (b * T + t) * C, static_cast<std::size_t>(C) * sizeof(float));
    } else {
      for (int64_t c = 0; c < C; ++c) y[c] = __builtin_nanf("");
    }
  }
}

}  // namespace

const OpKernel gather_rows_kernel = {
    "gatherRows", "", row_tasks, run, nullptr, nullptr, elementwise_work, nullptr, nullptr, nullptr,
};

}  // namespace ESPALIER_ISA
}  // namespace espalier
