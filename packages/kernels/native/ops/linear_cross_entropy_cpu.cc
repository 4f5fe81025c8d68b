// linear_cross_entropy_cpu.cc -- see linear_cross_entropy.h.
//
// Logits are held transposed, [V, rows]: words of the vocabulary are rows of a product with the packed x, so a vector
// runs over rows of x, whose maxima and sums then need no reduction inside of a vector.
//
// For each block of rows:
//   pack_x     x of the block as columns, for the logits and for dHead
//   logits     runs of the vocabulary: logits, and what each row sees of the run
//   rows       runs joined in order: lse, loss, greedy; the factor of every run and row
//   gradient   segments of the vocabulary: g, dHead = g^T x, a part of dx = g head
//   sum        parts of dx added in order
#include "ops/linear_cross_entropy.h"

#include "math/scalar.h"
#include "math/vector.h"
#include "ops/blocks.h"
#include "ops/gemm.h"

namespace espalier {
namespace ESPALIER_ISA {

namespace {

constexpr float kNotANumber = __builtin_nanf("");
// 128 MB: the head is packed twice and its gradient read and written once for each block of rows.
constexpr int64_t kBlockLogits = int64_t(1) << 25;
constexpr int64_t kRunWords = 256;                  // k of dx, in packed words, of the longest run
constexpr int64_t kRuns = 16;                       // runs that a small vocabulary is cut into, so that threads share it
constexpr int64_t kShortestRun = 64;
constexpr int64_t kSegments = 16;
// Numbers on a cache line. Rows of z are an odd number of lines apart: columns of it fall into all sets of L1.
constexpr int64_t kLineNumbers = 16;

enum Stage : int32_t { pack_x = 0, logits = 1, rows = 2, gradient = 3, sum = 4 };
enum class Kind { loss, gradient, both };

struct Operands {
  int64_t R, V, C;
  const float* x;
  const float* head;
  const int32_t* targets;
  const float* weights;
  float factor;
  Precision precision;
};

Operands operands_of(const OpCall& call, Kind kind) {
  const TensorView& x = call.inputs[0];
  const TensorView& head = call.inputs[1];
  const double bf16 = call.attributes[kind == Kind::loss ? 1 : 2];
  return {x.rows(), head.rows(), x.last(), x.f32(), head.f32(), call.inputs[2].i32(), call.inputs[3].f32(),
          static_cast<float>(call.attributes[0]), bf16 != 0 ? Precision::bf16 : Precision::f32};
}

// What rows of x have seen of a run: arrays of block_stride numbers.
struct RunStatistics {
  float* maximum;  // later: what turns exp(logit - maximum) into g + onehot
  float* sum;      // of exp(logit - maximum)
  float* first_largest;
};

// How the work is cut, by shapes alone, and where it is held.
struct Plan {
  Operands o;
  int64_t block_rows, blocks;
  int64_t block_lanes, block_stride;  // block_rows up to whole vectors; then up to an odd number of cache lines
  int64_t run, runs, segments;
  float* packed_logits;  // x^T [C, block_rows] as columns
  float* packed_head;    // x [block_rows, C] as columns
  float* statistics;     // [runs][3][block_stride]
  float* target_logits;  // [block_stride]
  float* scale;          // [block_stride]: factor * weight, 0 without a target
  float* g;              // [V, block_stride]
  float* parts;          // [segments][block_rows, C] of dx
  std::size_t bytes;
  float* dx;
  float* dHead;
  const float* lse;  // given
  float* token_loss;
  float* greedy;
  float* lse_out;

  RunStatistics of_run(int64_t r) const {
    float* const at = statistics + 3 * r * block_stride;
    return {at, at + block_stride, at + 2 * block_stride};
  }
};

Plan plan_of(const OpCall& call, Kind kind) {
  Plan p{};
  const Operands o = p.o = operands_of(call, kind);
  const int64_t longest = kRunWords * numbers_in_word(o.precision);
  p.run = smaller(longest, larger(kShortestRun, ceil_div(o.V, kRuns)));
  p.runs = ceil_div(o.V, p.run);
  p.segments = smaller(kSegments, p.runs);
  const int64_t per_row = kind == Kind::both ? o.V : 32 * p.run;
  const int64_t fitting = larger(1, kBlockLogits / larger(1, per_row) / kTileCols) * kTileCols;
  p.blocks = ceil_div(o.R, fitting);
  p.block_rows = p.blocks > 0 ? ceil_div(ceil_div(o.R, p.blocks), kTileCols) * kTileCols : 0;
  p.block_rows = smaller(p.block_rows, o.R);
  p.blocks = p.block_rows > 0 ? ceil_div(o.R, p.block_rows) : 0;
  p.block_lanes = ceil_div(p.block_rows, kWidth) * kWidth;
  p.block_stride = (ceil_div(p.block_rows, kLineNumbers) | 1) * kLineNumbers;
  char* const scratch = static_cast<char*>(call.scratch);
  const auto take = [&](std::size_t bytes) {
    float* const place = reinterpret_cast<float*>(scratch + p.bytes);
    p.bytes += (bytes + 63) / 64 * 64;
    return place;
  };
  const auto numbers = [&](int64_t count) { return take(static_cast<std::size_t>(count) * sizeof(float)); };
  p.packed_logits = take(packed_columns_bytes(o.C, p.block_rows, o.precision));
  p.statistics = numbers(3 * p.runs * p.block_stride);
  p.target_logits = numbers(p.block_stride);
  p.scale = numbers(p.block_stride);
  if (kind != Kind::loss) {
    p.packed_head = take(packed_columns_bytes(p.block_rows, o.C, o.precision));
    p.parts = numbers(p.segments * p.block_rows * o.C);
  }
  if (kind == Kind::both) p.g = numbers(o.V * p.block_stride);
  if (kind != Kind::gradient) {
    p.token_loss = call.outputs[1].f32();
    p.greedy = call.outputs[2].f32();
    p.lse_out = call.outputs[3].f32();
  } else {
    p.lse = call.inputs[4].f32();
  }
  if (kind != Kind::loss) {
    p.dx = call.outputs[kind == Kind::both ? 4 : 0].f32();
    p.dHead = call.outputs[kind == Kind::both ? 5 : 1].f32();
  }
  return p;
}

// A block of rows of x.
struct Block {
  int64_t first, count;
};
Block block_of(const Plan& p, int64_t block) {
  return {block * p.block_rows, smaller(p.block_rows, p.o.R - block * p.block_rows)};
}

// A run of the vocabulary.
Range run_range(const Plan& p, int64_t run) { return {run * p.run, smaller((run + 1) * p.run, p.o.V)}; }

Coming head_of_run(const Plan& p, int64_t run) {
  const Range words = run_range(p, run);
  return {p.o.head + words.begin * p.o.C, (words.end - words.begin) * p.o.C};
}

// Room of a thread: tiles of a, then logits of a run where they are not kept.
struct Room {
  float* tiles;
  float* panels;
  float* logits;
};

std::size_t tile_bytes(const Plan& p) {
  const std::size_t of_head = packed_rows_bytes(p.run, p.o.C, p.o.precision);
  const std::size_t of_g = packed_rows_bytes(p.run, p.block_rows, p.o.precision);
  const std::size_t of_dx = packed_rows_bytes(p.block_rows, p.run, p.o.precision);
  std::size_t tiles = of_head > of_g ? of_head : of_g;
  return of_dx > tiles ? of_dx : tiles;
}

std::size_t logits_bytes(const Plan& p) { return static_cast<std::size_t>(p.run * p.block_stride) * sizeof(float); }

Room room_of(const Plan& p, bool with_logits) {
  const std::size_t tiles = tile_bytes(p);
  char* const at = static_cast<char*>(thread_scratch(tiles + kPanelBytes + (with_logits ? logits_bytes(p) : 0)));
  return {reinterpret_cast<float*>(at), reinterpret_cast<float*>(at + tiles), reinterpret_cast<float*>(at + tiles + kPanelBytes)};
}

// to [words of the run, block_stride] = factor head x^T.
void logits_of(const Plan& p, const Room& room, Block block, Range words, Coming next, float* to) {
  const Operands& o = p.o;
  const int64_t count = words.end - words.begin;
  pack_rows(room.tiles, {o.head + words.begin * o.C, o.C, false}, count, o.C, o.precision, 0, tile_count(count));
  Product product{};
  product.c = to;
  product.c_stride = p.block_stride;
  product.rows = room.tiles;
  product.columns = p.packed_logits;
  product.M = count;
  product.N = block.count;
  product.K = o.C;
  product.precision = o.precision;
  product.alpha = o.factor;
  product.coming = next;
  multiply(product, nullptr, 0, tile_count(count), 0, panel_count(block.count));
}

// Takes the logits of a run in; with `keep` they become exp(logit - maximum) where they stand.
void take_in(const Plan& p, int64_t run, Range words, float* z, bool keep) {
  const RunStatistics to = p.of_run(run);
  const int64_t count = words.end - words.begin;
  for (int64_t r = 0; r < p.block_lanes; r += kWidth) {
    vf maximum = splat(kMinusInfinity), first = splat(-1.0f);
    for (int64_t i = 0; i < count; ++i) {
      const vf logit = load(z + i * p.block_stride + r);
      first = select(maximum < logit, splat(static_cast<float>(words.begin + i)), first);
      maximum = max(maximum, logit);
    }
    vf sum = zero();
    for (int64_t i = 0; i < count; ++i) {
      float* const at = z + i * p.block_stride + r;
      const vf e = exp(load(at) - maximum);
      sum += e;
      if (keep) store(at, e);
    }
    store(to.maximum + r, maximum);
    store(to.sum + r, sum);
    store(to.first_largest + r, first);
  }
}

void keep_target_logits(const Plan& p, Block block, Range words, const float* z) {
  for (int64_t r = 0; r < block.count; ++r) {
    const int64_t target = p.o.targets[block.first + r];
    if (target >= words.begin && target < words.end) p.target_logits[r] = z[(target - words.begin) * p.block_stride + r];
  }
}

float scale_of(const Operands& o, int64_t row) {
  const int32_t target = o.targets[row];
  return target < 0 ? 0.0f : target < o.V ? o.factor * o.weights[row] : kNotANumber;
}

// Joins the runs of one row in order and writes what is asked of it.
void join_row(const Plan& p, Block block, int64_t r, bool with_gradient) {
  float maximum = kMinusInfinity, largest_at = -1.0f;
  double total = 0;
  for (int64_t run = 0; run < p.runs; ++run) {
    const RunStatistics of = p.of_run(run);
    if (of.maximum[r] > maximum) {
      maximum = of.maximum[r];
      largest_at = of.first_largest[r];
    }
  }
  for (int64_t run = 0; run < p.runs; ++run) {
    const RunStatistics of = p.of_run(run);
    const double shifted = static_cast<double>(of.maximum[r]) - static_cast<double>(maximum);
    const double share = shifted == 0 ? 1 : exp_double(shifted);
    total += share * static_cast<double>(of.sum[r]);
  }
  const int64_t row = block.first + r;
  const int32_t target = p.o.targets[row];
  const bool known = target >= 0 && target < p.o.V;
  const float lse = static_cast<float>(static_cast<double>(maximum) + log_double(total));
  p.lse_out[row] = lse;
  p.token_loss[row] = target < 0 ? 0.0f : known ? lse - p.target_logits[r] : kNotANumber;
  p.greedy[row] = target >= 0 && largest_at == static_cast<float>(target) ? 1.0f : 0.0f;
  if (!with_gradient) return;
  p.scale[r] = scale_of(p.o, row);
  const double share = static_cast<double>(p.scale[r]) / total;
  for (int64_t run = 0; run < p.runs; ++run) {
    const RunStatistics of = p.of_run(run);
    const double shifted = static_cast<double>(of.maximum[r]) - static_cast<double>(maximum);
    of.maximum[r] = static_cast<float>((shifted == 0 ? 1 : exp_double(shifted)) * share);
  }
}

void subtract_targets(const Plan& p, Block block, Range words, float* g) {
  for (int64_t r = 0; r < block.count; ++r) {
    const int64_t target = p.o.targets[block.first + r];
    if (target >= words.begin && target < words.end) g[(target - words.begin) * p.block_stride + r] -= p.scale[r];
  }
}

// exp(logit - maximum) of a run becomes g.
void finish_g(const Plan& p, Block block, int64_t run, Range words, float* g) {
  const float* share = p.of_run(run).maximum;
  for (int64_t i = 0; i < words.end - words.begin; ++i) {
    float* const at = g + i * p.block_stride;
    for (int64_t r = 0; r < p.block_lanes; r += kWidth) store(at + r, load(at + r) * load(share + r));
  }
  subtract_targets(p, block, words, g);
}

// The logits of a run become g, by the lse that was given.
void g_from_lse(const Plan& p, Block block, Range words, float* g) {
  for (int64_t i = 0; i < words.end - words.begin; ++i) {
    float* const at = g + i * p.block_stride;
    for_each_vector(block.count, [&](int64_t r, int64_t lanes) {
      const vf e = exp(load(at + r) - load_some(p.lse + block.first + r, lanes));
      store(at + r, e * load(p.scale + r));
    });
  }
  subtract_targets(p, block, words, g);
}

// g [words of the run, block_stride] of a run into dHead and into a part of dx.
void use_g(const Plan& p, const Room& room, Block block, Range words, const float* g, float* part, bool first_of_part, bool add) {
  const Operands& o = p.o;
  const int64_t count = words.end - words.begin;
  pack_rows(room.tiles, {g, p.block_stride, false}, count, block.count, o.precision, 0, tile_count(count));
  Product d_head{};
  d_head.c = p.dHead + words.begin * o.C;
  d_head.c_stride = o.C;
  d_head.rows = room.tiles;
  d_head.columns = p.packed_head;
  d_head.M = count;
  d_head.N = o.C;
  d_head.K = block.count;
  d_head.precision = o.precision;
  d_head.alpha = 1.0f;
  d_head.add = add;
  multiply(d_head, nullptr, 0, tile_count(count), 0, panel_count(o.C));

  pack_rows(room.tiles, {g, p.block_stride, true}, block.count, count, o.precision, 0, tile_count(block.count));
  Product d_x{};
  d_x.c = part;
  d_x.c_stride = o.C;
  d_x.rows = room.tiles;
  d_x.b = {o.head + words.begin * o.C, o.C, false};
  d_x.M = block.count;
  d_x.N = o.C;
  d_x.K = count;
  d_x.precision = o.precision;
  d_x.alpha = 1.0f;
  d_x.add = !first_of_part;
  multiply(d_x, room.panels, 0, tile_count(block.count), 0, panel_count(o.C));
}

Range segment_runs(const Plan& p, int64_t segment) {
  return {p.runs * segment / p.segments, p.runs * (segment + 1) / p.segments};
}

// Which stages an op has, block after block.
template <Kind kKind>
constexpr int32_t stages_of_block() {
  return kKind == Kind::loss ? 3 : kKind == Kind::gradient ? 4 : 5;
}
template <Kind kKind>
Stage stage_at(int32_t number) {
  const int32_t within = number % stages_of_block<kKind>();
  if (kKind == Kind::gradient) {
    constexpr Stage stages[] = {pack_x, rows, gradient, sum};
    return stages[within];
  }
  return static_cast<Stage>(within);
}

template <Kind kKind>
int32_t num_stages(const OpCall& call) {
  return static_cast<int32_t>(plan_of(call, kKind).blocks) * stages_of_block<kKind>();
}

template <Kind kKind>
int64_t stage_tasks(const OpCall& call, int32_t number) {
  const Plan p = plan_of(call, kKind);
  const Block block = block_of(p, number / stages_of_block<kKind>());
  switch (stage_at<kKind>(number)) {
    case pack_x: return panel_count(block.count) + (kKind == Kind::loss ? 0 : panel_count(p.o.C));
    case logits: return p.runs;
    case rows: return ceil_div(block.count, kWidth);
    case gradient: return p.segments;
    default: return ceil_div(block.count, kWidth);
  }
}

template <Kind kKind>
void run_task(const OpCall& call, const Plan& p, Stage stage, int64_t number, Block block, int64_t task) {
  const Operands& o = p.o;
  if (stage == pack_x) {
    const Matrix x = {o.x + block.first * o.C, o.C, true};
    const int64_t panels = panel_count(block.count);
    if (task < panels) return pack_columns(p.packed_logits, x, o.C, block.count, o.precision, task, task + 1);
    return pack_columns(p.packed_head, {x.data, o.C, false}, block.count, o.C, o.precision, task - panels, task - panels + 1);
  }
  const int64_t row_end = smaller((task + 1) * kWidth, block.count);
  if (stage == logits) {
    const Room room = room_of(p, kKind == Kind::loss);
    const Range words = run_range(p, task);
    float* const z = kKind == Kind::loss ? room.logits : p.g + words.begin * p.block_stride;
    logits_of(p, room, block, words, task + 1 < p.runs ? head_of_run(p, task + 1) : Coming{}, z);
    keep_target_logits(p, block, words, z);
    take_in(p, task, words, z, kKind == Kind::both);
  } else if (stage == rows) {
    for (int64_t r = task * kWidth; r < row_end; ++r) {
      if (kKind != Kind::gradient) {
        join_row(p, block, r, kKind == Kind::both);
        continue;
      }
      p.scale[r] = scale_of(o, block.first + r);
    }
  } else if (stage == gradient) {
    const bool add = number > 0 || accumulates(call, call.attributes[1]);
    const Room room = room_of(p, kKind == Kind::gradient);
    const Range runs = segment_runs(p, task);
    for (int64_t run = runs.begin; run < runs.end; ++run) {
      const Range words = run_range(p, run);
      float* g = p.g + words.begin * p.block_stride;
      if (kKind == Kind::gradient) {
        g = room.logits;
        logits_of(p, room, block, words, run + 1 < runs.end ? head_of_run(p, run + 1) : Coming{}, g);
        g_from_lse(p, block, words, g);
      } else {
        finish_g(p, block, run, words, g);
      }
      use_g(p, room, block, words, g, p.parts + task * p.block_rows * o.C, run == runs.begin, add);
    }
  } else {
    const int64_t begin = task * kWidth * o.C, end = row_end * o.C;
    float* const to = p.dx + block.first * o.C;
    for_each_vector(end - begin, [&](int64_t i, int64_t lanes) {
      vf total = load_some(p.parts + begin + i, lanes);
      for (int64_t s = 1; s < p.segments; ++s) total += load_some(p.parts + s * p.block_rows * o.C + begin + i, lanes);
      store_some(to + begin + i, total, lanes);
    });
  }
}

template <Kind kKind>
void run_stage(const OpCall& call, int32_t number, int64_t task_begin, int64_t task_end) {
  const Plan p = plan_of(call, kKind);
  const int64_t block = number / stages_of_block<kKind>();
  for (int64_t task = task_begin; task < task_end; ++task) {
    run_task<kKind>(call, p, stage_at<kKind>(number), block, block_of(p, block), task);
  }
}

template <Kind kKind>
std::size_t scratch_bytes(const OpCall& call) {
  return plan_of(call, kKind).bytes;
}

template <Kind kKind>
std::size_t thread_bytes(const OpCall& call) {
  const Plan p = plan_of(call, kKind);
  return tile_bytes(p) + kPanelBytes + (kKind == Kind::both ? 0 : logits_bytes(p));
}

// loss = sum weights tokenLoss, in row order.
void finish_loss(const OpCall& call) {
  const Operands o = operands_of(call, Kind::loss);
  const float* token_loss = call.outputs[1].f32();
  double loss = 0;
  for (int64_t r = 0; r < o.R; ++r) {
    if (o.targets[r] >= 0) loss += static_cast<double>(o.weights[r]) * static_cast<double>(token_loss[r]);
  }
  call.outputs[0].f32()[0] = static_cast<float>(loss);
}

template <Kind kKind>
double flops(const OpCall& call) {
  const Operands o = operands_of(call, kKind);
  return (kKind == Kind::loss ? 2.0 : 6.0) * static_cast<double>(o.R) * static_cast<double>(o.V) * static_cast<double>(o.C);
}

}  // namespace

const OpKernel linear_cross_entropy_kernel = {
    "linearCrossEntropy", "factor,bf16?", nullptr, nullptr, finish_loss, scratch_bytes<Kind::loss>, flops<Kind::loss>,
    num_stages<Kind::loss>, stage_tasks<Kind::loss>, run_stage<Kind::loss>, nullptr, thread_bytes<Kind::loss>,
};
const OpKernel linear_cross_entropy_grad_kernel = {
    "linearCrossEntropyGrad", "factor,accumulate,bf16?", nullptr, nullptr, nullptr, scratch_bytes<Kind::gradient>,
    flops<Kind::gradient>, num_stages<Kind::gradient>, stage_tasks<Kind::gradient>, run_stage<Kind::gradient>, nullptr, thread_bytes<Kind::gradient>,
};
const OpKernel linear_cross_entropy_with_grad_kernel = {
    "linearCrossEntropyWithGrad", "factor,accumulate,bf16?", nullptr, nullptr, finish_loss, scratch_bytes<Kind::both>,
    flops<Kind::both>, num_stages<Kind::both>, stage_tasks<Kind::both>, run_stage<Kind::both>, nullptr, thread_bytes<Kind::both>,
};

}  // namespace ESPALIER_ISA
}  // namespace espalier
