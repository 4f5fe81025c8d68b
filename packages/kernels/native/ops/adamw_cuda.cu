// adamw_cuda.cu -- see adamw.h. One pass over an element's 28 bytes.
#include "ops/adamw.h"

#include "cuda/elementwise.h"

namespace espalier {
namespace cuda {
namespace {

struct AdamW {
  Out param, m, v;
  In grad;
  const float *norm, *step, *births;
  const int32_t *row_birth, *col_birth;
  int64_t cols;
  float beta1, beta2, epsilon, weight_decay, rate_scale;

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
    param.store<W>(i, p);
  }
};

void launch_adamw(const OpCall& call, const CudaContext& context) {
  const double* attributes = call.attributes;
  const TensorView& grad = call.inputs[adamw_input::grad];
  const auto births_of = [&](int32_t input) { return call.num_inputs > input ? call.inputs[input].i32() : nullptr; };
  const int32_t* row_birth = births_of(adamw_input::row_birth);
  const int64_t rows = row_birth ? call.inputs[adamw_input::row_birth].count : 1;
  const AdamW f{out(call.outputs[0]), out(call.outputs[1]), out(call.outputs[2]), in(grad), call.inputs[adamw_input::norm].f32(),
                call.inputs[adamw_input::step].f32(), call.inputs[adamw_input::births].f32(), row_birth,
                births_of(adamw_input::col_birth), rows > 0 ? grad.count / rows : 0,
                static_cast<float>(attributes[adamw_attribute::beta1]), static_cast<float>(attributes[adamw_attribute::beta2]),
                static_cast<float>(attributes[adamw_attribute::epsilon]), static_cast<float>(attributes[adamw_attribute::weight_decay]),
                static_cast<float>(attributes[adamw_attribute::rate_scale])};
  launch_elementwise(context, "adamw", f, grad.count);
}

}  // namespace

extern const OpKernel adamw_kernel;
const OpKernel adamw_kernel = cuda_op("adamw", adamw_attribute::names, launch_adamw);

}  // namespace cuda
}  // namespace espalier
