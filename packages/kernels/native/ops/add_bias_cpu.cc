// add_bias_cpu.cc -- see add_bias.h. columnSum: see ops/column_sums.h.
#include "ops/add_bias.h"

#include "ops/blocks.h"
#include "ops/column_sums.h"
#include "simd/simd.h"

namespace espalier {
namespace ESPALIER_ISA {
namespace {

void run_add_bias(const OpCall& call, int64_t task_begin, int64_t task_end) {
  const Range rows = row_range(call, task_begin, task_end);
  const int64_t N = call.outputs[0].last();
  const float* bias = call.inputs[1].f32();
  for (int64_t r = rows.begin; r < rows.end; ++r) {
    float* y = call.outputs[0].f32() + r * N;
    const float* x = call.inputs[0].f32() + r * N;
    for_each_vector(N, [&](int64_t i, int64_t lanes) {
      store_some(y + i, load_some(x + i, lanes) + load_some(bias + i, lanes), lanes);
    });
  }
}

int64_t num_sum_tasks(const OpCall& call) { return reduction_blocks(call.inputs[0].rows()); }

std::size_t sum_scratch(const OpCall& call) { return column_sums_bytes(call.inputs[0].rows(), call.inputs[0].last()); }

void run_column_sum(const OpCall& call, int64_t task_begin, int64_t task_end) {
  const TensorView& dy = call.inputs[0];
  for (int64_t task = task_begin; task < task_end; ++task) {
    sum_block_of_columns(static_cast<float*>(call.scratch), dy.f32(), dy.rows(), dy.last(), task);
  }
}

void finish_column_sum(const OpCall& call) {
  const TensorView& dy = call.inputs[0];
  finish_column_sums(call.outputs[0].f32(), static_cast<const float*>(call.scratch), dy.rows(), dy.last(), accumulates(call, call.attributes[0]));
}

double sum_work(const OpCall& call) { return 8.0 * static_cast<double>(call.inputs[0].count); }

}  // namespace

const OpKernel add_bias_kernel = {
    "addBias", "", row_tasks, run_add_bias, nullptr, nullptr, elementwise_work, nullptr, nullptr, nullptr,
};
const OpKernel column_sum_kernel = {
    "columnSum",       "accumulate", num_sum_tasks, run_column_sum, finish_column_sum, sum_scratch, sum_work, nullptr,
    nullptr, nullptr,
};

}  // namespace ESPALIER_ISA
}  // namespace espalier
