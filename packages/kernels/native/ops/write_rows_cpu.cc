// write_rows_cpu.cc -- see write_rows.h.
#include "ops/write_rows.h"

#include "ops/blocks.h"
#include "simd/simd.h"

namespace espalier {
namespace ESPALIER_ISA {
namespace {

int64_t row_size(const OpCall& call) { return call.inputs[0].count / larger(1, call.inputs[1].count); }
int64_t rows_in_task(const OpCall& call) { return larger(1, kTaskElements / larger(1, row_size(call))); }
int64_t num_tasks(const OpCall& call) { return ceil_div(call.inputs[1].count, rows_in_task(call)); }

void run(const OpCall& call, int64_t task_begin, int64_t task_end) {
  const int64_t size = row_size(call), P = call.outputs[0].count / larger(1, size);
  const int64_t end = smaller(task_end * rows_in_task(call), call.inputs[1].count);
  for (int64_t r = task_begin * rows_in_task(call); r < end; ++r) {
    const int64_t row = call.inputs[1].i32()[r];
    if (row < 0 || row >= P) continue;
    std::memcpy(call.outputs[0].f32() + row * size, call.inputs[0].f32() + r * size,
                static_cast<std::size_t>(size) * sizeof(float));
  }
}

double work(const OpCall& call) { return 16.0 * static_cast<double>(call.inputs[0].count); }

}  // namespace

const OpKernel write_rows_kernel = {
    "writeRows", "", num_tasks, run, nullptr, nullptr, work, nullptr, nullptr, nullptr,
};

}  // namespace ESPALIER_ISA
}  // namespace espalier
