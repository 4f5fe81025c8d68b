// norm_parameter_grad_cuda.cu -- see norm_parameter_grad.h.
#include "ops/norm_parameter_grad.h"

#include "cuda/column_sums.h"

namespace espalier {
namespace cuda {
namespace {

struct GainAndBias {
  In dy, x, mean, rstd, c;
  int64_t C;
  template <int kSums>
  __device__ void value(int64_t row, int64_t column, float (&sum)[kSums]) const {
    const float weighted = dy[row * C + column] * (c.data ? c[column] : 1.0f);
    const float centred = x[row * C + column] - (mean.data ? mean[row] : 0.0f);
    sum[0] += weighted * centred * rstd[row];
    if (kSums > 1) sum[kSums - 1] += weighted;
  }
};

void launch_norm_parameter_grad(const OpCall& call, const CudaContext& context) {
  const bool has_mean = call.attributes[1] != 0.0, weighted = call.attributes[2] != 0.0;
  const TensorView& x = call.inputs[1];
  const In none{nullptr, false};
  const GainAndBias f{in(call.inputs[0]), in(x), has_mean ? in(call.inputs[2]) : none, in(call.inputs[2 + has_mean]),
                      weighted ? in(call.inputs[3 + has_mean]) : none, x.last()};
  const Accumulate accumulate = accumulate_of(call, call.attributes[0]);
  const ColumnTargets targets{{out(call.outputs[0]), has_mean ? out(call.outputs[1]) : Out{}}};
  if (has_mean) launch_column_sums<2>(context, "normParameterGrad", targets, f, x.rows(), x.last(), call.scratch, accumulate);
  else launch_column_sums<1>(context, "normParameterGrad", targets, f, x.rows(), x.last(), call.scratch, accumulate);
}

std::size_t scratch_bytes(const OpCall& call) { return column_sums_bytes<2>(call.inputs[1].rows(), call.inputs[1].last()); }

}  // namespace

const OpKernel norm_parameter_grad_kernel =
    cuda_op("normParameterGrad", "accumulate,hasMean,hasChannelWeights", launch_norm_parameter_grad, scratch_bytes);

}  // namespace cuda
}  // namespace espalier
