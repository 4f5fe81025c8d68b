// linear_cross_entropy_cpu.h -- how linear_cross_entropy_*_cpu.cc cut the work, and where they hold it.
//
// Logits are held transposed, [V, rows]: words of the vocabulary are rows of a product with the packed x, so a vector
// runs over rows of x, whose maxima and sums then need no reduction inside of a vector.
#pragma once
#include "ops/blocks.h"
#include "ops/gemm.h"
#include "ops/linear_cross_entropy.h"

namespace espalier {
namespace ESPALIER_ISA {
namespace linear_cross_entropy {

constexpr float kNotANumber = __builtin_nanf("");

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

Operands operands_of(const OpCall& call, Kind kind);

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

Plan plan_of(const OpCall& call, Kind kind);

// A block of rows of x.
struct Block {
  int64_t first, count;
};
inline Block block_of(const Plan& p, int64_t block) {
  return {block * p.block_rows, smaller(p.block_rows, p.o.R - block * p.block_rows)};
}

// A run of the vocabulary.
inline Range run_range(const Plan& p, int64_t run) { return {run * p.run, smaller((run + 1) * p.run, p.o.V)}; }

inline Coming head_of_run(const Plan& p, int64_t run) {
  const Range words = run_range(p, run);
  return {p.o.head + words.begin * p.o.C, (words.end - words.begin) * p.o.C};
}

inline Range segment_runs(const Plan& p, int64_t segment) {
  return {p.runs * segment / p.segments, p.runs * (segment + 1) / p.segments};
}

// Room of a thread: tiles of a, then logits of a run where they are not kept.
struct Room {
  float* tiles;
  float* panels;
  float* logits;
};

std::size_t tile_bytes(const Plan& p);
std::size_t logits_bytes(const Plan& p);
Room room_of(const Plan& p, bool with_logits);

// Statistics, linear_cross_entropy_statistics_cpu.cc.

// to [words of the run, block_stride] = factor head x^T.
void logits_of(const Plan& p, const Room& room, Block block, Range words, Coming next, float* to);

// Takes the logits of a run in; with `keep` they become exp(logit - maximum) where they stand.
void take_in(const Plan& p, int64_t run, Range words, float* z, bool keep);

void keep_target_logits(const Plan& p, Block block, Range words, const float* z);

// factor * weight of a row: 0 without a target, not a number with one that is no word.
float scale_of(const Operands& o, int64_t row);

// Joins the runs of one row in order and writes what is asked of it.
void join_row(const Plan& p, Block block, int64_t r, bool with_gradient);

// Gradients, linear_cross_entropy_gradients_cpu.cc.

// exp(logit - maximum) of a run becomes g.
void finish_g(const Plan& p, Block block, int64_t run, Range words, float* g);

// The logits of a run become g, by the lse that was given.
void g_from_lse(const Plan& p, Block block, Range words, float* g);

// g [words of the run, block_stride] of a run into dHead and into a part of dx.
void use_g(const Plan& p, const Room& room, Block block, Range words, const float* g, float* part, bool first_of_part, bool add);

}  // namespace linear_cross_entropy
}  // namespace ESPALIER_ISA
}  // namespace espalier
