// rms_norm_cuda.cu -- see rms_norm.h. Two passes over a row that stays in cache.
#include "ops/rms_norm.h"

#include "ops/norm_rows_cuda.h"

namespace espalier {
namespace cuda {
namespace {

struct Forward {
  Out y, rstd;
  NormInput x;
  In gain;
  ChannelWeights weights;
  int64_t R, C;
  float epsilon;
};

template <int W>
__global__ void __launch_bounds__(kNormThreads) rms_norm_rows(Forward a) {
  const int64_t row = row_of_warp(a.R);
  if (row < 0) return;
  const int64_t start = row * a.C;
  float squares = 0.0f;
  for_lane_channels<W>(a.C, [&](int64_t i) {
    float x[W], c[W];
    a.x.template first<W>(start + i, x);
    a.weights.template load<W>(i, c);
#pragma unroll
    for (int j = 0; j < W; ++j) squares += c[j] * x[j] * x[j];
  });
  const float rstd = 1.0f / sqrtf(warp_sum(squares) / weight_sum<W>(a.weights, a.C) + a.epsilon);
  for_lane_channels<W>(a.C, [&](int64_t i) {
    float x[W], c[W], gain[W];
    a.x.template load<W>(start + i, x);
    a.weights.template load<W>(i, c);
    a.gain.template load<W>(i, gain);
#pragma unroll
    for (int j = 0; j < W; ++j) x[j] *= c[j] * rstd * gain[j];
    a.y.template store<W>(start + i, x);
  });
  if (threadIdx.x % kWarpSize == 0) a.rstd.set(row, rstd);
}

struct Backward {
  Out dx;
  In dy, x, rstd, gain;
  In residual;  // no data: absent
  ChannelWeights weights;
  int64_t R, C;
};

template <int W>
__global__ void __launch_bounds__(kNormThreads) rms_norm_grad_rows(Backward a) {
  const int64_t row = row_of_warp(a.R);
  if (row < 0) return;
  const int64_t start = row * a.C;
  const float rstd = a.rstd[row];
  float sum_xhat = 0.0f;
  for_lane_channels<W>(a.C, [&](int64_t i) {
    float dy[W], x[W], c[W], gain[W];
    a.dy.template load<W>(start + i, dy);
    a.x.template load<W>(start + i, x);
    a.weights.template load<W>(i, c);
    a.gain.template load<W>(i, gain);
#pragma unroll
    for (int j = 0; j < W; ++j) sum_xhat += c[j] * gain[j] * dy[j] * x[j] * rstd;
  });
  sum_xhat = warp_sum(sum_xhat) / weight_sum<W>(a.weights, a.C);
  for_lane_channels<W>(a.C, [&](int64_t i) {
    float dy[W], x[W], c[W], gain[W];
    a.dy.template load<W>(start + i, dy);
    a.x.template load<W>(start + i, x);
    a.weights.template load<W>(i, c);
    a.gain.template load<W>(i, gain);
#pragma unroll
    for (int j = 0; j < W; ++j) dy[j] = rstd * (c[j] * gain[j] * dy[j] - c[j] * x[j] * rstd * sum_xhat);
    add_residual<W>(a.residual, start + i, dy);
    a.dx.template store<W>(start + i, dy);
  });
}

// `next` is the input behind x, or behind a and b.
void launch_forward(const char* name, const NormInput& x, int32_t next, const OpCall& call, const CudaContext& context) {
  const TensorView& y = call.outputs[0];
  const Forward a{out(y), out(call.outputs[1]), x, in(call.inputs[next]), {in_or_none(call, next + 1)},
                  y.rows(), y.last(), static_cast<float>(call.attributes[0])};
  launch_rows(context, name, rms_norm_rows<kWide>, rms_norm_rows<1>, a);
}
void launch_rms_norm(const OpCall& call, const CudaContext& context) { launch_forward("rmsNorm", {in(call.inputs[0]), {}, {}}, 1, call, context); }
void launch_add_rms_norm(const OpCall& call, const CudaContext& context) {
  launch_forward("addRmsNorm", {in(call.inputs[0]), in(call.inputs[1]), out(call.outputs[2])}, 2, call, context);
}

void launch_backward(const char* name, const In& residual, int32_t next, const OpCall& call, const CudaContext& context) {
  const TensorView& x = call.inputs[1];
  const Backward a{out(call.outputs[0]), in(call.inputs[0]), in(x), in(call.inputs[2]), in(call.inputs[3]), residual, {in_or_none(call, next)},
                   x.rows(), x.last()};
  launch_rows(context, name, rms_norm_grad_rows<kWide>, rms_norm_grad_rows<1>, a);
}
void launch_rms_norm_grad(const OpCall& call, const CudaContext& context) { launch_backward("rmsNormGrad", {}, 4, call, context); }
void launch_rms_norm_grad_add(const OpCall& call, const CudaContext& context) { launch_backward("rmsNormGradAdd", in(call.inputs[4]), 5, call, context); }

}  // namespace

const OpKernel rms_norm_kernel = cuda_op("rmsNorm", "epsilon", launch_rms_norm);
const OpKernel rms_norm_grad_kernel = cuda_op("rmsNormGrad", "", launch_rms_norm_grad);
const OpKernel add_rms_norm_kernel = cuda_op("addRmsNorm", "epsilon", launch_add_rms_norm);
const OpKernel rms_norm_grad_add_kernel = cuda_op("rmsNormGradAdd", "", launch_rms_norm_grad_add);

}  // namespace cuda
}  // namespace espalier
