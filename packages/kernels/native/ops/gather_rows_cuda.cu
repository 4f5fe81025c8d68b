// gather_rows_cuda.cu -- see gather_rows.h.
#include "ops/gather_rows.h"

#include "cuda/elementwise.h"

namespace espalier {
namespace cuda {
namespace {

struct GatherRows {
  Out y;
  In x;
  const int32_t* index;
  int64_t T, C;
  template <int W>
  __device__ void at(int64_t i) const {
    const int64_t b = i / C, t = index[b];
    float v[W];
    if (t >= 0 && t < T) {
      x.load<W>((b * T + t) * C + i % C, v);
    } else {
#pragma unroll
      for (int j = 0; j < W; ++j) v[j] = nanf("");
    }
    y.store<W>(i, v);
  }
};

void launch_gather_rows(const OpCall& call, const CudaContext& context) {
  const int64_t T = call.inputs[0].dims[1], C = call.inputs[0].last();
  const GatherRows f{out(call.outputs[0]), in(call.inputs[0]), call.inputs[1].i32(), T, C};
  launch_elementwise(context, "gatherRows", f, call.outputs[0].count, C % kWide == 0);
}

}  // namespace

const OpKernel gather_rows_kernel = cuda_op("gatherRows", "", launch_gather_rows);

}  // namespace cuda
}  // namespace espalier
