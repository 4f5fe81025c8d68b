// linear_cross_entropy_gradients_cpu.cc -- from logits to g = dLoss/dLogits, and from g to dHead and dx.
#include "math/vector.h"
#include "ops/linear_cross_entropy_cpu.h"

namespace espalier {
namespace ESPALIER_ISA {
namespace linear_cross_entropy {

namespace {

void subtract_targets(const Plan& p, Block block, Range words, float* g) {
  for (int64_t r = 0; r < block.count; ++r) {
    const int64_t target = p.o.targets[block.first + r];
    if (target >= words.begin && target < words.end) g[(target - words.begin) * p.block_stride + r] -= p.scale[r];
  }
}

}  // namespace

void finish_g(const Plan& p, Block block, int64_t run, Range words, float* g) {
  const float* share = p.of_run(run).maximum;
  for (int64_t i = 0; i < words.end - words.begin; ++i) {
    float* const at = g + i * p.block_stride;
    for (int64_t r = 0; r < p.block_lanes; r += kWidth) store(at + r, load(at + r) * load(share + r));
  }
  subtract_targets(p, block, words, g);
}

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

}  // namespace linear_cross_entropy
}  // namespace ESPALIER_ISA
}  // namespace espalier
