// linear_cross_entropy_plan_cpu.cc -- see linear_cross_entropy_cpu.h.
#include "ops/linear_cross_entropy_cpu.h"

namespace espalier {
namespace ESPALIER_ISA {
namespace linear_cross_entropy {

namespace {

// 128 MB: the head is packed twice and its gradient read and written once for each block of rows.
constexpr int64_t kBlockLogits = int64_t(1) << 25;
constexpr int64_t kRunWords = 256;                  // k of dx, in packed words, of the longest run
constexpr int64_t kRuns = 16;                       // runs that a small vocabulary is cut into, so that threads share it
constexpr int64_t kShortestRun = 64;
constexpr int64_t kSegments = 16;
// Numbers on a cache line. Rows of z are an odd number of lines apart: columns of it fall into all sets of L1.
constexpr int64_t kLineNumbers = 16;

}  // namespace

Operands operands_of(const OpCall& call, Kind kind) {
  const TensorView& x = call.inputs[0];
  const TensorView& head = call.inputs[1];
  const double bf16 = call.attributes[kind == Kind::loss ? 1 : 2];
  return {x.rows(), head.rows(), x.last(), x.f32(), head.f32(), call.inputs[2].i32(), call.inputs[3].f32(),
          static_cast<float>(call.attributes[0]), bf16 != 0 ? Precision::bf16 : Precision::f32};
}

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

}  // namespace linear_cross_entropy
}  // namespace ESPALIER_ISA
}  // namespace espalier
