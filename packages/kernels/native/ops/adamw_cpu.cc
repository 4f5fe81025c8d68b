// adamw_cpu.cc -- see adamw.h. One task is a run of rows of about 16k parameters; the work is memory-bound, so the
// whole update of an element is done in one pass over its 28 bytes.
#include "ops/adamw.h"

#include "executor/op.h"
#include "simd/simd.h"

namespace espalier {
namespace ESPALIER_ISA {

namespace {

constexpr int64_t kTaskElements = 16384;

struct Split {
  int64_t rows, cols, rows_per_task;
  const int32_t* row_birth;
  const int32_t* col_birth;
};

Split split_of(const OpCall& call) {
  const TensorView& grad = call.inputs[adamw_input::grad];
  Split s{};
  s.row_birth = call.num_inputs > adamw_input::row_birth ? call.inputs[adamw_input::row_birth].i32() : nullptr;
  s.col_birth = call.num_inputs > adamw_input::col_birth ? call.inputs[adamw_input::col_birth].i32() : nullptr;
  s.rows = s.row_birth ? call.inputs[adamw_input::row_birth].count : grad.rows();
  s.cols = s.rows > 0 ? grad.count / s.rows : 0;
  if (s.cols == 1 && !s.col_birth) {  // a vector: its units lie along the lanes
    s.cols = s.rows;
    s.rows = 1;
    s.col_birth = s.row_birth;
    s.row_birth = nullptr;
  }
  s.rows_per_task = s.cols > 0 && s.cols < kTaskElements ? kTaskElements / s.cols : 1;
  return s;
}

// Two rounds of multiply and shift ("lowbias32", C. Wellons 2018, hash-prospector).
ESPALIER_INLINE uint32_t mixed(uint32_t x) {
  x = (x ^ x >> 16) * 0x7feb352du;
  x = (x ^ x >> 15) * 0x846ca68bu;
  return x ^ x >> 16;
}

// Elements [begin, end) of param to bf16, up when the lower half and 16 random bits carry; `seed` holds that of the step.
void round_stochastically(float* param, int64_t begin, int64_t end, uint32_t seed) {
  for (int64_t i = begin; i < end; ++i) {
    uint32_t bits;
    __builtin_memcpy(&bits, param + i, sizeof(bits));
    const uint32_t random = mixed(static_cast<uint32_t>(i) ^ mixed(static_cast<uint32_t>(static_cast<uint64_t>(i) >> 32) ^ seed)) >> 16;
    const uint32_t rounded = (bits & 0x7f800000u) == 0x7f800000u ? bits : (bits + random) & 0xffff0000u;
    __builtin_memcpy(param + i, &rounded, sizeof(rounded));
  }
}

struct Constants {
  float beta1, beta2, epsilon, weight_decay;
};

// One entry's update from its birth's corrections; `gradient` is already clipped.
ESPALIER_INLINE void update(float* param, float* m, float* v, vf gradient, vf correction1, vf correction2, vf rate,
                            const Constants& k, int64_t lanes) {
  const vf m_new = fma(splat(k.beta1), load_some(m, lanes), splat(1.0f - k.beta1) * gradient);
  const vf v_new = fma(splat(k.beta2), load_some(v, lanes), splat(1.0f - k.beta2) * (gradient * gradient));
  const vf old = load_some(param, lanes);
  const vf step = (m_new / correction1) / (sqrt(v_new / correction2) + splat(k.epsilon));
  store_some(m, m_new, lanes);
  store_some(v, v_new, lanes);
  store_some(param, old - rate * fma(splat(k.weight_decay), old, step), lanes);
}

int64_t num_tasks(const OpCall& call) {
  const Split s = split_of(call);
  return (s.rows + s.rows_per_task - 1) / s.rows_per_task;
}

int64_t elements_a_task(const OpCall& call) {
  const Split s = split_of(call);
  return s.rows_per_task * s.cols;
}

void run(const OpCall& call, int64_t task_begin, int64_t task_end) {
  const Split s = split_of(call);
  const float* grad = call.inputs[adamw_input::grad].f32();
  const float norm = call.inputs[adamw_input::norm].f32()[0];
  const float* step = call.inputs[adamw_input::step].f32();
  const float* births = call.inputs[adamw_input::births].f32();
  float* param = call.outputs[0].f32();
  float* m = call.outputs[1].f32();
  float* v = call.outputs[2].f32();

  if (!(__builtin_fabsf(norm) <= __FLT_MAX__)) return;  // infinite or not a number: the step is skipped
  const float clip = step[1];
  const float shrink = clip > 0 && norm > clip ? clip / norm : 1.0f;
  const float learning_rate = step[0] * static_cast<float>(call.attributes[adamw_attribute::rate_scale]);
  const Constants k = {static_cast<float>(call.attributes[adamw_attribute::beta1]),
                       static_cast<float>(call.attributes[adamw_attribute::beta2]),
                       static_cast<float>(call.attributes[adamw_attribute::epsilon]),
                       static_cast<float>(call.attributes[adamw_attribute::weight_decay])};

  const uint32_t seed = static_cast<uint32_t>(call.attributes[adamw_attribute::stochastic_seed]);
  const uint32_t seed_of_step = seed ? mixed(static_cast<uint32_t>(step[2]) ^ mixed(seed)) : 0;

  const int64_t row_end = task_end * s.rows_per_task < s.rows ? task_end * s.rows_per_task : s.rows;
  for (int64_t r = task_begin * s.rows_per_task; r < row_end; ++r) {
    const int64_t at = r * s.cols;
    const int32_t of_row = s.row_birth ? s.row_birth[r] : 0;
    if (!s.col_birth) {
      const float* birth = births + 3 * static_cast<int64_t>(of_row);
      const vf c1 = splat(birth[0]), c2 = splat(birth[1]), rate = splat(learning_rate * birth[2]);
      for_each_vector(s.cols, [&](int64_t i, int64_t lanes) {
        const vf g = load_some(grad + at + i, lanes) * splat(shrink);
        update(param + at + i, m + at + i, v + at + i, g, c1, c2, rate, k, lanes);
      });
    } else {
      for_each_vector(s.cols, [&](int64_t i, int64_t lanes) {
        const vi event = max(lanes == kWidth ? load(s.col_birth + i) : load_tail(s.col_birth + i, lanes), splat_int(of_row));
        const vi entry = event + event + event;
        const vf g = load_some(grad + at + i, lanes) * splat(shrink);
        update(param + at + i, m + at + i, v + at + i, g, gather(births, entry), gather(births + 1, entry),
               splat(learning_rate) * gather(births + 2, entry), k, lanes);
      });
    }
    if (seed) round_stochastically(param, at, at + s.cols, seed_of_step);
  }
}

double flops(const OpCall& call) { return 16.0 * static_cast<double>(call.inputs[adamw_input::grad].count); }

}  // namespace

extern const OpKernel adamw_kernel;
const OpKernel adamw_kernel = {
    "adamw", adamw_attribute::names, num_tasks, run, nullptr, nullptr, flops, nullptr, nullptr, nullptr, nullptr, nullptr, elements_a_task,
};

}  // namespace ESPALIER_ISA
}  // namespace espalier
