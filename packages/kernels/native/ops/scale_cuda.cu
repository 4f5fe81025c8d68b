// scale_cuda.cu -- see scale.h.
#include "ops/scale.h"

#include "cuda/elementwise.h"

namespace espalier {
namespace cuda {
namespace {

struct Scale {
  Out y;
  In x;
  float factor;
  template <int W>
  __device__ void at(int64_t i) const {
    float v[W];
    x.load<W>(i, v);
#pragma unroll
    for (int j = 0; j < W; ++j) v[j] *= factor;
    y.store<W>(i, v);
  }
};

struct ScaleColumns {
  Out y;
  In x, gate;
  int64_t N;
  template <int W>
  __device__ void at(int64_t i) const {
    float v[W], g[W];
    x.load<W>(i, v);
    gate.load<W>(i % N, g);
#pragma unroll
    for (int j = 0; j < W; ++j) v[j] *= g[j];
    y.store<W>(i, v);
  }
};

void launch_scale(const OpCall& call, const CudaContext& context) {
  const Scale f{out(call.outputs[0]), in(call.inputs[0]), static_cast<float>(call.attributes[0])};
  launch_elementwise(context, "scale", f, call.outputs[0].count);
}

void launch_scale_columns(const OpCall& call, const CudaContext& context) {
  const int64_t N = call.inputs[1].count;
  const ScaleColumns f{out(call.outputs[0]), in(call.inputs[0]), in(call.inputs[1]), N};
  launch_elementwise(context, "scaleColumns", f, call.outputs[0].count, N % kWide == 0);
}

}  // namespace

const OpKernel scale_kernel = cuda_op("scale", "factor", launch_scale);
const OpKernel scale_columns_kernel = cuda_op("scaleColumns", "", launch_scale_columns);

}  // namespace cuda
}  // namespace espalier
