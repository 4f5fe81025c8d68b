// device_math.h -- what kernels share: tensors of either number format, vectors of eight, sums over warps and blocks,
// the activation functions.
#pragma once
#include "cuda/platform.h"
#include "executor/op.h"

namespace espalier {
namespace cuda {

constexpr int kWarpSize = 32;
// Elements a thread takes at once where rows allow it: 32 bytes of fp32, 16 of bf16.
constexpr int kWide = 8;

// ---- bf16: the upper half of a float, rounded to nearest even ----

__device__ __forceinline__ float from_bf16(uint16_t bits) { return __uint_as_float(static_cast<unsigned>(bits) << 16); }
__device__ __forceinline__ uint16_t to_bf16(float x) {
  const unsigned bits = __float_as_uint(x);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return static_cast<uint16_t>(bits >> 16 | 0x40u);  // stays not a number
  return static_cast<uint16_t>((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}
// Two of them in one register, the first in the lower half.
__device__ __forceinline__ uint32_t pack_bf16(float low, float high) {
#if defined(__CUDA_ARCH__)
  uint32_t packed;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(packed) : "f"(high), "f"(low));
  return packed;
#else
  return static_cast<uint32_t>(to_bf16(low)) | static_cast<uint32_t>(to_bf16(high)) << 16;
#endif
}

// ---- tensors; the format is the same for all threads, so its branch costs little beside the memory ----

struct In {
  const void* data;
  bool bf16;

  __device__ __forceinline__ float operator[](int64_t i) const {
    return bf16 ? from_bf16(static_cast<const uint16_t*>(data)[i]) : static_cast<const float*>(data)[i];
  }
  // Elements i and i + 1, of an even i.
  __device__ __forceinline__ float2 pair(int64_t i) const {
    if (!bf16) return *reinterpret_cast<const float2*>(static_cast<const float*>(data) + i);
    const uint32_t packed = *reinterpret_cast<const uint32_t*>(static_cast<const uint16_t*>(data) + i);
    return {from_bf16(static_cast<uint16_t>(packed)), from_bf16(static_cast<uint16_t>(packed >> 16))};
  }
  // Elements i ... i + W - 1; i must be a multiple of W when W > 1.
  template <int W>
  __device__ __forceinline__ void load(int64_t i, float (&to)[W]) const {
    if constexpr (W == 1) {
      to[0] = (*this)[i];
    } else if (bf16) {
      const uint4 packed = *reinterpret_cast<const uint4*>(static_cast<const uint16_t*>(data) + i);
      const uint32_t pairs[4] = {packed.x, packed.y, packed.z, packed.w};
#pragma unroll
      for (int j = 0; j < W; ++j) to[j] = from_bf16(static_cast<uint16_t>(pairs[j / 2] >> (j % 2 * 16)));
    } else {
      const float4* from = reinterpret_cast<const float4*>(static_cast<const float*>(data) + i);
#pragma unroll
      for (int j = 0; j + 4 <= W; j += 4) {
        const float4 four = from[j / 4];
        to[j] = four.x;
        to[j + 1] = four.y;
        to[j + 2] = four.z;
        to[j + 3] = four.w;
      }
    }
  }
};

struct Out {
  void* data;
  bool bf16;

  __device__ __forceinline__ float operator[](int64_t i) const { return In{data, bf16}[i]; }
  __device__ __forceinline__ void set(int64_t i, float x) const {
    if (bf16) static_cast<uint16_t*>(data)[i] = to_bf16(x);
    else static_cast<float*>(data)[i] = x;
  }
  __device__ __forceinline__ void set_pair(int64_t i, float2 x) const {
    if (bf16) *reinterpret_cast<uint32_t*>(static_cast<uint16_t*>(data) + i) = pack_bf16(x.x, x.y);
    else *reinterpret_cast<float2*>(static_cast<float*>(data) + i) = x;
  }
  template <int W>
  __device__ __forceinline__ void store(int64_t i, const float (&from)[W]) const {
    if constexpr (W == 1) {
      set(i, from[0]);
    } else if (bf16) {
      uint32_t pairs[4];
#pragma unroll
      for (int j = 0; j + 1 < W; j += 2) pairs[j / 2] = pack_bf16(from[j], from[j + 1]);
      *reinterpret_cast<uint4*>(static_cast<uint16_t*>(data) + i) = make_uint4(pairs[0], pairs[1], pairs[2], pairs[3]);
    } else {
      float4* to = reinterpret_cast<float4*>(static_cast<float*>(data) + i);
#pragma unroll
      for (int j = 0; j + 4 <= W; j += 4) to[j / 4] = make_float4(from[j], from[j + 1], from[j + 2], from[j + 3]);
    }
  }
};

inline bool is_bf16(const TensorView& view) { return view.dtype == DType::bf16; }
inline In in(const TensorView& view) { return {view.data, is_bf16(view)}; }
inline Out out(const TensorView& view) { return {view.data, is_bf16(view)}; }
// An optional input.
inline In in_or_none(const OpCall& call, int32_t input) { return call.num_inputs > input ? in(call.inputs[input]) : In{nullptr, false}; }

// Attribute `accumulate` of an op: 0 overwrite, 1 add, 2 add if the flag on the device is not 0.
struct Accumulate {
  int mode;
  const int32_t* flag;
  __device__ __forceinline__ bool on() const { return mode == 1 || (mode == 2 && *flag != 0); }
};
inline Accumulate accumulate_of(const OpCall& call, double mode) {
  return {static_cast<int>(mode), mode == 2.0 ? call.inputs[call.num_inputs - 1].i32() : nullptr};
}

// ---- sums ----

__device__ __forceinline__ float warp_sum(float x) {
#pragma unroll
  for (int s = kWarpSize / 2; s > 0; s /= 2) x += __shfl_xor_sync(~0u, x, s);
  return x;
}
__device__ __forceinline__ double warp_sum(double x) {
#pragma unroll
  for (int s = kWarpSize / 2; s > 0; s /= 2) x += __shfl_xor_sync(~0u, x, s);
  return x;
}
__device__ __forceinline__ float warp_max(float x) {
#pragma unroll
  for (int s = kWarpSize / 2; s > 0; s /= 2) x = fmaxf(x, __shfl_xor_sync(~0u, x, s));
  return x;
}

// Of all threads of a block, the same for each; `room` holds one T a warp. Every thread must take part.
template <class T>
__device__ __forceinline__ T block_sum(T x, T* room) {
  const int warp = threadIdx.x / kWarpSize, warps = blockDim.x / kWarpSize;
  x = warp_sum(x);
  if (threadIdx.x % kWarpSize == 0) room[warp] = x;
  __syncthreads();
  T sum = 0;
  for (int w = 0; w < warps; ++w) sum += room[w];
  __syncthreads();  // room may be used again
  return sum;
}

// ---- activations ----

// sigmoid(z) and 1 - sigmoid(z), each with its own relative accuracy.
struct Sigmoid {
  float value, complement;
};
__device__ __forceinline__ Sigmoid sigmoid(float z) {
  const float e = expf(-fabsf(z));
  const float large = 1.0f / (1.0f + e), small = e * large;
  return z >= 0.0f ? Sigmoid{large, small} : Sigmoid{small, large};
}

// x sigmoid(2u), u = sqrt(2/pi) (x + 0.044715 x^3): see math/gelu.h
constexpr float kGeluLinear = 1.5957691216057308f;  // 2 sqrt(2/pi)
constexpr float kGeluCubic = 0.0713548163f;         // 0.044715 times that
__device__ __forceinline__ float gelu(float x) { return x * sigmoid(x * (kGeluCubic * x * x + kGeluLinear)).value; }
__device__ __forceinline__ float gelu_derivative(float x) {
  const float x2 = x * x;
  const Sigmoid s = sigmoid(x * (kGeluCubic * x2 + kGeluLinear));
  return s.value + x * s.value * s.complement * (3.0f * kGeluCubic * x2 + kGeluLinear);
}

}  // namespace cuda
}  // namespace espalier
