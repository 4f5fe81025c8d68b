// embedding_cpu.cc -- see embedding.h. The gradient is split over channels, not over tokens: each task walks all
// positions in order for its own columns of the table, so the order of additions needs no sorting and no atomics, and
// tasks are equally long however the tokens fall.
#include "ops/embedding.h"

#include "ops/blocks.h"
#include "simd/simd.h"

namespace espalier {
namespace ESPALIER_ISA {
namespace {

void run_embedding(const OpCall& call, int64_t task_begin, int64_t task_end) {
  const Range rows = row_range(call, task_begin, task_end);
  const int32_t* tokens = call.inputs[0].i32();
  const TensorView& table = call.inputs[1];
  const int64_t C = table.last(), V = table.rows();
  for (int64_t r = rows.begin; r < rows.end; ++r) {
    float* y = call.outputs[0].f32() + r * C;
    const int64_t token = tokens[r];
    const bool known = token >= 0 && token < V;
    const float* row = table.f32() + (known ? token * C : 0);
    const vf factor = splat(known ? static_cast<float>(call.attributes[0]) : __builtin_nanf(""));
    for_each_vector(C, [&](int64_t i, int64_t lanes) { store_some(y + i, factor * load_some(row + i, lanes), lanes); });
  }
}

// About eight tasks, whole cache lines each.
int64_t columns_per_task(int64_t C) { return larger(16, ceil_div(ceil_div(C, 8), 16) * 16); }

int64_t num_grad_tasks(const OpCall& call) {
  const int64_t C = call.inputs[1].last();
  return ceil_div(C, columns_per_task(C));
}

void run_embedding_grad(const OpCall& call, int64_t task_begin, int64_t task_end) {
  const int32_t* tokens = call.inputs[0].i32();
  const float* dy = call.inputs[1].f32();
  float* table = call.outputs[0].f32();
  const int64_t C = call.inputs[1].last(), V = call.outputs[0].count / C, R = call.inputs[0].count;
  const int64_t first = task_begin * columns_per_task(C);
  const int64_t columns = smaller(task_end * columns_per_task(C), C) - first;
  const vf factor = splat(static_cast<float>(call.attributes[0]));
  if (!accumulates(call, call.attributes[1])) {
    for (int64_t v = 0; v < V; ++v) {
      float* row = table + v * C + first;
      for_each_vector(columns, [&](int64_t i, int64_t lanes) { store_some(row + i, zero(), lanes); });
    }
  }
  for (int64_t r = 0; r < R; ++r) {
    if (tokens[r] < 0 || tokens[r] >= V) continue;
    float* row = table + tokens[r] * C + first;
    const float* d = dy + r * C + first;
    for_each_vector(columns, [&](int64_t i, int64_t lanes) {
      store_some(row + i, fma(factor, load_some(d + i, lanes), load_some(row + i, lanes)), lanes);
    });
  }
}

double grad_work(const OpCall& call) {
  return 16.0 * static_cast<double>(call.inputs[1].count) + 8.0 * static_cast<double>(call.outputs[0].count);
}

}  // namespace

const OpKernel embedding_kernel = {
    "embedding", "factor", row_tasks, run_embedding, nullptr, nullptr, elementwise_work, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, 1,
};
const OpKernel embedding_grad_kernel = {
    "embeddingGrad", "factor,accumulate", num_grad_tasks, run_embedding_grad, nullptr, nullptr, grad_work, nullptr,
    nullptr,         nullptr,
};

}  // namespace ESPALIER_ISA
}  // namespace espalier
