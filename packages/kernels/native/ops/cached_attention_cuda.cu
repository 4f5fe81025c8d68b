// cached_attention_cuda.cu -- see cached_attention.h. A warp takes a row and head, 32 keys a step, as in
// causal_attention_cuda.cu; so a row's bits cannot depend on the others.
#include "ops/cached_attention.h"

#include "cuda/device_math.h"
#include "cuda/launch.h"

namespace espalier {
namespace cuda {
namespace {

constexpr int kWarps = 4, kThreads = kWarps * kWarpSize;

struct Cached {
  Out y;
  In q, k, v;
  const int32_t *positions, *starts, *key_rows;
  int64_t R, N, G, D, P, M;
  float scale;
};

__global__ void __launch_bounds__(kThreads) cached_attention_rows(Cached a) {
  const int lane = threadIdx.x % kWarpSize;
  const int64_t index = int64_t(blockIdx.x) * kWarps + threadIdx.x / kWarpSize;
  if (index >= a.R * a.N) return;  // a whole warp
  const int64_t r = index / a.N, n = index % a.N, g = n / (a.N / a.G), at = index * a.D;
  const int64_t position = a.positions[r], start = a.starts[r];
  if (position < 0) {
    for (int64_t d = lane; d < a.D; d += kWarpSize) a.y.set(at + d, 0.0f);
    return;
  }
  bool sound = start >= 0 && start + position < a.M;
  for (int64_t m = lane; sound && m <= position; m += kWarpSize) {
    const int64_t row = a.key_rows[start + m];
    sound = row >= 0 && row < a.P;
  }
  if (warp_max(sound ? 0.0f : 1.0f) != 0.0f) {
    for (int64_t d = lane; d < a.D; d += kWarpSize) a.y.set(at + d, nanf(""));
    return;
  }
  float* query = block_memory<float>() + (threadIdx.x / kWarpSize) * (2 * a.D + kWarpSize);
  float *sum = query + a.D, *weights = sum + a.D;
  for (int64_t d = lane; d < a.D; d += kWarpSize) {
    query[d] = a.q[at + d];
    sum[d] = 0.0f;
  }
  __syncwarp();
  float top = -INFINITY, total = 0.0f;
  for (int64_t first = 0; first <= position; first += kWarpSize) {
    const int64_t m = first + lane;
    float score = -INFINITY;
    if (m <= position) {
      const int64_t key = (int64_t(a.key_rows[start + m]) * a.G + g) * a.D;
      float dot = 0.0f;
      for (int64_t d = 0; d < a.D; ++d) dot += query[d] * a.k[key + d];
      score = a.scale * dot;
    }
    const float new_top = fmaxf(top, warp_max(score));
    const float shrink = expf(top - new_top), p = expf(score - new_top);
    total = total * shrink + warp_sum(p);
    top = new_top;
    weights[lane] = p;
    __syncwarp();
    const int64_t keys = min(int64_t(kWarpSize), position + 1 - first);
    for (int64_t d = lane; d < a.D; d += kWarpSize) {
      float value = sum[d] * shrink;
      for (int64_t j = 0; j < keys; ++j) value += weights[j] * a.v[(int64_t(a.key_rows[start + first + j]) * a.G + g) * a.D + d];
      sum[d] = value;
    }
    __syncwarp();
  }
  for (int64_t d = lane; d < a.D; d += kWarpSize) a.y.set(at + d, sum[d] / total);
}

void launch_cached_attention(const OpCall& call, const CudaContext& context) {
  const int64_t* k = call.inputs[1].dims;
  const int64_t R = call.inputs[3].count;
  if (R == 0) return;
  const Cached a{out(call.outputs[0]), in(call.inputs[0]), in(call.inputs[1]), in(call.inputs[2]), call.inputs[3].i32(), call.inputs[4].i32(),
                 call.inputs[5].i32(), R, call.inputs[0].count / (R * k[2]), k[1], k[2], k[0], call.inputs[5].count,
                 static_cast<float>(call.attributes[0])};
  launch(context, "cachedAttention", cached_attention_rows, dim3(blocks_for(R * a.N, kWarps)), kThreads,
         static_cast<std::size_t>(kWarps * (2 * a.D + kWarpSize)) * sizeof(float), a);
}

}  // namespace

const OpKernel cached_attention_kernel = cuda_op("cachedAttention", "scale", launch_cached_attention);

}  // namespace cuda
}  // namespace espalier
