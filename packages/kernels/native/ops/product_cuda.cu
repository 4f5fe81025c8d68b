// product_cuda.cu -- which product runs: cuBLASLt where it is there and has an algorithm, else the kernels of this folder.
//
// The library's epilogue takes the bias, a residual (as c, times 1) and, of products of bf16 factors, GELU with its
// argument saved, or the gradient of a GELU; sums into y are c = y, times 0 or 1, read on the device when a flag decides. A result in bf16 wants its
// bias in bf16. What the library cannot take (gates, a residual after GELU, fp32 GELU, or GELU and its gradient where it has no algorithm)
// follows in one pass over y. What fits neither way is a product of our own.
//
// The gradient of a bias is summed by the product of its weight's gradient, the library's (which overwrites, so that sums to be added
// to go through scratch memory) or our own of bf16, where the product multiplies the factor as it is stored; else by a pass over it.
#include "cuda/cublas_lt.h"
#include "cuda/column_sums.h"
#include "cuda/round_bf16.h"
#include "ops/gemm_cuda.h"

namespace espalier {
namespace cuda {
namespace {

constexpr std::size_t kScalesBytes = 256;

// alpha, and 1 or 0 by the flag.
__global__ void write_scales(float* scales, float alpha, Accumulate accumulate) {
  if (threadIdx.x == 0) {
    scales[0] = alpha;
    scales[1] = accumulate.on() ? 1.0f : 0.0f;
  }
}

// y = gelu(z) * gate + residual, or gelu'(gelu_of) z in place of gelu(z), z being `pre` or what y holds.
struct Finish {
  Out y;
  In z, gate, residual, gelu_of;
  int64_t N;
  bool with_gelu;
  template <int W>
  __device__ void at(int64_t i) const {
    float v[W], more[W];
    z.load<W>(i, v);
    if (gelu_of.data) {
      gelu_of.load<W>(i, more);
#pragma unroll
      for (int j = 0; j < W; ++j) v[j] *= gelu_derivative(more[j]);
    }
    if (residual.data) residual.load<W>(i, more);
#pragma unroll
    for (int j = 0; j < W; ++j) {
      if (with_gelu) v[j] = gelu(v[j]);
      if (gate.data) v[j] *= gate[(i + j) % N];
      if (residual.data) v[j] += more[j];
    }
    y.store<W>(i, v);
  }
};

// The columns of the factor as stored.
struct FactorSum {
  In factor;
  int64_t stride;
  __device__ void value(int64_t row, int64_t column, float (&sum)[1]) const { sum[0] += factor[row * stride + column]; }
};

void sum_columns(const CudaContext& context, const char* name, const Gemm& g, void* scratch) {
  const FactorSum f{g.summed(), g.bias_grad_of == 1 ? g.lda : g.ldb};
  launch_column_sums<1>(context, name, ColumnTargets{{g.bias_grad, {}}}, f, g.K, g.sums(), scratch, g.accumulate);
}

__global__ void add_sums(Out to, const float* sums, int64_t count, Accumulate accumulate) {
  const int64_t i = int64_t(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i < count) to.set(i, accumulate.on() ? to[i] + sums[i] : sums[i]);
}

// Whether the factor is multiplied as it is stored.
bool sums_exactly(const Gemm& g, bool bf16) { return g.summed().bf16 == bf16; }

bool aligned(const void* address) { return reinterpret_cast<uintptr_t>(address) % 16 == 0; }

// Only differing formats or sums into y after a further epilogue keep a product from the library.
bool fits_library(const Gemm& g, bool in_two) {
  if (g.M == 0 || g.N == 0 || g.K == 0) return false;
  if (g.accumulate.mode != 0 && (in_two || g.residual.data)) return false;
  if (g.pre.data && g.pre.bf16 != g.y.bf16) return false;
  if (!in_two && g.residual.data && g.residual.bf16 != g.y.bf16) return false;
  for (const void* address : {static_cast<const void*>(g.y.data), static_cast<const void*>(g.pre.data), g.a.data, g.b.data, g.bias.data, g.residual.data, g.gelu_of.data,
                              static_cast<const void*>(g.bias_grad.data)}) {
    if (!aligned(address)) return false;
  }
  return true;
}

// `fused_gelu`: GELU, or its gradient, in the library's epilogue. False when the library has no algorithm. `scratch` holds what product_bytes says.
bool multiply_by_library(CublasLt& library, const CudaContext& context, const char* name, const Gemm& g, bool bf16, bool fused_gelu, void* scratch) {
  const bool in_two = g.gate.data || ((g.with_gelu || g.gelu_of.data) && !fused_gelu);
  if (!fits_library(g, in_two) || (!bf16 && (g.a.bf16 || g.b.bf16))) return false;
  char* const workspace = static_cast<char*>(scratch);
  float* const scales = reinterpret_cast<float*>(workspace + CublasLt::kWorkspaceBytes);
  char* room = workspace + CublasLt::kWorkspaceBytes + kScalesBytes;
  LtKind kind{g.M, g.N, g.K, g.lda, g.ldb, g.trans_a, g.trans_b, bf16, g.y.bf16, g.bias.data != nullptr, g.bias.bf16, fused_gelu && g.with_gelu,
              g.pre.data != nullptr, fused_gelu && g.gelu_of.data, g.bias_grad_of, g.accumulate.mode == 2};
  LtOperands operands{g.y.data, nullptr, g.a.data, g.b.data, g.y.data, g.bias.data, nullptr, nullptr, nullptr, workspace};
  float* sums = nullptr;
  if (g.bias_grad_of) {
    kind.bf16_bias = g.bias_grad.bf16;
    operands.bias_grad = g.bias_grad.data;
    if (g.accumulate.mode != 0) {
      operands.bias_grad = sums = reinterpret_cast<float*>(room);
      kind.bf16_bias = false;
      room += (static_cast<std::size_t>(g.sums()) * sizeof(float) + 255) / 256 * 256;
    }
  }
  if (bf16) {
    const Rounded a = rounded(context, g.a, g.trans_a ? g.K : g.M, g.trans_a ? g.M : g.K, g.lda, room);
    const Rounded b = rounded(context, g.b, g.trans_b ? g.N : g.K, g.trans_b ? g.K : g.N, g.ldb, room);
    operands.a = a.data;
    operands.b = b.data;
    kind.lda = a.stride;
    kind.ldb = b.stride;
  }
  if (g.bias.data && g.y.bf16 && !g.bias.bf16) {
    operands.bias = rounded(context, g.bias, 1, g.N, g.N, room).data;
    kind.bf16_bias = true;
  }
  const float alpha = g.alpha, beta = (g.residual.data && !in_two) || g.accumulate.mode == 1 ? 1.0f : 0.0f;
  operands.alpha = kind.device_scales ? scales : &alpha;
  operands.beta = kind.device_scales ? scales + 1 : &beta;
  if (kind.device_scales) launch(context, name, write_scales, dim3(1), kWarpSize, 0, scales, g.alpha, g.accumulate);
  if (g.residual.data && !in_two) operands.c = g.residual.data;
  if (kind.gelu_grad) operands.pre = const_cast<void*>(g.gelu_of.data);  // read
  if (g.pre.data) {
    if (fused_gelu) operands.pre = g.pre.data;
    else if (in_two) operands.d = g.pre.data, operands.c = g.pre.data;
    else return false;  // an argument saved without GELU: nobody asks for it
  }
  if (!library.multiply(context.stream, kind, operands)) return false;
  if (sums) launch(context, name, add_sums, dim3(blocks_for(g.sums(), 256)), 256, 0, g.bias_grad, sums, g.sums(), g.accumulate);
  if (in_two) {
    const Finish finish{g.y, g.pre.data ? In{g.pre.data, g.pre.bf16} : In{g.y.data, g.y.bf16}, g.gate, g.residual, g.gelu_of, g.N, g.with_gelu};
    launch_elementwise(context, name, finish, g.M * g.N);
  }
  return true;
}

// By the library, or false.
bool by_library(const CudaContext& context, const char* name, const Gemm& gemm, bool bf16, void* scratch) {
  CublasLt* const library = CublasLt::get();
  if (!library) return false;
  const bool gradient = gemm.gelu_of.data && gemm.gelu_of.bf16 == gemm.y.bf16;  // the argument has the format of the result there
  const bool could_fuse = (gemm.with_gelu || gradient) && bf16 && !gemm.gate.data && !gemm.residual.data;
  if (could_fuse && multiply_by_library(*library, context, name, gemm, bf16, true, scratch)) return true;
  return multiply_by_library(*library, context, name, gemm, bf16, false, scratch);
}

}  // namespace

std::size_t product_bytes(int64_t M, int64_t N, int64_t K, bool bf16, int bias_grad_of) {
  const std::size_t sums = bias_grad_of ? (column_sums_bytes<1>(K, bias_grad_of == 1 ? M : N) + 255) / 256 * 256 : 0;
  return sums + (bf16 ? gemm_bf16_bytes(M, N, K) : 0) + (CublasLt::get() ? CublasLt::kWorkspaceBytes + kScalesBytes + rounded_bytes(1, N) : 0);
}

void launch_product(const CudaContext& context, const char* name, const Gemm& gemm, bool bf16, void* scratch) {
  Gemm g = gemm;
  if (g.bias_grad_of) {
    const bool exact = sums_exactly(g, bf16);
    if (exact && by_library(context, name, g, bf16, scratch)) return;
    if (!(exact && bf16 && !CublasLt::get())) {  // else our own product sums besides
      sum_columns(context, name, g, scratch);
      g.bias_grad_of = 0;
      g.bias_grad = {};
    }
  }
  if (by_library(context, name, g, bf16, scratch)) return;
  if (bf16) launch_gemm_bf16(context, name, g, scratch);
  else launch_gemm(context, name, g);
}

}  // namespace cuda
}  // namespace espalier
