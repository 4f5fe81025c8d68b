// adamw_cuda.cu -- see adamw.h. One pass over an element's 28 bytes; of many tensors in a row in one launch.
#include "ops/adamw.h"

#include "cuda/elementwise.h"

namespace espalier {
namespace cuda {
namespace {

// 16 random bits of a counter: two rounds of multiply and shift a word ("lowbias32", C. Wellons 2018, hash-prospector).
__device__ __forceinline__ uint32_t mixed(uint32_t x) {
  x = (x ^ x >> 16) * 0x7feb352du;
  x = (x ^ x >> 15) * 0x846ca68bu;
  return x ^ x >> 16;
}
__device__ __forceinline__ uint32_t random_16(uint32_t seed, uint32_t step, int64_t element) {
  return mixed(static_cast<uint32_t>(element) ^ mixed(static_cast<uint32_t>(element >> 32) ^ mixed(step ^ mixed(seed)))) >> 16;
}

struct AdamW {
  Out param, m, v;
  In grad;
  const float *norm, *step, *births;
  const int32_t *row_birth, *col_birth;
  int64_t cols;
  float beta1, beta2, epsilon, weight_decay, rate_scale;
  uint32_t stochastic_seed;

  template <int W>
  __device__ void at(int64_t i) const {
    const float length = *norm;
    if (!(fabsf(length) <= 3.402823466e38f)) return;  // infinite or not a number: the step is skipped
    const float clip = step[1];
    const float shrink = clip > 0.0f && length > clip ? clip / length : 1.0f;
    float g[W], p[W], first[W], second[W];
    grad.load<W>(i, g);
    In{param.data, param.bf16}.load<W>(i, p);
    In{m.data, m.bf16}.load<W>(i, first);
    In{v.data, v.bf16}.load<W>(i, second);
#pragma unroll
    for (int j = 0; j < W; ++j) {
      const int32_t row = row_birth ? row_birth[(i + j) / cols] : 0, col = col_birth ? col_birth[(i + j) % cols] : 0;
      const float* birth = births + 3 * (row > col ? row : col);
      g[j] *= shrink;
      first[j] = beta1 * first[j] + (1.0f - beta1) * g[j];
      second[j] = beta2 * second[j] + (1.0f - beta2) * (g[j] * g[j]);
      const float update = (first[j] / birth[0]) / (sqrtf(second[j] / birth[1]) + epsilon);
      p[j] -= step[0] * rate_scale * birth[2] * (update + weight_decay * p[j]);
    }
    m.store<W>(i, first);
    v.store<W>(i, second);
    if (stochastic_seed != 0) {
      const uint32_t number = static_cast<uint32_t>(step[2]);
#pragma unroll
      for (int j = 0; j < W; ++j) {
        const uint32_t bits = __float_as_uint(p[j]);
        if ((bits & 0x7f800000u) == 0x7f800000u) continue;  // infinite or not a number
        p[j] = __uint_as_float((bits + random_16(stochastic_seed, number, i + j)) & 0xffff0000u);
      }
    }
    param.store<W>(i, p);  // exact where it was rounded above
  }
};

// Tensors of one launch: their descriptions travel as a kernel argument, of at most 4 KB.
constexpr int kTogether = 24;
struct AdamWs {
  AdamW update[kTogether];
  int64_t count[kTogether];
  unsigned first_block[kTogether];
  int num;
};
static_assert(sizeof(AdamWs) + 16 <= 4096, "kernel arguments");

__global__ void __launch_bounds__(kElementThreads) adamw_together(const __grid_constant__ AdamWs all) {
  int p = 0;
  while (p + 1 < all.num && all.first_block[p + 1] <= blockIdx.x) ++p;
  const AdamW& f = all.update[p];
  const int64_t first = (blockIdx.x - all.first_block[p]) * kElementsPerBlock + threadIdx.x * kWide, count = all.count[p];
#pragma unroll
  for (int64_t step = 0; step < kElementsPerBlock; step += kElementThreads * kWide) {
    const int64_t i = first + step;
    if (i + kWide <= count) {
      f.template at<kWide>(i);
    } else {
      for (int64_t j = i; j < count; ++j) f.template at<1>(j);
    }
  }
}

AdamW update_of(const OpCall& call) {
  const double* attributes = call.attributes;
  const TensorView& grad = call.inputs[adamw_input::grad];
  const auto births_of = [&](int32_t input) { return call.num_inputs > input ? call.inputs[input].i32() : nullptr; };
  const int32_t* row_birth = births_of(adamw_input::row_birth);
  const int64_t rows = row_birth ? call.inputs[adamw_input::row_birth].count : 1;
  return {out(call.outputs[0]), out(call.outputs[1]), out(call.outputs[2]), in(grad), call.inputs[adamw_input::norm].f32(),
          call.inputs[adamw_input::step].f32(), call.inputs[adamw_input::births].f32(), row_birth,
          births_of(adamw_input::col_birth), rows > 0 ? grad.count / rows : 0,
          static_cast<float>(attributes[adamw_attribute::beta1]), static_cast<float>(attributes[adamw_attribute::beta2]),
          static_cast<float>(attributes[adamw_attribute::epsilon]), static_cast<float>(attributes[adamw_attribute::weight_decay]),
          static_cast<float>(attributes[adamw_attribute::rate_scale]), static_cast<uint32_t>(attributes[adamw_attribute::stochastic_seed])};
}

void launch_adamw(const OpCall& call, const CudaContext& context) {
  launch_elementwise(context, "adamw", update_of(call), call.inputs[adamw_input::grad].count);
}

void launch_together(const OpCall* const* calls, int32_t num_calls, const CudaContext& context) {
  for (int32_t i = 0; i < num_calls;) {
    AdamWs all{};
    unsigned blocks = 0;
    for (; i < num_calls && all.num < kTogether; ++i) {
      const int64_t count = calls[i]->inputs[adamw_input::grad].count;
      if (count == 0) continue;
      all.update[all.num] = update_of(*calls[i]);
      all.count[all.num] = count;
      all.first_block[all.num++] = blocks;
      blocks += blocks_for(count, kElementsPerBlock);
    }
    launch(context, "adamw together", adamw_together, dim3(blocks), kElementThreads, 0, all);
  }
}

}  // namespace

extern const OpKernel adamw_kernel;
const OpKernel adamw_kernel = [] {
  OpKernel kernel = cuda_op("adamw", adamw_attribute::names, launch_adamw);
  kernel.launch_together = launch_together;
  return kernel;
}();

}  // namespace cuda
}  // namespace espalier
