// linear_cross_entropy_cpu.cc -- see linear_cross_entropy.h. Here: stages and tasks.
//
// For each block of rows:
//   pack_x     x of the block as columns, for the logits and for dHead
//   logits     runs of the vocabulary: logits, and what each row sees of the run
//   rows       runs joined in order: lse, loss, greedy; the factor of every run and row
//   gradient   segments of the vocabulary: g, dHead = g^T x, a part of dx = g head
//   sum        parts of dx added in order
#include "ops/linear_cross_entropy_cpu.h"

namespace espalier {
namespace ESPALIER_ISA {
namespace {

using namespace linear_cross_entropy;

enum Stage : int32_t { pack_x = 0, logits = 1, rows = 2, gradient = 3, sum = 4 };

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

