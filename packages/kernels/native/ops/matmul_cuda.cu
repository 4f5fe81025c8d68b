// matmul_cuda.cu -- see matmul.h.
#include "ops/matmul.h"

#include "ops/gemm_cuda.h"

namespace espalier {
namespace cuda {
namespace {

namespace at = matmul_attribute;

// `bf16` follows the attributes of matmul.h and may be left out: products on tensor cores.
Gemm gemm_of(const OpCall& call) {
  const double* attributes = call.attributes;
  const TensorView &a = call.inputs[0], &b = call.inputs[1];
  Gemm g{};
  g.y = out(call.outputs[0]);
  if (attributes[at::save_pre] != 0) g.pre = out(call.outputs[1]);
  g.a = in(a);
  g.b = in(b);
  g.trans_a = attributes[at::trans_a] != 0;
  g.trans_b = attributes[at::trans_b] != 0;
  g.lda = a.last();
  g.ldb = b.last();
  g.M = g.trans_a ? a.last() : a.rows();
  g.K = g.trans_a ? a.rows() : a.last();
  g.N = g.trans_b ? b.rows() : b.last();
  int32_t next = 2;
  if (attributes[at::bias] != 0) g.bias = in(call.inputs[next++]);
  if (attributes[at::gate] != 0) g.gate = in(call.inputs[next++]);
  if (attributes[at::residual] != 0) g.residual = in(call.inputs[next++]);
  if (attributes[at::gelu_grad] != 0) g.gelu_of = in(call.inputs[next++]);
  g.with_gelu = attributes[at::gelu] != 0;
  g.alpha = static_cast<float>(attributes[at::alpha]);
  g.accumulate = accumulate_of(call, attributes[at::accumulate]);
  g.bias_grad_of = static_cast<int>(attributes[at::bias_grad]);
  if (g.bias_grad_of) g.bias_grad = out(call.outputs[1]);
  return g;
}

void launch_matmul(const OpCall& call, const CudaContext& context) {
  launch_product(context, "matmul", gemm_of(call), call.attributes[at::bf16] != 0, call.scratch);
}

std::size_t scratch_bytes(const OpCall& call) {
  const Gemm g = gemm_of(call);
  return product_bytes(g.M, g.N, g.K, call.attributes[at::bf16] != 0, g.bias_grad_of);
}

}  // namespace

extern const OpKernel matmul_kernel;
const OpKernel matmul_kernel = cuda_op("matmul", at::names, launch_matmul, scratch_bytes);

}  // namespace cuda
}  // namespace espalier
