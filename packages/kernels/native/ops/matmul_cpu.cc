// matmul_cpu.cc -- see matmul.h. Two stages: pack a; then tasks, each some tiles of rows by some panels of columns, whose
// part of b is packed a block at a time into memory that stays in the core's cache. With biasGrad the blocks of rows of its sums are
// further tasks of the first stage, and their total is the last task of the second.
#include "ops/matmul.h"

#include "executor/op.h"
#include "math/gelu.h"
#include "ops/blocks.h"
#include "ops/column_sums.h"
#include "ops/gemm.h"
#include "ops/gemm_few_rows.h"

namespace espalier {
namespace ESPALIER_ISA {

namespace {

namespace at = matmul_attribute;

enum Stage : int32_t { pack_a = 0, products = 1 };

struct Operands {
  Matrix a, b;
  int64_t M, N, K;
  Precision precision;
  const float* bias;
  const float* gate;
  const float* residual;
  const float* gelu_of;
  float* y;
  float* pre;
  bool gelu;
  const TensorView* summed;  // with biasGrad; else null
  float* d;
};

Operands operands_of(const OpCall& call) {
  const double* attributes = call.attributes;
  const TensorView& a = call.inputs[0];
  const TensorView& b = call.inputs[1];
  Operands o{};
  o.a = {a.f32(), a.last(), attributes[at::trans_a] != 0};
  o.b = {b.f32(), b.last(), attributes[at::trans_b] != 0};
  o.M = o.a.transposed ? a.last() : a.rows();
  o.K = o.a.transposed ? a.rows() : a.last();
  o.N = o.b.transposed ? b.rows() : b.last();
  o.precision = attributes[at::bf16] != 0 ? Precision::bf16 : Precision::f32;
  int next = 2;
  if (attributes[at::bias] != 0) o.bias = call.inputs[next++].f32();
  if (attributes[at::gate] != 0) o.gate = call.inputs[next++].f32();
  if (attributes[at::residual] != 0) o.residual = call.inputs[next++].f32();
  if (attributes[at::gelu_grad] != 0) o.gelu_of = call.inputs[next++].f32();
  o.y = call.outputs[0].f32();
  o.pre = attributes[at::save_pre] != 0 ? call.outputs[1].f32() : nullptr;
  o.gelu = attributes[at::gelu] != 0;
  if (attributes[at::bias_grad] != 0) {
    o.summed = &call.inputs[attributes[at::bias_grad] == 1.0 ? 0 : 1];
    o.d = call.outputs[1].f32();
  }
  return o;
}

bool has_epilogue(const Operands& o) { return o.bias || o.gate || o.residual || o.pre || o.gelu || o.gelu_of; }

// How y is cut: 560 to 1100 rows in a task, since b is packed again for each run of rows, while their packed a, read once a
// panel, may lie in L3 (twice as many are 4 % slower in fp32 at k = 2048); then columns, until there are about 16 tasks, so
// that a few threads share them evenly.
struct Split {
  int64_t panels_per_task, tiles_per_task, column_blocks, row_blocks;
};

Split split_of(const Operands& o) {
  constexpr int64_t kTasks = 16, kFewestTiles = 40;
  const int64_t panels = panel_count(o.N), tiles = tile_count(o.M);
  Split s{};
  s.row_blocks = larger(1, tiles / kFewestTiles);
  s.tiles_per_task = larger(1, ceil_div(tiles, s.row_blocks));
  s.row_blocks = ceil_div(tiles, s.tiles_per_task);
  s.column_blocks = larger(1, smaller(panels, ceil_div(kTasks, larger(1, s.row_blocks))));
  s.panels_per_task = larger(1, ceil_div(panels, s.column_blocks));
  s.column_blocks = ceil_div(panels, s.panels_per_task);
  return s;
}

// flatten: the body is inlined for whole vectors and for the tail, where the compiler alone would call it.
__attribute__((flatten)) void apply_epilogue(const void* context, int64_t row_begin, int64_t row_end, int64_t col_begin, int64_t col_end) {
  const Operands& o = *static_cast<const Operands*>(context);
  for (int64_t row = row_begin; row < row_end; ++row) {
    const int64_t start = row * o.N + col_begin;
    for_each_vector(col_end - col_begin, [&](int64_t j, int64_t lanes) {
      vf z = load_some(o.y + start + j, lanes);
      if (o.bias) z = z + load_some(o.bias + col_begin + j, lanes);
      if (o.pre) store_some(o.pre + start + j, z, lanes);
      if (o.gelu) z = gelu(z);
      if (o.gelu_of) z = z * gelu_derivative(load_some(o.gelu_of + start + j, lanes));
      if (o.gate) z = z * load_some(o.gate + col_begin + j, lanes);
      if (o.residual) z = z + load_some(o.residual + start + j, lanes);
      store_some(o.y + start + j, z, lanes);
    });
  }
}

int32_t num_stages(const OpCall&) { return 2; }

int64_t packing_tasks(const Operands& o) { return ceil_div(tile_count(o.M), kStrips); }

int64_t stage_tasks(const OpCall& call, int32_t stage) {
  const Operands o = operands_of(call);
  if (stage == pack_a) return packing_tasks(o) + (o.summed ? reduction_blocks(o.summed->rows()) : 0);
  const Split s = split_of(o);
  return s.row_blocks * s.column_blocks + (o.summed ? 1 : 0);
}

// Behind the packed rows.
float* partial_sums(const OpCall& call, const Operands& o) {
  return static_cast<float*>(call.scratch) + packed_rows_bytes(o.M, o.K, o.precision) / sizeof(float);
}

void run_stage(const OpCall& call, int32_t stage, int64_t task_begin, int64_t task_end) {
  const Operands o = operands_of(call);
  float* packed = static_cast<float*>(call.scratch);
  if (stage == pack_a) {
    const int64_t packing = packing_tasks(o), packing_end = smaller(task_end, packing);
    if (task_begin < packing_end) {
      pack_rows(packed, o.a, o.M, o.K, o.precision, task_begin * kStrips, smaller(packing_end * kStrips, tile_count(o.M)));
    }
    for (int64_t task = larger(task_begin, packing); task < task_end; ++task) {
      sum_block_of_columns(partial_sums(call, o), o.summed->f32(), o.summed->rows(), o.summed->last(), task - packing);
    }
    return;
  }
  const Split s = split_of(o);
  Product product{};
  product.c = o.y;
  product.c_stride = o.N;
  product.rows = packed;
  product.b = o.b;
  product.M = o.M;
  product.N = o.N;
  product.K = o.K;
  product.precision = o.precision;
  product.alpha = static_cast<float>(call.attributes[at::alpha]);
  product.add = accumulates(call, call.attributes[at::accumulate]);
  int32_t beside = 0;
  const float* const touched[kMostBeside] = {o.residual, o.gelu_of, o.pre};
  for (const float* each : touched) {
    if (each) product.beside[beside++] = each;
  }
  float* room = static_cast<float*>(thread_scratch(kPanelBytes));
  const auto multiply_part = has_few_rows(product) ? multiply_few_rows : multiply;
  const Epilogue epilogue = has_epilogue(o) ? apply_epilogue : nullptr;
  const int64_t product_tasks = s.row_blocks * s.column_blocks;
  thread_local int64_t task_before = 0;
  for (int64_t task = task_begin, end; task < task_end; task = end) {
    end = task + 1;
    if (task == product_tasks) {
      finish_column_sums(o.d, partial_sums(call, o), o.summed->rows(), o.summed->last(), product.add);
      continue;
    }
    // Tasks of neighbouring columns are one run of panels, each packed while the one before it is multiplied.
    if (s.row_blocks == 1) end = smaller(task_end, product_tasks);
    // Threads that share tasks evenly take them in steps of their number. A wrong guess costs some reading, no more.
    const int64_t next = end - 1 + (task > task_before ? task - task_before : 1);
    task_before = end - 1;
    product.next_panel = next < product_tasks ? next / s.row_blocks * s.panels_per_task : -1;
    const int64_t tile = task % s.row_blocks * s.tiles_per_task;
    multiply_part(product, room, tile, smaller(tile + s.tiles_per_task, tile_count(o.M)), task / s.row_blocks * s.panels_per_task,
                  smaller(((end - 1) / s.row_blocks + 1) * s.panels_per_task, panel_count(o.N)), epilogue, &o);
  }
}

std::size_t scratch_bytes(const OpCall& call) {
  const Operands o = operands_of(call);
  return packed_rows_bytes(o.M, o.K, o.precision) + (o.summed ? column_sums_bytes(o.summed->rows(), o.summed->last()) : 0);
}

double flops(const OpCall& call) {
  const Operands o = operands_of(call);
  return 2.0 * static_cast<double>(o.M) * static_cast<double>(o.N) * static_cast<double>(o.K);
}

}  // namespace

extern const OpKernel matmul_kernel;
const OpKernel matmul_kernel = {
    "matmul", at::names, nullptr, nullptr, nullptr, scratch_bytes, flops, num_stages, stage_tasks, run_stage,
};

}  // namespace ESPALIER_ISA
}  // namespace espalier
