// swiglu_cuda.cu -- see swiglu.h.
#include "ops/swiglu.h"

#include "cuda/elementwise.h"

namespace espalier {
namespace cuda {
namespace {

struct Swiglu {
  Out y;
  In gate, up;
  template <int W>
  __device__ void at(int64_t i) const {
    float g[W], u[W];
    gate.load<W>(i, g);
    up.load<W>(i, u);
#pragma unroll
    for (int j = 0; j < W; ++j) u[j] *= g[j] * sigmoid(g[j]).value;
    y.store<W>(i, u);
  }
};

struct SwigluGrad {
  Out d_gate, d_up;
  In gate, up, dy;
  template <int W>
  __device__ void at(int64_t i) const {
    float g[W], u[W], d[W];
    gate.load<W>(i, g);
    up.load<W>(i, u);
    dy.load<W>(i, d);
#pragma unroll
    for (int j = 0; j < W; ++j) {
      const Sigmoid s = sigmoid(g[j]);
      u[j] *= d[j] * (s.value + g[j] * s.value * s.complement);
      d[j] *= g[j] * s.value;
    }
    d_gate.store<W>(i, u);
    d_up.store<W>(i, d);
  }
};

void launch_swiglu(const OpCall& call, const CudaContext& context) {
  const Swiglu f{out(call.outputs[0]), in(call.inputs[0]), in(call.inputs[1])};
  launch_elementwise(context, "swiglu", f, call.outputs[0].count);
}

void launch_swiglu_grad(const OpCall& call, const CudaContext& context) {
  const SwigluGrad f{out(call.outputs[0]), out(call.outputs[1]), in(call.inputs[0]), in(call.inputs[1]), in(call.inputs[2])};
  launch_elementwise(context, "swigluGrad", f, call.outputs[0].count);
}

}  // namespace

const OpKernel swiglu_kernel = cuda_op("swiglu", "", launch_swiglu);
const OpKernel swiglu_grad_kernel = cuda_op("swigluGrad", "", launch_swiglu_grad);

}  // namespace cuda
}  // namespace espalier
