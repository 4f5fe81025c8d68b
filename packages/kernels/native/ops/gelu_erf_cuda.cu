// gelu_erf_cuda.cu -- see gelu_erf.h.
#include "ops/gelu_erf.h"

#include "cuda/elementwise.h"

namespace espalier {
namespace cuda {
namespace {

// The normal distribution function and its density; the polynomial and its accuracy: see math/gelu_erf.h.
struct Normal {
  float distribution, density;
};
__device__ __forceinline__ Normal normal(float x) {
  const float size = fabsf(x);
  const float u = size > 14.0f ? 14.0f : size;  // keeps a NaN
  const float square = u * u, rest = fmaf(u, u, -square);  // what rounding cut off
  const float e0 = expf(-0.5f * square), e = e0 - 0.5f * rest * e0;
  const float t = 1.0f / (0.35f * u + 1.0f);
  float p = 1.931434140e-2f;
  p = p * t - 1.084574770e-1f;
  p = p * t + 2.358887759e-1f;
  p = p * t - 2.259217035e-1f;
  p = p * t + 6.957029387e-2f;
  p = p * t - 2.839561588e-2f;
  p = p * t + 4.840289339e-2f;
  p = p * t + 8.778654118e-2f;
  p = p * t + 1.225529071e-1f;
  p = p * t + 1.396292368e-1f;
  p = p * t + 1.396298000e-1f;
  const float tail = e * (p * t);
  return {x < 0.0f ? tail : 1.0f - tail, e * 0.398942280f};
}

struct GeluErf {
  Out y;
  In x;
  template <int W>
  __device__ void at(int64_t i) const {
    float v[W];
    x.load<W>(i, v);
#pragma unroll
    for (int j = 0; j < W; ++j) v[j] *= normal(v[j]).distribution;
    y.store<W>(i, v);
  }
};

struct GeluErfGrad {
  Out dx;
  In x, dy;
  template <int W>
  __device__ void at(int64_t i) const {
    float v[W], d[W];
    x.load<W>(i, v);
    dy.load<W>(i, d);
#pragma unroll
    for (int j = 0; j < W; ++j) {
      const Normal n = normal(v[j]);
      d[j] *= v[j] * n.density + n.distribution;
    }
    dx.store<W>(i, d);
  }
};

void launch_gelu_erf(const OpCall& call, const CudaContext& context) {
  launch_elementwise(context, "geluErf", GeluErf{out(call.outputs[0]), in(call.inputs[0])}, call.outputs[0].count);
}

void launch_gelu_erf_grad(const OpCall& call, const CudaContext& context) {
  launch_elementwise(context, "geluErfGrad", GeluErfGrad{out(call.outputs[0]), in(call.inputs[0]), in(call.inputs[1])}, call.outputs[0].count);
}

}  // namespace

const OpKernel gelu_erf_kernel = cuda_op("geluErf", "", launch_gelu_erf);
const OpKernel gelu_erf_grad_kernel = cuda_op("geluErfGrad", "", launch_gelu_erf_grad);

}  // namespace cuda
}  // namespace espalier
