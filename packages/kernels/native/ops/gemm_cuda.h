// gemm_cuda.h -- matrix products for matmul and linearCrossEntropy:
//
//   z = alpha * op(a) op(b) + bias;  pre = z;  z = gelu(z) when gelu, z gelu'(gelu_of) with gelu_of;  y (+)= z * gate + residual
//
//   a as stored [M, K], or [K, M] when trans_a; b [K, N], or [N, K] when trans_b; y, pre, residual, gelu_of [M, N]; bias, gate [N]
//
// With bias_grad_of also d [M] (+)= sum over k of a (1) or d [N] (+)= of b (2), as stored, for products with trans_a and without
// trans_b, alpha or epilogue.
//
// Each element of y is summed by one thread or one tensor-core tile over k in order, or in parts of k that are added in order: the
// result depends on shapes alone.
#pragma once
#include "cuda/device_math.h"
#include "cuda/launch.h"

namespace espalier {
namespace cuda {

struct Gemm {
  Out y;
  Out pre;                  // no data: not wanted
  In a, b;
  In bias, gate, residual, gelu_of;  // no data: absent
  int64_t M, N, K;
  int64_t lda, ldb;         // between rows as stored
  bool trans_a, trans_b, with_gelu;
  float alpha;
  Accumulate accumulate;
  int bias_grad_of;         // 0: not wanted
  Out bias_grad;

  bool pairs;               // elements of a row may be read and written two at a time; set where the kernels are launched

  constexpr In summed() const { return bias_grad_of == 1 ? a : b; }
  constexpr int64_t sums() const { return bias_grad_of == 1 ? M : N; }
};

// In fp32.
void launch_gemm(const CudaContext& context, const char* name, const Gemm& gemm);

// On tensor cores: both factors rounded to bf16 (nearest, ties to even), products and sums in fp32. `scratch` holds
// gemm_bf16_bytes, for factors that are not bf16 as stored. A factor that is summed must be bf16 as stored: the sums are of what is
// multiplied.
void launch_gemm_bf16(const CudaContext& context, const char* name, const Gemm& gemm, void* scratch);
std::size_t gemm_bf16_bytes(int64_t M, int64_t N, int64_t K);
// The part of it that is for sums of parts of k: a product with fewer rows may need more.
std::size_t gemm_parts_bytes(int64_t M, int64_t N, int64_t K);

// A product with too few tiles for a GPU is cut along K: each part's sums go to scratch memory, and a pass adds them and does what
// follows a product.
struct PartsOfK {
  float* sums;         // [parts, M, N]; null: in one
  float* factor_sums;  // [parts, sums()], with bias_grad_of
  int64_t depth;       // of each part but the last: a multiple of 64
  int count;
};

// The same of factors in bf16 whose rows begin at multiples of 16 bytes, by Hopper's wgmma. False, and nothing launched, on other
// devices, for small products, or when ESPALIER_CUDA_GEMM=mma; ESPALIER_CUDA_GEMM=wgmma takes it for all sizes.
bool launch_gemm_wgmma(const CudaContext& context, const char* name, const Gemm& gemm, const void* a, int64_t a_stride, const void* b, int64_t b_stride,
                       const PartsOfK& parts);

// By cuBLASLt where it is there (cuda/cublas_lt.h), else by one of the two above; `bf16` rounds the factors. `scratch` holds
// product_bytes, aligned to 256.
void launch_product(const CudaContext& context, const char* name, const Gemm& gemm, bool bf16, void* scratch);
std::size_t product_bytes(int64_t M, int64_t N, int64_t K, bool bf16, int bias_grad_of = 0);

#if defined(ESPALIER_EMULATED) || defined(__CUDACC__)
// The tile of this block, in a grid of tiles of M by tiles of N: eight rows of tiles go through all columns before the next eight, so
// that what the blocks that run together read is little, and in L2.
struct TilePlace {
  int64_t m, n;
};
__device__ __forceinline__ TilePlace place_of_block() {
  constexpr unsigned kRowsTogether = 8;
  const unsigned number = blockIdx.y * gridDim.x + blockIdx.x, in_group = kRowsTogether * gridDim.y, first = number / in_group * kRowsTogether;
  const unsigned rows = min(kRowsTogether, gridDim.x - first);
  return {int64_t(first + number % in_group % rows), int64_t(number % in_group / rows)};
}

// Everything after the sum, for element (m, n).
__device__ __forceinline__ void finish_element(const Gemm& g, int64_t m, int64_t n, float sum, bool adds) {
  const int64_t at = m * g.N + n;
  float z = g.alpha * sum;
  if (g.bias.data) z += g.bias[n];
  if (g.pre.data) g.pre.set(at, z);
  if (g.with_gelu) z = gelu(z);
  if (g.gelu_of.data) z *= gelu_derivative(g.gelu_of[at]);
  if (g.gate.data) z *= g.gate[n];
  if (g.residual.data) z += g.residual[at];
  g.y.set(at, adds ? g.y[at] + z : z);
}
// For (m, n) and (m, n + 1), n even; nothing outside of y.
__device__ __forceinline__ void finish_pair(const Gemm& g, int64_t m, int64_t n, float first, float second, bool adds) {
  if (m >= g.M || n >= g.N) return;
  if (!g.pairs) {
#pragma unroll 1
    for (int e = 0; e < 2 && n + e < g.N; ++e) finish_element(g, m, n + e, e ? second : first, adds);
    return;
  }
  const int64_t at = m * g.N + n;
  float2 z{g.alpha * first, g.alpha * second};
  const auto add = [&](float2 more) { z = {z.x + more.x, z.y + more.y}; };
  if (g.bias.data) add(g.bias.pair(n));
  if (g.pre.data) g.pre.set_pair(at, z);
  if (g.with_gelu) z = {gelu(z.x), gelu(z.y)};
  if (g.gelu_of.data) {
    const float2 of = g.gelu_of.pair(at);
    z = {z.x * gelu_derivative(of.x), z.y * gelu_derivative(of.y)};
  }
  if (g.gate.data) {
    const float2 gate = g.gate.pair(n);
    z = {z.x * gate.x, z.y * gate.y};
  }
  if (g.residual.data) add(g.residual.pair(at));
  if (adds) add(In{g.y.data, g.y.bf16}.pair(at));
  g.y.set_pair(at, z);
}
// What a tile of a kernel ends with: the same, or the part's own sums.
__device__ __forceinline__ void finish_part(const Gemm& g, const PartsOfK& parts, int64_t m, int64_t n, float first, float second, bool adds) {
  if (!parts.sums) return finish_pair(g, m, n, first, second, adds);
  if (m >= g.M || n >= g.N) return;
  float* const to = parts.sums + (int64_t(blockIdx.z) * g.M + m) * g.N + n;
  to[0] = first;
  if (n + 1 < g.N) to[1] = second;
}
__device__ __forceinline__ void finish_factor_sum(const Gemm& g, const PartsOfK& parts, int64_t at, float sum, bool adds) {
  if (at >= g.sums()) return;
  if (parts.sums) parts.factor_sums[int64_t(blockIdx.z) * g.sums() + at] = sum;
  else g.bias_grad.set(at, adds ? g.bias_grad[at] + sum : sum);
}
#endif

}  // namespace cuda
}  // namespace espalier
