// gemm_cuda.h -- matrix products for matmul and linearCrossEntropy:
//
//   z = alpha * op(a) op(b) + bias;  pre = z;  z = gelu(z) when gelu, z gelu'(gelu_of) with gelu_of;  y (+)= z * gate + residual
//
//   a as stored [M, K], or [K, M] when trans_a; b [K, N], or [N, K] when trans_b; y, pre, residual, gelu_of [M, N]; bias, gate [N]
//
// With bias_grad_of also d [M] (+)= sum over k of a (1) or d [N] (+)= of b (2), as stored, for products with trans_a and without
// trans_b, alpha or epilogue.
//
// Each element of y is summed by one thread or one tensor-core tile over k in order: the result depends on shapes alone.
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

// The same of factors in bf16 whose rows begin at multiples of 16 bytes, by Hopper's wgmma. False, and nothing launched, on other
// devices, for small products, or when ESPALIER_CUDA_GEMM=mma; ESPALIER_CUDA_GEMM=wgmma takes it for all sizes.
bool launch_gemm_wgmma(const CudaContext& context, const char* name, const Gemm& gemm, const void* a, int64_t a_stride, const void* b, int64_t b_stride);

// By cuBLASLt where it is there (cuda/cublas_lt.h), else by one of the two above; `bf16` rounds the factors. `scratch` holds
// product_bytes, aligned to 256.
void launch_product(const CudaContext& context, const char* name, const Gemm& gemm, bool bf16, void* scratch);
std::size_t product_bytes(int64_t M, int64_t N, int64_t K, bool bf16, int bias_grad_of = 0);

#if defined(ESPALIER_EMULATED) || defined(__CUDACC__)
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
#endif

}  // namespace cuda
}  // namespace espalier
