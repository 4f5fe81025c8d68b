// layer_norm_cuda.cu -- see layer_norm.h. Three passes over a row that stays in cache: mean, variance, result.
#include "ops/layer_norm.h"

#include "ops/norm_rows_cuda.h"

namespace espalier {
namespace cuda {
namespace {

struct Forward {
  Out y, mean, rstd;
  NormInput x;
  In gain, bias;
  ChannelWeights weights;
  int64_t R, C;
  float epsilon;
};

template <int W>
__global__ void __launch_bounds__(kNormThreads) layer_norm_rows(Forward a) {
  const int64_t row = row_of_warp(a.R);
  if (row < 0) return;
  const int64_t start = row * a.C;
  const float S = weight_sum<W>(a.weights, a.C);
  float sum = 0.0f;
  for_lane_channels<W>(a.C, [&](int64_t i) {
    float x[W], c[W];
    a.x.template first<W>(start + i, x);
    a.weights.template load<W>(i, c);
#pragma unroll
    for (int j = 0; j < W; ++j) sum += c[j] * x[j];
  });
  const float mean = warp_sum(sum) / S;
  float squares = 0.0f;
  for_lane_channels<W>(a.C, [&](int64_t i) {
    float x[W], c[W];
    a.x.template load<W>(start + i, x);
    a.weights.template load<W>(i, c);
#pragma unroll
    for (int j = 0; j < W; ++j) squares += c[j] * (x[j] - mean) * (x[j] - mean);
  });
  const float rstd = 1.0f / sqrtf(warp_sum(squares) / S + a.epsilon);
  for_lane_channels<W>(a.C, [&](int64_t i) {
    float x[W], c[W], gain[W], bias[W];
    a.x.template load<W>(start + i, x);
    a.weights.template load<W>(i, c);
    a.gain.template load<W>(i, gain);
    a.bias.template load<W>(i, bias);
#pragma unroll
    for (int j = 0; j < W; ++j) x[j] = c[j] * ((x[j] - mean) * rstd * gain[j] + bias[j]);
    a.y.template store<W>(start + i, x);
  });
  if (threadIdx.x % kWarpSize == 0) {
    a.mean.set(row, mean);
    a.rstd.set(row, rstd);
  }
}

struct Backward {
  Out dx;
  In dy, x, mean, rstd, gain;
  In residual;  // no data: absent
  ChannelWeights weights;
  int64_t R, C;
};

template <int W>
__global__ void __launch_bounds__(kNormThreads) layer_norm_grad_rows(Backward a) {
  const int64_t row = row_of_warp(a.R);
  if (row < 0) return;
  const int64_t start = row * a.C;
  const float mean = a.mean[row], rstd = a.rstd[row];
  const float S = weight_sum<W>(a.weights, a.C);
  float sum = 0.0f, sum_xhat = 0.0f;
  for_lane_channels<W>(a.C, [&](int64_t i) {
    float dy[W], x[W], c[W], gain[W];
    a.dy.template load<W>(start + i, dy);
    a.x.template load<W>(start + i, x);
    a.weights.template load<W>(i, c);
    a.gain.template load<W>(i, gain);
#pragma unroll
    for (int j = 0; j < W; ++j) {
      const float weighted = c[j] * gain[j] * dy[j];
      sum += weighted;
      sum_xhat += weighted * (x[j] - mean) * rstd;
    }
  });
  sum = warp_sum(sum) / S;
  sum_xhat = warp_sum(sum_xhat) / S;
  for_lane_channels<W>(a.C, [&](int64_t i) {
    float dy[W], x[W], c[W], gain[W];
    a.dy.template load<W>(start + i, dy);
    a.x.template load<W>(start + i, x);
    a.weights.template load<W>(i, c);
    a.gain.template load<W>(i, gain);
#pragma unroll
    for (int j = 0; j < W; ++j) dy[j] = rstd * (c[j] * gain[j] * dy[j] - c[j] * sum - c[j] * (x[j] - mean) * rstd * sum_xhat);
    add_residual<W>(a.residual, start + i, dy);
    a.dx.template store<W>(start + i, dy);
  });
}

// `next` is the input behind x, or behind a and b.
void launch_forward(const char* name, const NormInput& x, int32_t next, const OpCall& call, const CudaContext& context) {
  const TensorView& y = call.outputs[0];
  const Forward a{out(y), out(call.outputs[1]), out(call.outputs[2]), x, in(call.inputs[next]), in(call.inputs[next + 1]),
                  {in_or_none(call, next + 2)}, y.rows(), y.last(), static_cast<float>(call.attributes[0])};
  launch_rows(context, name, layer_norm_rows<kWide>, layer_norm_rows<1>, a);
}
void launch_layer_norm(const OpCall& call, const CudaContext& context) { launch_forward("layerNorm", {in(call.inputs[0]), {}, {}}, 1, call, context); }
void launch_add_layer_norm(const OpCall& call, const CudaContext& context) {
  launch_forward("addLayerNorm", {in(call.inputs[0]), in(call.inputs[1]), out(call.outputs[3])}, 2, call, context);
}

void launch_backward(const char* name, const In& residual, int32_t next, const OpCall& call, const CudaContext& context) {
  const TensorView& x = call.inputs[1];
  const Backward a{out(call.outputs[0]), in(call.inputs[0]), in(x), in(call.inputs[2]), in(call.inputs[3]), in(call.inputs[4]), residual,
                   {in_or_none(call, next)}, x.rows(), x.last()};
  launch_rows(context, name, layer_norm_grad_rows<kWide>, layer_norm_grad_rows<1>, a);
}
void launch_layer_norm_grad(const OpCall& call, const CudaContext& context) { launch_backward("layerNormGrad", {}, 5, call, context); }
void launch_layer_norm_grad_add(const OpCall& call, const CudaContext& context) { launch_backward("layerNormGradAdd", in(call.inputs[5]), 6, call, context); }

}  // namespace

const OpKernel layer_norm_kernel = cuda_op("layerNorm", "epsilon", launch_layer_norm);
const OpKernel layer_norm_grad_kernel = cuda_op("layerNormGrad", "", launch_layer_norm_grad);
const OpKernel add_layer_norm_kernel = cuda_op("addLayerNorm", "epsilon", launch_add_layer_norm);
const OpKernel layer_norm_grad_add_kernel = cuda_op("layerNormGradAdd", "", launch_layer_norm_grad_add);

}  // namespace cuda
}  // namespace espalier
