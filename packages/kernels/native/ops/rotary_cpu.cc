// rotary_cpu.cc -- see rotary.h. A task is 32 positions in all sequences. It makes its own 32 rows of the table, in
// double precision: one sine and cosine at its first position, then one rotation by the angle of a single position per
// row (32 rotations lose 1e-15), so there is no table to keep between calls and it costs little beside the op.
#include "ops/rotary.h"

#include "math/scalar.h"
#include "ops/blocks.h"
#include "simd/simd.h"

namespace espalier {
namespace ESPALIER_ISA {
namespace {

constexpr int64_t kPositionsPerTask = 32;

struct Attributes {
  bool xpos, inverse;
  double side, base, scale_base, gamma, centre;
};

Attributes attributes_of(const OpCall& call) {
  const double* a = call.attributes;
  return {a[0] != 0.0, a[6] != 0.0, a[1], a[2], a[3], a[4], a[5]};
}

// Of each pair: sine and cosine at a position, scaled, and what takes them to the next position. Arrays [D/2].
struct Rotations {
  double *sin, *cos, *turn_sin, *turn_cos;
};

void start(const OpCall& call, int64_t first, const Rotations& to) {
  const Attributes a = attributes_of(call);
  const int64_t D = call.inputs[0].last();
  const float* frequencies = call.num_inputs > 1 ? call.inputs[1].f32() : nullptr;
  const double log_base = frequencies ? 0.0 : log_double(a.base);
  for (int64_t i = 0; i < D / 2; ++i) {
    const double share = 2.0 * static_cast<double>(i) / static_cast<double>(D);
    const double frequency = frequencies ? static_cast<double>(frequencies[i]) : exp_double(-share * log_base);
    const double angle = a.inverse ? -frequency : frequency;
    const SinCos at = sincos_double(angle * static_cast<double>(first));
    const SinCos turn = sincos_double(angle);
    double scale = 1.0, growth = 1.0;
    if (a.xpos) {
      const double rate = a.side / a.scale_base * log_double((share + a.gamma) / (1.0 + a.gamma));
      scale = exp_double(rate * (static_cast<double>(first) - a.centre));
      growth = exp_double(rate);
    }
    to.sin[i] = scale * at.sin;
    to.cos[i] = scale * at.cos;
    to.turn_sin[i] = growth * turn.sin;
    to.turn_cos[i] = growth * turn.cos;
  }
}

// Rows [position][D/2] of scale * cos and scale * sin for positions first, first + 1, ...
void fill_table(const OpCall& call, int64_t first, int64_t positions, const Rotations& r, float* cosines,
                float* sines) {
  const int64_t half = call.inputs[0].last() / 2;
  start(call, first, r);
  for (int64_t n = 0; n < positions; ++n) {
    for (int64_t i = 0; i < half; ++i) {  // pairs are independent: the compiler's vectors
      const double sin = r.sin[i], cos = r.cos[i];
      sines[n * half + i] = static_cast<float>(sin);
      cosines[n * half + i] = static_cast<float>(cos);
      r.sin[i] = sin * r.turn_cos[i] + cos * r.turn_sin[i];
      r.cos[i] = cos * r.turn_cos[i] - sin * r.turn_sin[i];
    }
  }
}

int64_t num_tasks(const OpCall& call) { return ceil_div(call.inputs[0].dims[1], kPositionsPerTask); }

void run(const OpCall& call, int64_t task_begin, int64_t task_end) {
  const int64_t B = call.inputs[0].dims[0], T = call.inputs[0].dims[1], heads = call.inputs[0].dims[2];
  const int64_t D = call.inputs[0].dims[3], half = D / 2;
  const std::size_t pairs = static_cast<std::size_t>(half);
  const std::size_t bytes = pairs * (4 * sizeof(double) + 2 * kPositionsPerTask * sizeof(float));
  double* state = static_cast<double*>(thread_scratch(bytes));
  const Rotations rotations = {state, state + half, state + 2 * half, state + 3 * half};
  float* cosines = reinterpret_cast<float*>(state + 4 * half);
  float* sines = cosines + kPositionsPerTask * half;
  for (int64_t task = task_begin; task < task_end; ++task) {
    const int64_t first = task * kPositionsPerTask, positions = smaller(kPositionsPerTask, T - first);
    fill_table(call, first, positions, rotations, cosines, sines);
    for (int64_t b = 0; b < B; ++b) {
      for (int64_t n = 0; n < positions; ++n) {
        const int64_t offset = (b * T + first + n) * heads * D;
        const float* x_row = call.inputs[0].f32() + offset;
        float* y_row = call.outputs[0].f32() + offset;
        for_each_vector(half, [&](int64_t i, int64_t lanes) {
          const vf c = load_some(cosines + n * half + i, lanes), s = load_some(sines + n * half + i, lanes);
          for (int64_t head = 0; head < heads; ++head) {
            const float* x = x_row + head * D + i;
            float* y = y_row + head * D + i;
            const vf low = load_some(x, lanes), high = load_some(x + half, lanes);
            store_some(y, fma(low, c, zero() - high * s), lanes);
            store_some(y + half, fma(high, c, low * s), lanes);
          }
        });
      }
    }
  }
}

}  // namespace

const OpKernel rotary_kernel = {
    "rotary", "kind,side,base,scaleBase,gamma,centre,inverse", num_tasks, run, nullptr, nullptr, elementwise_work,
    nullptr,  nullptr, nullptr,
};

}  // namespace ESPALIER_ISA
}  // namespace espalier
