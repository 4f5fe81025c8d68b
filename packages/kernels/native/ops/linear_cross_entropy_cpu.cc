// linear_cross_entropy_cpu.cc -- see linear_cross_entropy.h.
//
// Stages of the forward op: pack head^T; row blocks.
// Stages of the two others: pack head^T and head; then for each block of rows
//   rows:    logits of a few row tiles at a time, softmax in place, dx; beside them, x of the block is packed
//   columns: dHead += g^T x over tiles of the vocabulary
#include "ops/linear_cross_entropy.h"

#include "math/scalar.h"
#include "math/vector.h"
#include "ops/blocks.h"
#include "ops/gemm.h"

namespace espalier {
namespace ESPALIER_ISA {

namespace {

constexpr int64_t kTilesPerTask = 4;
constexpr int64_t kTaskRows = kTilesPerTask * kTileRows;
constexpr int64_t kChunk = 512;  // columns: a multiple of kTileCols; with C = 192 the panels take 390 KB of L2
constexpr float kNotANumber = __builtin_nanf("");
constexpr int64_t kBlockLogits = int64_t(1) << 21;  // 8 MB of g, which stay in L3 between rows and columns

struct Operands {
  int64_t R, V, C;
  const float* x;
  const float* head;
  const int32_t* targets;
  const float* weights;
  float factor;
};

Operands operands_of(const OpCall& call) {
  const TensorView& x = call.inputs[0];
  const TensorView& head = call.inputs[1];
  return {x.rows(), head.rows(), x.last(), x.f32(), head.f32(), call.inputs[2].i32(), call.inputs[3].f32(),
          static_cast<float>(call.attributes[0])};
}

// What one row has seen of the vocabulary so far.
struct RowStatistics {
  float maximum = kMinusInfinity;
  float sum = 0;  // of exp(logit - maximum)
  int64_t first_largest = -1;
};

ESPALIER_INLINE vf load_or_lowest(const float* p, int64_t lanes) {
  if (lanes == kWidth) return load(p);
  return select(lane_numbers(0) < splat(static_cast<float>(lanes)), load_tail(p, lanes), splat(kMinusInfinity));
}

// Takes logits of columns [first, first + n) in. With `keep`, they become exp(logit - maximum) where they stand, which
// is right when the row is taken in at once.
void take_in(RowStatistics& row, float* logits, int64_t first, int64_t n, bool keep) {
  vf largest = splat(kMinusInfinity);
  for_each_vector(n, [&](int64_t i, int64_t lanes) { largest = max(largest, load_or_lowest(logits + i, lanes)); });
  const float maximum = reduce_max(largest);
  if (maximum > row.maximum) {
    int64_t i = 0;
    while (i < n && logits[i] != maximum) ++i;
    row.first_largest = first + i;
    row.sum *= static_cast<float>(exp_double(static_cast<double>(row.maximum) - static_cast<double>(maximum)));
    row.maximum = maximum;
  }
  const vf shift = splat(row.maximum);
  vf sum = zero();
  for_each_vector(n, [&](int64_t i, int64_t lanes) {
    const vf e = exp(load_or_lowest(logits + i, lanes) - shift);
    sum += e;
    if (keep) store_some(logits + i, e, lanes);
  });
  row.sum += reduce_add(sum);
}

float lse_of(const RowStatistics& row) {
  return static_cast<float>(static_cast<double>(row.maximum) + log_double(static_cast<double>(row.sum)));
}

// logits [rows, columns first .. first + n) of rows from `row`, into `out` with the given stride.
void logits_of(const Operands& o, const float* packed_head, float* a_tile, int64_t row, int64_t rows, int64_t first,
               int64_t n, float* out, int64_t stride) {
  const Product product = {out, stride, {o.x + row * o.C, o.C, false}, packed_head + first * o.C, rows, n, o.C, o.factor,
                           false};
  multiply_tiles(product, a_tile, 0, tile_count(rows), 0, panel_count(n));
}

struct RowResults {
  float* token_loss;
  float* greedy;
  float* lse;
};

void write_row(const Operands& o, const RowResults& to, int64_t r, const RowStatistics& row, float target_logit) {
  const int32_t target = o.targets[r];
  to.lse[r] = lse_of(row);
  to.token_loss[r] = target < 0 ? 0.0f : to.lse[r] - target_logit;
  to.greedy[r] = target >= 0 && row.first_largest == target ? 1.0f : 0.0f;
}

// loss = sum weights tokenLoss, in row order. Outputs 0 and 1 of the ops that have a loss.
void finish_loss(const OpCall& call) {
  const Operands o = operands_of(call);
  const float* token_loss = call.outputs[1].f32();
  double loss = 0;
  for (int64_t r = 0; r < o.R; ++r) {
    if (o.targets[r] >= 0) loss += static_cast<double>(o.weights[r]) * static_cast<double>(token_loss[r]);
  }
  call.outputs[0].f32()[0] = static_cast<float>(loss);
}

double product_flops(const OpCall& call) {
  const Operands o = operands_of(call);
  return 2.0 * static_cast<double>(o.R) * static_cast<double>(o.V) * static_cast<double>(o.C);
}

// --- forward ---

enum ForwardStage : int32_t { pack = 0, rows = 1 };

int32_t forward_stages(const OpCall&) { return 2; }

int64_t forward_tasks(const OpCall& call, int32_t stage) {
  const Operands o = operands_of(call);
  return stage == pack ? panel_count(o.V) : ceil_div(o.R, kTaskRows);
}

void run_forward(const OpCall& call, int32_t stage, int64_t task_begin, int64_t task_end) {
  const Operands o = operands_of(call);
  float* packed_head = static_cast<float*>(call.scratch);
  if (stage == pack) {
    pack_panels(packed_head, {o.head, o.C, true}, o.C, o.V, task_begin, task_end);
    return;
  }
  const RowResults results = {call.outputs[1].f32(), call.outputs[2].f32(), call.outputs[3].f32()};
  char* room = static_cast<char*>(thread_scratch(kTileBytes + kTaskRows * kChunk * sizeof(float)));
  float* a_tile = reinterpret_cast<float*>(room);
  float* logits = reinterpret_cast<float*>(room + kTileBytes);
  for (int64_t task = task_begin; task < task_end; ++task) {
    const int64_t row = task * kTaskRows;
    const int64_t count = smaller(kTaskRows, o.R - row);
    RowStatistics statistics[kTaskRows];
    float target_logits[kTaskRows];  // stays not a number for a target that no chunk holds
    for (float& logit : target_logits) logit = kNotANumber;
    for (int64_t first = 0; first < o.V; first += kChunk) {
      const int64_t n = smaller(kChunk, o.V - first);
      logits_of(o, packed_head, a_tile, row, count, first, n, logits, kChunk);
      for (int64_t i = 0; i < count; ++i) {
        const int64_t target = o.targets[row + i];
        if (target >= first && target < first + n) target_logits[i] = logits[i * kChunk + target - first];
        take_in(statistics[i], logits + i * kChunk, first, n, false);
      }
    }
    for (int64_t i = 0; i < count; ++i) write_row(o, results, row + i, statistics[i], target_logits[i]);
  }
}

std::size_t forward_scratch(const OpCall& call) {
  const Operands o = operands_of(call);
  return packed_bytes(o.C, o.V);
}

// --- gradient, with or without the loss ---

struct Gradient {
  Operands o;
  int64_t block_rows, blocks;
  float* packed_transposed;  // head^T [C, V], for the logits
  float* packed_head;        // head [V, C], for dx
  float* packed_x;           // x of a block [block_rows, C], for dHead
  float* g;                  // [block_rows, V]
  std::size_t bytes;         // of all four
  float* dx;
  float* dHead;
  const float* lse;          // given, or
  RowResults results;        // to be computed
};

// The first attribute is factor, the second accumulate; outputs end with dx, dHead.
Gradient gradient_of(const OpCall& call, bool with_loss) {
  Gradient gradient{};
  const Operands o = gradient.o = operands_of(call);
  const int64_t fitting = larger(1, kBlockLogits / larger(1, o.V) / kTaskRows) * kTaskRows;
  gradient.block_rows = smaller(o.R, fitting);
  gradient.blocks = gradient.block_rows > 0 ? ceil_div(o.R, gradient.block_rows) : 0;
  char* const scratch = static_cast<char*>(call.scratch);
  const auto take = [&](std::size_t bytes) {
    float* const place = reinterpret_cast<float*>(scratch + gradient.bytes);
    gradient.bytes += (bytes + 63) / 64 * 64;
    return place;
  };
  gradient.packed_transposed = take(packed_bytes(o.C, o.V));
  gradient.packed_head = take(packed_bytes(o.V, o.C));
  gradient.packed_x = take(packed_bytes(gradient.block_rows, o.C));
  gradient.g = take(static_cast<std::size_t>(gradient.block_rows * o.V) * sizeof(float));
  gradient.dx = call.outputs[with_loss ? 4 : 0].f32();
  gradient.dHead = call.outputs[with_loss ? 5 : 1].f32();
  if (with_loss) gradient.results = {call.outputs[1].f32(), call.outputs[2].f32(), call.outputs[3].f32()};
  else gradient.lse = call.inputs[4].f32();
  return gradient;
}

// g of one row from its logits, in place.
void row_gradient(const Gradient& gradient, int64_t r, float* logits) {
  const Operands& o = gradient.o;
  const int64_t target = o.targets[r];
  const bool known = target >= 0 && target < o.V;
  const float scale = target < 0 ? 0.0f : known ? o.factor * o.weights[r] : kNotANumber;
  float share = scale;
  if (gradient.lse) {
    const vf shift = splat(gradient.lse[r]);
    for_each_vector(o.V, [&](int64_t i, int64_t lanes) {
      store_some(logits + i, exp(load_some(logits + i, lanes) - shift), lanes);
    });
  } else {
    const float target_logit = known ? logits[target] : kNotANumber;
    RowStatistics row;
    take_in(row, logits, 0, o.V, true);
    write_row(o, gradient.results, r, row, target_logit);
    share = scale / row.sum;
  }
  const vf factor = splat(share);
  for_each_vector(o.V, [&](int64_t i, int64_t lanes) {
    store_some(logits + i, load_some(logits + i, lanes) * factor, lanes);
  });
  if (known) logits[target] -= scale;
}

// Rows of one task: logits, g, dx.
void row_block(const Gradient& gradient, float* a_tile, int64_t row, int64_t count, float* g) {
  const Operands& o = gradient.o;
  for (int64_t first = 0; first < o.V; first += kChunk) {
    const int64_t n = smaller(kChunk, o.V - first);
    logits_of(o, gradient.packed_transposed, a_tile, row, count, first, n, g + first, o.V);
  }
  for (int64_t i = 0; i < count; ++i) row_gradient(gradient, row + i, g + i * o.V);
  const Product dx = {gradient.dx + row * o.C, o.C, {g, o.V, false}, gradient.packed_head, count, o.C, o.V, 1.0f, false};
  multiply_tiles(dx, a_tile, 0, tile_count(count), 0, panel_count(o.C));
}

// Stage 0 packs; then two stages a block of rows.
int32_t stages_of(const Gradient& gradient) { return static_cast<int32_t>(1 + 2 * gradient.blocks); }

int64_t rows_in(const Gradient& gradient, int64_t block) {
  return smaller(gradient.block_rows, gradient.o.R - block * gradient.block_rows);
}

int64_t tasks_of(const Gradient& gradient, int32_t stage) {
  const Operands& o = gradient.o;
  if (stage == 0) return panel_count(o.V) + panel_count(o.C);
  const int64_t block = (stage - 1) / 2;
  if (stage % 2 == 1) return ceil_div(rows_in(gradient, block), kTaskRows) + panel_count(o.C);
  return ceil_div(tile_count(o.V), kTilesPerTask);
}

void run_task(const OpCall& call, const Gradient& gradient, float* a_tile, int32_t stage, int64_t task) {
  const Operands& o = gradient.o;
  if (stage == 0) {
    const int64_t panels = panel_count(o.V);
    if (task < panels) pack_panels(gradient.packed_transposed, {o.head, o.C, true}, o.C, o.V, task, task + 1);
    else pack_panels(gradient.packed_head, {o.head, o.C, false}, o.V, o.C, task - panels, task - panels + 1);
    return;
  }
  const int64_t block = (stage - 1) / 2;
  const int64_t first_row = block * gradient.block_rows;
  const int64_t count = rows_in(gradient, block);
  const float* x = o.x + first_row * o.C;
  if (stage % 2 == 1) {
    const int64_t row_tasks = ceil_div(count, kTaskRows);
    if (task >= row_tasks) {
      pack_panels(gradient.packed_x, {x, o.C, false}, count, o.C, task - row_tasks, task - row_tasks + 1);
      return;
    }
    const int64_t begin = task * kTaskRows;
    row_block(gradient, a_tile, first_row + begin, smaller(kTaskRows, count - begin), gradient.g + begin * o.V);
    return;
  }
  const bool add = block > 0 || accumulates(call, call.attributes[1]);
  const Product dHead = {gradient.dHead, o.C, {gradient.g, o.V, true}, gradient.packed_x, o.V, o.C, count, 1.0f, add};
  const int64_t tile = task * kTilesPerTask;
  multiply_tiles(dHead, a_tile, tile, smaller(tile + kTilesPerTask, tile_count(o.V)), 0, panel_count(o.C));
}

template <bool kWithLoss>
int32_t gradient_stages(const OpCall& call) {
  return stages_of(gradient_of(call, kWithLoss));
}

template <bool kWithLoss>
int64_t gradient_tasks(const OpCall& call, int32_t stage) {
  return tasks_of(gradient_of(call, kWithLoss), stage);
}

template <bool kWithLoss>
void run_gradient(const OpCall& call, int32_t stage, int64_t task_begin, int64_t task_end) {
  const Gradient gradient = gradient_of(call, kWithLoss);
  float* a_tile = static_cast<float*>(thread_scratch(kTileBytes));
  for (int64_t task = task_begin; task < task_end; ++task) run_task(call, gradient, a_tile, stage, task);
}

template <bool kWithLoss>
std::size_t gradient_scratch(const OpCall& call) {
  return gradient_of(call, kWithLoss).bytes;
}

double gradient_flops(const OpCall& call) { return 3 * product_flops(call); }

}  // namespace

const OpKernel linear_cross_entropy_kernel = {
    "linearCrossEntropy", "factor", nullptr, nullptr, finish_loss, forward_scratch, product_flops,
    forward_stages, forward_tasks, run_forward,
};
const OpKernel linear_cross_entropy_grad_kernel = {
    "linearCrossEntropyGrad", "factor,accumulate", nullptr, nullptr, nullptr, gradient_scratch<false>, gradient_flops,
    gradient_stages<false>, gradient_tasks<false>, run_gradient<false>,
};
const OpKernel linear_cross_entropy_with_grad_kernel = {
    "linearCrossEntropyWithGrad", "factor,accumulate", nullptr, nullptr, finish_loss, gradient_scratch<true>,
    gradient_flops, gradient_stages<true>, gradient_tasks<true>, run_gradient<true>,
};

}  // namespace ESPALIER_ISA
}  // namespace espalier
