// norm_parameter_grad_cpu.cc -- see norm_parameter_grad.h. One block of rows a task (ops/blocks.h) into two rows of the
// scratch memory, gain and bias; then the blocks in order. c is the same in every row, so it multiplies at the end.
#include "ops/norm_parameter_grad.h"

#include "ops/blocks.h"
#include "simd/simd.h"

namespace espalier {
namespace ESPALIER_ISA {
namespace {

struct Arguments {
  const float *dy, *x, *mean, *rstd, *c;  // mean and c may be null
  int64_t R, C;
};

Arguments arguments_of(const OpCall& call) {
  const bool has_mean = call.attributes[1] != 0.0, has_weights = call.attributes[2] != 0.0;
  int32_t next = 2;
  Arguments a{};
  a.dy = call.inputs[0].f32();
  a.x = call.inputs[1].f32();
  a.mean = has_mean ? call.inputs[next++].f32() : nullptr;
  a.rstd = call.inputs[next++].f32();
  a.c = has_weights ? call.inputs[next++].f32() : nullptr;
  a.R = call.inputs[0].rows();
  a.C = call.inputs[0].last();
  return a;
}

int64_t num_tasks(const OpCall& call) { return reduction_blocks(call.inputs[0].rows()); }

std::size_t scratch_bytes(const OpCall& call) {
  return sizeof(float) * static_cast<std::size_t>(2 * num_tasks(call) * call.inputs[0].last());
}

void run(const OpCall& call, int64_t task_begin, int64_t task_end) {
  const Arguments a = arguments_of(call);
  const int64_t C = a.C, block = reduction_block_rows(a.R);
  for (int64_t task = task_begin; task < task_end; ++task) {
    float* partial = static_cast<float*>(call.scratch) + 2 * task * C;
    const int64_t row_end = smaller((task + 1) * block, a.R);
    for_each_vector(C, [&](int64_t i, int64_t lanes) {
      vf gain = zero(), bias = zero();
      for (int64_t r = task * block; r < row_end; ++r) {
        const vf dy = load_some(a.dy + r * C + i, lanes);
        const vf x = load_some(a.x + r * C + i, lanes);
        const vf centred = a.mean ? x - splat(a.mean[r]) : x;
        gain = fma(centred * splat(a.rstd[r]), dy, gain);
        bias += dy;
      }
      store_some(partial + i, gain, lanes);
      store_some(partial + C + i, bias, lanes);
    });
  }
}

void finish(const OpCall& call) {
  const Arguments a = arguments_of(call);
  const int64_t C = a.C, blocks = num_tasks(call);
  const bool accumulate = accumulates(call, call.attributes[0]);
  for (int32_t part = 0; part < (a.mean ? 2 : 1); ++part) {
    const float* partial = static_cast<const float*>(call.scratch) + part * C;
    float* d = call.outputs[part].f32();
    for_each_vector(C, [&](int64_t i, int64_t lanes) {
      vf sum = zero();
      for (int64_t b = 0; b < blocks; ++b) sum += load_some(partial + 2 * b * C + i, lanes);
      if (a.c) sum = sum * load_some(a.c + i, lanes);
      store_some(d + i, accumulate ? load_some(d + i, lanes) + sum : sum, lanes);
    });
  }
}

double work(const OpCall& call) { return 16.0 * static_cast<double>(call.inputs[0].count); }

}  // namespace

const OpKernel norm_parameter_grad_kernel = {
    "normParameterGrad", "accumulate,hasMean,hasChannelWeights", num_tasks, run, finish, scratch_bytes, work, nullptr,
    nullptr,             nullptr,
};

}  // namespace ESPALIER_ISA
}  // namespace espalier
