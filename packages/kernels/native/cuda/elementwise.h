// elementwise.h -- one kernel for every op that touches each element once.
//
// `f.template at<W>(i)` computes elements i ... i + W - 1. A block takes kElementsPerBlock elements in a row, eight a thread
// and step; the last ones, and tensors whose last axis is not a multiple of eight where that matters, go one by one.
#pragma once
#include "cuda/device_math.h"
#include "cuda/launch.h"

namespace espalier {
namespace cuda {

constexpr int kElementThreads = 256;
constexpr int64_t kElementsPerBlock = 2 * kElementThreads * kWide;

template <int W, class F>
__global__ void __launch_bounds__(kElementThreads) elementwise_kernel(F f, int64_t count) {
  const int64_t first = blockIdx.x * kElementsPerBlock + threadIdx.x * W;
#pragma unroll
  for (int64_t step = 0; step < kElementsPerBlock; step += kElementThreads * W) {
    const int64_t i = first + step;
    if (i + W <= count) {
      f.template at<W>(i);
    } else {
      for (int64_t j = i; j < count; ++j) f.template at<1>(j);
    }
  }
}

template <class F>
void launch_elementwise(const CudaContext& context, const char* name, const F& f, int64_t count, bool wide = true) {
  const dim3 grid(blocks_for(count, kElementsPerBlock));
  if (wide) launch(context, name, elementwise_kernel<kWide, F>, grid, kElementThreads, 0, f, count);
  else launch(context, name, elementwise_kernel<1, F>, grid, kElementThreads, 0, f, count);
}

}  // namespace cuda
}  // namespace espalier
