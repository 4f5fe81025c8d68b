// causal_attention_cuda.cu -- see causal_attention.h: the form for any head size and number format, in fp32.
//
// A warp takes a query (forward, dq) or a key (dk, dv), 32 positions of the other side a step: scores have positions in
// the lanes, sums over positions have channels in the lanes, and what goes between passes through shared memory. Nothing
// is added by two warps, so there are no atomics and the order of additions is fixed.
#include "ops/causal_attention.h"

#include "cuda/device_math.h"
#include "cuda/launch.h"
#include "ops/attention_bf16_cuda.h"

namespace espalier {
namespace cuda {
namespace {

constexpr int kWarps = 4, kThreads = kWarps * kWarpSize;

using Shape = AttentionShape;

// Floats of shared memory of a warp: `rows` of D, and two of a lane each.
inline std::size_t room_bytes(const Shape& s, int rows) { return static_cast<std::size_t>(kWarps * (rows * s.D + 2 * kWarpSize)) * sizeof(float); }

struct Room {
  float* row[4];
  float *first, *second;
};
__device__ __forceinline__ Room room_of_warp(int64_t D, int rows) {
  const int warp = threadIdx.x / kWarpSize;
  float* at = block_memory<float>() + warp * (rows * D + 2 * kWarpSize);
  Room room{};
  for (int i = 0; i < rows; ++i) room.row[i] = at + i * D;
  room.first = at + rows * D;
  room.second = room.first + kWarpSize;
  return room;
}

__device__ __forceinline__ float dot(const float* a, const In& b, int64_t at, int64_t D) {
  float sum = 0.0f;
  for (int64_t d = 0; d < D; ++d) sum += a[d] * b[at + d];
  return sum;
}

struct Forward {
  Out y, lse;
  In q, k, v;
  Shape s;
};

__global__ void __launch_bounds__(kThreads) attention_rows(Forward a) {
  const Shape& s = a.s;
  const int lane = threadIdx.x % kWarpSize;
  const int64_t t = int64_t(blockIdx.x) * kWarps + threadIdx.x / kWarpSize, n = blockIdx.y, b = blockIdx.z, g = n / (s.N / s.G);
  if (t >= s.T) return;  // a whole warp
  const int64_t at = s.query(b, t, n);
  if (t >= s.length(b)) {
    for (int64_t d = lane; d < s.D; d += kWarpSize) a.y.set(at + d, 0.0f);
    if (lane == 0) a.lse.set((b * s.N + n) * s.T + t, 0.0f);
    return;
  }
  const Room room = room_of_warp(s.D, 2);
  float *query = room.row[0], *sum = room.row[1];
  for (int64_t d = lane; d < s.D; d += kWarpSize) {
    query[d] = a.q[at + d];
    sum[d] = 0.0f;
  }
  __syncwarp();
  float top = -INFINITY, total = 0.0f;
  for (int64_t first = s.start(b, t); first <= t; first += kWarpSize) {
    const int64_t m = first + lane;
    const float score = m <= t ? s.scale * dot(query, a.k, s.key(b, m, g), s.D) : -INFINITY;
    const float new_top = fmaxf(top, warp_max(score));
    const float shrink = expf(top - new_top), p = expf(score - new_top);
    total = total * shrink + warp_sum(p);
    top = new_top;
    room.first[lane] = p;
    __syncwarp();
    const int64_t keys = min(int64_t(kWarpSize), t + 1 - first);
    for (int64_t d = lane; d < s.D; d += kWarpSize) {
      float value = sum[d] * shrink;
      for (int64_t j = 0; j < keys; ++j) value += room.first[j] * a.v[s.key(b, first + j, g) + d];
      sum[d] = value;
    }
    __syncwarp();  // before `first` is written again
  }
  for (int64_t d = lane; d < s.D; d += kWarpSize) a.y.set(at + d, sum[d] / total);
  if (lane == 0) a.lse.set((b * s.N + n) * s.T + t, top + logf(total));
}

struct Backward {
  Out dq, dk, dv;
  In q, k, v, y, lse, dy;
  float* delta;  // [B, N, T]: dy.y
  Shape s;
};

__global__ void __launch_bounds__(kThreads) attention_query_gradients(Backward a) {
  const Shape& s = a.s;
  const int lane = threadIdx.x % kWarpSize;
  const int64_t t = int64_t(blockIdx.x) * kWarps + threadIdx.x / kWarpSize, n = blockIdx.y, b = blockIdx.z, g = n / (s.N / s.G);
  if (t >= s.T) return;
  const int64_t at = s.query(b, t, n), row = (b * s.N + n) * s.T + t;
  if (t >= s.length(b)) {
    for (int64_t d = lane; d < s.D; d += kWarpSize) a.dq.set(at + d, 0.0f);
    return;
  }
  const Room room = room_of_warp(s.D, 3);
  float *query = room.row[0], *d_y = room.row[1], *sum = room.row[2];
  float part = 0.0f;
  for (int64_t d = lane; d < s.D; d += kWarpSize) {
    query[d] = a.q[at + d];
    d_y[d] = a.dy[at + d];
    sum[d] = 0.0f;
    part += d_y[d] * a.y[at + d];
  }
  const float delta = warp_sum(part), lse = a.lse[row];
  if (lane == 0) a.delta[row] = delta;
  __syncwarp();
  for (int64_t first = s.start(b, t); first <= t; first += kWarpSize) {
    const int64_t m = first + lane;
    float ds = 0.0f;
    if (m <= t) {
      const float p = expf(s.scale * dot(query, a.k, s.key(b, m, g), s.D) - lse);
      ds = p * (dot(d_y, a.v, s.key(b, m, g), s.D) - delta);
    }
    room.first[lane] = ds;
    __syncwarp();
    const int64_t keys = min(int64_t(kWarpSize), t + 1 - first);
    for (int64_t d = lane; d < s.D; d += kWarpSize) {
      float value = sum[d];
      for (int64_t j = 0; j < keys; ++j) value += room.first[j] * a.k[s.key(b, first + j, g) + d];
      sum[d] = value;
    }
    __syncwarp();
  }
  for (int64_t d = lane; d < s.D; d += kWarpSize) a.dq.set(at + d, s.scale * sum[d]);
}

__global__ void __launch_bounds__(kThreads) attention_key_gradients(Backward a) {
  const Shape& s = a.s;
  const int lane = threadIdx.x % kWarpSize;
  const int64_t m = int64_t(blockIdx.x) * kWarps + threadIdx.x / kWarpSize, g = blockIdx.y, b = blockIdx.z, group = s.N / s.G;
  if (m >= s.T) return;
  const int64_t at = s.key(b, m, g), length = s.length(b);
  if (m >= length) {
    for (int64_t d = lane; d < s.D; d += kWarpSize) {
      a.dk.set(at + d, 0.0f);
      a.dv.set(at + d, 0.0f);
    }
    return;
  }
  const Room room = room_of_warp(s.D, 4);
  float *key = room.row[0], *value = room.row[1], *sum_k = room.row[2], *sum_v = room.row[3];
  for (int64_t d = lane; d < s.D; d += kWarpSize) {
    key[d] = a.k[at + d];
    value[d] = a.v[at + d];
    sum_k[d] = sum_v[d] = 0.0f;
  }
  __syncwarp();
  for (int64_t n = g * group; n < (g + 1) * group; ++n) {
    for (int64_t first = m; first < length; first += kWarpSize) {
      const int64_t t = first + lane;
      float p = 0.0f, ds = 0.0f;
      const bool seen = t < length && s.start(b, t) <= m;
      if (s.starts && warp_max(seen ? 1.0f : 0.0f) == 0.0f) continue;  // queries of other documents
      if (seen) {
        const int64_t row = (b * s.N + n) * s.T + t;
        p = expf(s.scale * dot(key, a.q, s.query(b, t, n), s.D) - a.lse[row]);
        ds = p * (dot(value, a.dy, s.query(b, t, n), s.D) - a.delta[row]);
      }
      room.first[lane] = p;
      room.second[lane] = ds;
      __syncwarp();
      const int64_t queries = min(int64_t(kWarpSize), length - first);
      for (int64_t d = lane; d < s.D; d += kWarpSize) {
        float to_k = sum_k[d], to_v = sum_v[d];
        for (int64_t j = 0; j < queries; ++j) {
          const int64_t from = s.query(b, first + j, n) + d;
          to_k += room.second[j] * a.q[from];
          to_v += room.first[j] * a.dy[from];
        }
        sum_k[d] = to_k;
        sum_v[d] = to_v;
      }
      __syncwarp();
    }
  }
  for (int64_t d = lane; d < s.D; d += kWarpSize) {
    a.dk.set(at + d, s.scale * sum_k[d]);
    a.dv.set(at + d, sum_v[d]);
  }
}

dim3 grid_of(const Shape& s, int64_t heads) {
  return dim3(blocks_for(s.T, kWarps), static_cast<unsigned>(heads), static_cast<unsigned>(s.B));
}

// Attribute `bf16`, which may be left out: tensor cores where the head size allows.
bool on_tensor_cores(const OpCall& call, const Shape& s) { return call.attributes[1] != 0 && tensor_cores_serve(s); }

void launch_forward(const OpCall& call, const CudaContext& context) {
  const Forward a{out(call.outputs[0]), out(call.outputs[1]), in(call.inputs[0]), in(call.inputs[1]), in(call.inputs[2]), attention_shape(call, 3)};
  if (on_tensor_cores(call, a.s)) return launch_attention_forward_bf16(context, a.y, a.lse, a.q, a.k, a.v, a.s, call.scratch);
  launch(context, "causalAttention", attention_rows, grid_of(a.s, a.s.N), kThreads, room_bytes(a.s, 2), a);
}

void launch_backward(const OpCall& call, const CudaContext& context) {
  const Backward a{out(call.outputs[0]), out(call.outputs[1]), out(call.outputs[2]), in(call.inputs[0]), in(call.inputs[1]), in(call.inputs[2]),
                   in(call.inputs[3]), in(call.inputs[4]), in(call.inputs[5]), static_cast<float*>(call.scratch), attention_shape(call, 6)};
  if (on_tensor_cores(call, a.s)) {
    return launch_attention_backward_bf16(context, {a.dq, a.dk, a.dv, a.q, a.k, a.v, a.y, a.lse, a.dy}, a.s, call.scratch);
  }
  launch(context, "causalAttentionGrad", attention_query_gradients, grid_of(a.s, a.s.N), kThreads, room_bytes(a.s, 3), a);
  launch(context, "causalAttentionGrad", attention_key_gradients, grid_of(a.s, a.s.G), kThreads, room_bytes(a.s, 4), a);
}

std::size_t forward_scratch(const OpCall& call) {
  const Shape s = attention_shape(call, 3);
  return on_tensor_cores(call, s) ? attention_forward_bf16_bytes(s) : 0;
}

std::size_t backward_scratch(const OpCall& call) {
  const Shape s = attention_shape(call, 6);
  if (on_tensor_cores(call, s)) return attention_backward_bf16_bytes(s);
  return static_cast<std::size_t>(s.B * s.N * s.T) * sizeof(float);
}

}  // namespace

const OpKernel causal_attention_kernel = cuda_op("causalAttention", "scale,bf16?", launch_forward, forward_scratch);
const OpKernel causal_attention_grad_kernel = cuda_op("causalAttentionGrad", "scale,bf16?", launch_backward, backward_scratch);

}  // namespace cuda
}  // namespace espalier
