// linear_cross_entropy_statistics_cpu.cc -- logits, what rows see of them, and the loss: see linear_cross_entropy_cpu.h.
#include "math/scalar.h"
#include "math/vector.h"
#include "ops/linear_cross_entropy_cpu.h"

namespace espalier {
namespace ESPALIER_ISA {
namespace linear_cross_entropy {

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

}  // namespace linear_cross_entropy
}  // namespace ESPALIER_ISA
}  // namespace espalier
