// add_bias_cpu.cc -- see add_bias.h. columnSum: one block of rows a task (ops/blocks.h), then the blocks in order.
#include "ops/add_bias.h"

#include "ops/blocks.h"
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

std::size_t sum_scratch(const OpCall& call) {
  return sizeof(float) * static_cast<std::size_t>(num_sum_tasks(call) * call.inputs[0].last());
}

void run_column_sum(const OpCall& call, int64_t task_begin, int64_t task_end) {
  const TensorView& dy = call.inputs[0];
  const int64_t N = dy.last(), R = dy.rows(), block = reduction_block_rows(R);
  for (int64_t task = task_begin; task < task_end; ++task) {
    float* partial = static_cast<float*>(call.scratch) + task * N;
    const int64_t row_end = smaller((task + 1) * block, R);
    for_each_vector(N, [&](int64_t i, int64_t lanes) {
      vf sum = zero();
      for (int64_t r = task * block; r < row_end; ++r) sum += load_some(dy.f32() + r * N + i, lanes);
      store_some(partial + i, sum, lanes);
    });
  }
}

void finish_column_sum(const OpCall& call) {
  const int64_t N = call.inputs[0].last(), blocks = num_sum_tasks(call);
  const float* partial = static_cast<const float*>(call.scratch);
  float* d = call.outputs[0].f32();
  const bool accumulate = accumulates(call, call.attributes[0]);
  for_each_vector(N, [&](int64_t i, int64_t lanes) {
    vf sum = zero();
    for (int64_t b = 0; b < blocks; ++b) sum += load_some(partial + b * N + i, lanes);
    store_some(d + i, accumulate ? load_some(d + i, lanes) + sum : sum, lanes);
  });
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
