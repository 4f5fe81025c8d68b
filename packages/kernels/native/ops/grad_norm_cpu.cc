// grad_norm_cpu.cc -- see grad_norm.h.
#include "ops/grad_norm.h"

#include "ops/blocks.h"

namespace espalier {
namespace ESPALIER_ISA {

namespace {

constexpr int64_t kBlock = 65536;
constexpr int kLanes = 8;

int64_t num_tasks(const OpCall& call) {
  int64_t tasks = 0;
  for (int32_t i = 0; i < call.num_inputs; ++i) tasks += ceil_div(call.inputs[i].count, kBlock);
  return tasks;
}

double sum_of_squares(const float* g, int64_t n) {
  double lanes[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (int j = 0; j < kLanes; ++j) {
      const double x = g[i + j];
      lanes[j] += x * x;
    }
  }
  for (; i < n; ++i) lanes[i % kLanes] += static_cast<double>(g[i]) * static_cast<double>(g[i]);
  double sum = 0;
  for (const double lane : lanes) sum += lane;
  return sum;
}

void run(const OpCall& call, int64_t task_begin, int64_t task_end) {
  double* partial = static_cast<double*>(call.scratch);
  int64_t first = 0;  // task of this input's first block
  for (int32_t i = 0; i < call.num_inputs && first < task_end; ++i) {
    const TensorView& g = call.inputs[i];
    const int64_t blocks = ceil_div(g.count, kBlock);
    for (int64_t task = larger(first, task_begin); task < smaller(first + blocks, task_end); ++task) {
      const int64_t begin = (task - first) * kBlock;
      partial[task] = sum_of_squares(g.f32() + begin, smaller(kBlock, g.count - begin));
    }
    first += blocks;
  }
}

void finish(const OpCall& call) {
  const double* partial = static_cast<const double*>(call.scratch);
  const int64_t tasks = num_tasks(call);
  double sum = 0;
  for (int64_t task = 0; task < tasks; ++task) sum += partial[task];
  call.outputs[0].f32()[0] = static_cast<float>(__builtin_sqrt(sum));
}

std::size_t scratch_bytes(const OpCall& call) { return static_cast<std::size_t>(num_tasks(call)) * sizeof(double); }

double flops(const OpCall& call) {
  double elements = 0;
  for (int32_t i = 0; i < call.num_inputs; ++i) elements += static_cast<double>(call.inputs[i].count);
  return 4 * elements;
}

}  // namespace

const OpKernel grad_norm_kernel = {
    "gradNorm", "", num_tasks, run, finish, scratch_bytes, flops, nullptr, nullptr, nullptr,
};

}  // namespace ESPALIER_ISA
}  // namespace espalier
