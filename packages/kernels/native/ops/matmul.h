// matmul.h -- y = epilogue(alpha * op(a) op(b)), leading axes flattened; op transposes when transA / transB is 1.
//
//   y [M, N]; pre [M, N] when savePre; d [M] or [N] when biasGrad      a [M, K] or [K, M]    b [K, N] or [N, K]
//   bias [N], gate [N], residual [M, N]    each present when its attribute is 1, in this order
//   gelu_of [M, N]                         behind them when geluGrad is 1
//   flag i32 [1]                           last, when accumulate is 2
//
//   z = alpha * op(a) op(b) + bias;  pre = z;  z = gelu(z) when gelu, z gelu'(gelu_of) when geluGrad;  y = z * gate + residual
//
// accumulate: 0 overwrites y, 1 adds to y, 2 adds if the flag is not 0. y must not overlap any input.
// bf16 (may be left out): 1 rounds a and b to bf16 (nearest, ties to even) before they are multiplied; everything else stays fp32.
// geluGrad (may be left out): a backward product whose result passes back through a GELU, with neither bias nor gelu nor pre, and overwrites.
// biasGrad (may be left out): 1 also writes d[m] = the sum of column m of a as stored [K, M], 2 d[n] = of b as stored [K, N]; not rounded,
// added to d as the product is to y. Only with transA 1, transB 0, alpha 1 and no epilogue: y is the gradient of a weight, d of its bias.
#pragma once

namespace espalier {
namespace matmul_attribute {
constexpr int trans_a = 0, trans_b = 1, alpha = 2, accumulate = 3, bias = 4, gelu = 5, gate = 6, residual = 7, save_pre = 8,
              bf16 = 9, gelu_grad = 10, bias_grad = 11;
constexpr const char* names = "transA,transB,alpha,accumulate,bias,gelu,gate,residual,savePre,bf16?,geluGrad?,biasGrad?";
}  // namespace matmul_attribute
}  // namespace espalier
