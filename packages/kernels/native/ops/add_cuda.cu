// add_cuda.cu -- see add.h.
#include "ops/add.h"

#include "cuda/elementwise.h"

namespace espalier {
namespace cuda {
namespace {

struct Add {
  Out y;
  In a, b;
  template <int W>
  __device__ void at(int64_t i) const {
    float left[W], right[W];
    a.load<W>(i, left);
    b.load<W>(i, right);
#pragma unroll
    for (int j = 0; j < W; ++j) left[j] += right[j];
    y.store<W>(i, left);
  }
};

void launch_add(const OpCall& call, const CudaContext& context) {
  launch_elementwise(context, "add", Add{out(call.outputs[0]), in(call.inputs[0]), in(call.inputs[1])}, call.outputs[0].count);
}

}  // namespace

extern const OpKernel add_kernel;
const OpKernel add_kernel = cuda_op("add", "", launch_add);

}  // namespace cuda
}  // namespace espalier
