// gelu_cuda.cu -- see gelu.h.
#include "ops/gelu.h"

#include "cuda/elementwise.h"

namespace espalier {
namespace cuda {
namespace {

struct Gelu {
  Out y;
  In x;
  template <int W>
  __device__ void at(int64_t i) const {
    float v[W];
    x.load<W>(i, v);
#pragma unroll
    for (int j = 0; j < W; ++j) v[j] = gelu(v[j]);
    y.store<W>(i, v);
  }
};

struct GeluGrad {
  Out dx;
  In x, dy;
  template <int W>
  __device__ void at(int64_t i) const {
    float v[W], d[W];
    x.load<W>(i, v);
    dy.load<W>(i, d);
#pragma unroll
    for (int j = 0; j < W; ++j) d[j] *= gelu_derivative(v[j]);
    dx.store<W>(i, d);
  }
};

void launch_gelu(const OpCall& call, const CudaContext& context) {
  launch_elementwise(context, "gelu", Gelu{out(call.outputs[0]), in(call.inputs[0])}, call.outputs[0].count);
}

void launch_gelu_grad(const OpCall& call, const CudaContext& context) {
  launch_elementwise(context, "geluGrad", GeluGrad{out(call.outputs[0]), in(call.inputs[0]), in(call.inputs[1])}, call.outputs[0].count);
}

}  // namespace

const OpKernel gelu_kernel = cuda_op("gelu", "", launch_gelu);
const OpKernel gelu_grad_kernel = cuda_op("geluGrad", "", launch_gelu_grad);

}  // namespace cuda
}  // namespace espalier
