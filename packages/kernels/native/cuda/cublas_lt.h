// cublas_lt.h -- products by NVIDIA's cuBLASLt, opened at run time with prototypes of our own.
//
// One product is   d = epilogue(alpha * op(a) op(b) + beta * c)   in row-major terms: a [M, K], b [K, N], c and d [M, N].
// and, with bias_grad_of, the sums of op(a) or op(b) over k. The library is column-major: it is given the transposed product, d^T = op(b)^T op(a)^T, of the same memory.
// Algorithms are asked for once for each kind of product (the library's heuristic) and kept.
#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <tuple>

#include "cuda/platform.h"

namespace espalier {

// What an algorithm depends on.
struct LtKind {
  int64_t M, N, K, lda, ldb;  // rows of a and b as stored; those of c and d have N elements
  bool trans_a, trans_b;
  bool bf16_factors;          // else fp32, multiplied as such
  bool bf16_result;           // c and d; else fp32
  bool bias, bf16_bias, gelu, save_pre;
  bool gelu_grad;             // times the derivative of GELU at `pre`
  int bias_grad_of;           // 1: sums over k of a, M of them, overwrite `bias_grad`; 2: of b, N of them; in the format that bf16_bias says
  bool device_scales;         // alpha and beta are read on the device
};
bool operator<(const LtKind& a, const LtKind& b);

struct LtOperands {
  void* d;
  void* pre;        // what the GELU is taken of, in the format of d: written when save_pre, read when gelu_grad
  const void *a, *b, *c, *bias;
  void* bias_grad;
  const float *alpha, *beta;  // on the host, or on the device when device_scales
  void* workspace;  // CublasLt::kWorkspaceBytes, aligned to 256
};

class CublasLt {
 public:
  static constexpr std::size_t kWorkspaceBytes = std::size_t(32) << 20;

  // The library of this process, or null when it is absent, incomplete, refuses to start, or ESPALIER_CUDA_PRODUCTS=own.
  // With ESPALIER_CUDA_PRODUCTS=cublasLt its absence throws Failure (ESPALIER_UNSUPPORTED) that says what was tried.
  static CublasLt* get();
  // "cuBLASLt 13.1.0 from ...", or why there is none.
  static std::string sentence();

  // Puts the product into the stream; false when the library has no algorithm for it.
  // Throws Failure (ESPALIER_DEVICE) when a call fails that should not.
  bool multiply(cudaStream_t stream, const LtKind& kind, const LtOperands& operands);

 private:
  struct Functions;
  struct Plan;
  struct Start;
  explicit CublasLt(std::shared_ptr<Functions> functions);
  static const Start& start();
  std::shared_ptr<Plan> planned(const LtKind& kind);

  std::shared_ptr<Functions> functions_;
  void* handle_ = nullptr;
  std::mutex mutex_;
  std::map<LtKind, std::shared_ptr<Plan>> plans_;
};

}  // namespace espalier
