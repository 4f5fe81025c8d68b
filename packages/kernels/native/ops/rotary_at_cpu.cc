// rotary_at_cpu.cc -- see rotary_at.h. Angles are computed in double precision, one sine and cosine a row and pair.
#include "ops/rotary_at.h"

#include "math/scalar.h"
#include "ops/blocks.h"
#include "simd/simd.h"

namespace espalier {
namespace ESPALIER_ISA {
namespace {

// An angle costs about as much as 128 elements of a copy.
constexpr int64_t kAngleCost = 128;

int64_t rows_in_task(const OpCall& call) { return larger(1, kTaskElements / (kAngleCost * call.outputs[0].last())); }
int64_t num_angle_tasks(const OpCall& call) { return ceil_div(call.inputs[0].count, rows_in_task(call)); }

void run_angles(const OpCall& call, int64_t task_begin, int64_t task_end) {
  const double* a = call.attributes;
  const bool xpos = a[1] != 0.0;
  const double side = a[2], base = a[3], scale_base = a[4], gamma = a[5], centre = a[6];
  const int64_t pairs = call.outputs[0].last();
  const float* frequencies = call.num_inputs > 1 ? call.inputs[1].f32() : nullptr;
  double* frequency = static_cast<double*>(thread_scratch(2 * sizeof(double) * static_cast<std::size_t>(pairs)));
  double* rate = frequency + pairs;  // of the logarithm of the scale
  for (int64_t i = 0; i < pairs; ++i) {
    const double share = static_cast<double>(i) / static_cast<double>(pairs);
    frequency[i] = frequencies ? static_cast<double>(frequencies[i]) : exp_double(-share * log_double(base));
    rate[i] = xpos ? side / scale_base * log_double((share + gamma) / (1.0 + gamma)) : 0.0;
  }
  const int64_t end = smaller(task_end * rows_in_task(call), call.inputs[0].count);
  for (int64_t r = task_begin * rows_in_task(call); r < end; ++r) {
    const double n = static_cast<double>(call.inputs[0].i32()[r]);
    float* cosines = call.outputs[0].f32() + 2 * r * pairs;
    for (int64_t i = 0; i < pairs; ++i) {
      const SinCos at = sincos_double(n * frequency[i]);
      const double scale = xpos ? exp_double(rate[i] * (n - centre)) : 1.0;
      cosines[i] = static_cast<float>(scale * at.cos);
      cosines[pairs + i] = static_cast<float>(scale * at.sin);
    }
  }
}

double angle_work(const OpCall& call) { return static_cast<double>(kAngleCost * call.outputs[0].count); }

int64_t row_elements(const OpCall& call) { return call.inputs[0].count / larger(1, call.inputs[1].dims[0]); }
int64_t turned_rows(const OpCall& call) { return larger(1, kTaskElements / larger(1, row_elements(call))); }
int64_t num_turn_tasks(const OpCall& call) { return ceil_div(call.inputs[1].dims[0], turned_rows(call)); }

void run_turn(const OpCall& call, int64_t task_begin, int64_t task_end) {
  const int64_t half = call.inputs[1].last(), size = row_elements(call), heads = size / (2 * half);
  const int64_t end = smaller(task_end * turned_rows(call), call.inputs[1].dims[0]);
  for (int64_t r = task_begin * turned_rows(call); r < end; ++r) {
    const float* cosines = call.inputs[1].f32() + 2 * r * half;
    const float* x_row = call.inputs[0].f32() + r * size;
    float* y_row = call.outputs[0].f32() + r * size;
    for_each_vector(half, [&](int64_t i, int64_t lanes) {
      const vf c = load_some(cosines + i, lanes), s = load_some(cosines + half + i, lanes);
      for (int64_t head = 0; head < heads; ++head) {
        const float* x = x_row + head * 2 * half + i;
        float* y = y_row + head * 2 * half + i;
        const vf low = load_some(x, lanes), high = load_some(x + half, lanes);
        store_some(y, fma(low, c, zero() - high * s), lanes);
        store_some(y + half, fma(high, c, low * s), lanes);
      }
    });
  }
}

}  // namespace

const OpKernel rotary_angles_kernel = {
    "rotaryAngles", "numPairs,kind,side,base,scaleBase,gamma,centre", num_angle_tasks, run_angles, nullptr, nullptr,
    angle_work,     nullptr, nullptr, nullptr,
};
const OpKernel rotary_at_kernel = {
    "rotaryAt", "", num_turn_tasks, run_turn, nullptr, nullptr, elementwise_work, nullptr, nullptr, nullptr,
};

}  // namespace ESPALIER_ISA
}  // namespace espalier
