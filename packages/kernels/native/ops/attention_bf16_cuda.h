// attention_bf16_cuda.h -- causal attention on tensor cores, for head sizes 64 and 128: see causal_attention.h for what
// is computed. Queries, keys, values and dy are rounded to bf16, probabilities and their gradients too before they are
// multiplied; softmax and all sums are fp32.
#pragma once
#include "cuda/device_math.h"
#include "cuda/launch.h"
#include "ops/causal_attention_shape_cuda.h"

namespace espalier {
namespace cuda {

inline bool tensor_cores_serve(const AttentionShape& s) { return s.D == 64 || s.D == 128; }

std::size_t attention_forward_bf16_bytes(const AttentionShape& s);
void launch_attention_forward_bf16(const CudaContext& context, Out y, Out lse, In q, In k, In v, const AttentionShape& s, void* scratch);

// The same by Hopper's wgmma. False, and nothing launched, on other devices, for sequences or addresses that its copies cannot take,
// or when ESPALIER_CUDA_ATTENTION=mma; the emulation takes it when ESPALIER_CUDA_ATTENTION=wgmma.
bool launch_attention_forward_wgmma(const CudaContext& context, Out y, Out lse, const uint16_t* q, const uint16_t* k, const uint16_t* v, const AttentionShape& s);

struct AttentionGradients {
  Out dq, dk, dv;
  In q, k, v, y, lse, dy;
};
std::size_t attention_backward_bf16_bytes(const AttentionShape& s);
void launch_attention_backward_bf16(const CudaContext& context, const AttentionGradients& a, const AttentionShape& s, void* scratch);
// By wgmma, as above; `scratch` holds attention_backward_wgmma_bytes.
std::size_t attention_backward_wgmma_bytes(const AttentionShape& s);
bool launch_attention_backward_wgmma(const CudaContext& context, const AttentionGradients& a, const uint16_t* q, const uint16_t* k, const uint16_t* v,
                                     const uint16_t* dy, const AttentionShape& s, void* scratch);

}  // namespace cuda
}  // namespace espalier
