// blend_cuda.cu -- see blend.h.
#include "ops/blend.h"

#include "cuda/elementwise.h"

namespace espalier {
namespace cuda {
namespace {

struct Blend {
  Out y;
  In a, b, m;
  template <int W>
  __device__ void at(int64_t i) const {
    const float weight = m[0];
    float left[W], right[W];
    a.load<W>(i, left);
    b.load<W>(i, right);
#pragma unroll
    for (int j = 0; j < W; ++j) left[j] = (1.0f - weight) * left[j] + weight * right[j];
    y.store<W>(i, left);
  }
};

struct BlendGrad {
  Out da, db;
  In dy, m;
  template <int W>
  __device__ void at(int64_t i) const {
    const float weight = m[0];
    float left[W], right[W];
    dy.load<W>(i, left);
#pragma unroll
    for (int j = 0; j < W; ++j) {
      right[j] = weight * left[j];
      left[j] *= 1.0f - weight;
    }
    da.store<W>(i, left);
    db.store<W>(i, right);
  }
};

void launch_blend(const OpCall& call, const CudaContext& context) {
  const Blend f{out(call.outputs[0]), in(call.inputs[0]), in(call.inputs[1]), in(call.inputs[2])};
  launch_elementwise(context, "blend", f, call.outputs[0].count);
}

void launch_blend_grad(const OpCall& call, const CudaContext& context) {
  const BlendGrad f{out(call.outputs[0]), out(call.outputs[1]), in(call.inputs[0]), in(call.inputs[1])};
  launch_elementwise(context, "blendGrad", f, call.outputs[0].count);
}

}  // namespace

const OpKernel blend_kernel = cuda_op("blend", "", launch_blend);
const OpKernel blend_grad_kernel = cuda_op("blendGrad", "", launch_blend_grad);

}  // namespace cuda
}  // namespace espalier
