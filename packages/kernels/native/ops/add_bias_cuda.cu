// add_bias_cuda.cu -- see add_bias.h.
#include "ops/add_bias.h"

#include "cuda/column_sums.h"
#include "cuda/elementwise.h"

namespace espalier {
namespace cuda {
namespace {

struct AddBias {
  Out y;
  In x, bias;
  int64_t N;
  template <int W>
  __device__ void at(int64_t i) const {
    float v[W], b[W];
    x.load<W>(i, v);
    bias.load<W>(i % N, b);
#pragma unroll
    for (int j = 0; j < W; ++j) v[j] += b[j];
    y.store<W>(i, v);
  }
};

struct ColumnSum {
  In dy;
  int64_t N;
  __device__ void value(int64_t row, int64_t column, float (&sum)[1]) const { sum[0] += dy[row * N + column]; }
};

void launch_add_bias(const OpCall& call, const CudaContext& context) {
  const int64_t N = call.inputs[1].count;
  const AddBias f{out(call.outputs[0]), in(call.inputs[0]), in(call.inputs[1]), N};
  launch_elementwise(context, "addBias", f, call.outputs[0].count, N % kWide == 0);
}

void launch_column_sum(const OpCall& call, const CudaContext& context) {
  const TensorView& dy = call.inputs[0];
  const ColumnTargets targets{{out(call.outputs[0]), {}}};
  launch_column_sums<1>(context, "columnSum", targets, ColumnSum{in(dy), dy.last()}, dy.rows(), dy.last(), call.scratch,
                        accumulate_of(call, call.attributes[0]));
}

std::size_t column_sum_scratch(const OpCall& call) { return column_sums_bytes<1>(call.inputs[0].rows(), call.inputs[0].last()); }

}  // namespace

const OpKernel add_bias_kernel = cuda_op("addBias", "", launch_add_bias);
const OpKernel column_sum_kernel = cuda_op("columnSum", "accumulate", launch_column_sum, column_sum_scratch);

}  // namespace cuda
}  // namespace espalier
