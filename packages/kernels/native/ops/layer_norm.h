// layer_norm.h -- layerNorm over the last axis with optional channel weights c, and its backward with respect to x.
//
//   y, x, dy, dx [..., C]   gain, bias, c [C]   mean, rstd [R], saved for backward   attribute epsilon (forward)
//   S = sum c;  mean = sum(c x)/S;  var = sum(c (x - mean)^2)/S;  rstd = 1/sqrt(var + epsilon);  xhat = (x - mean) rstd
//   y = c (xhat gain + bias)
//   a = c gain dy;  dx = rstd (a - c/S sum a - c xhat/S sum(a xhat))
// addLayerNorm: x = sum = a + b, written as the last output [..., C]; inputs a, b in place of x.
// layerNormGradAdd: residual [..., C], an input before c, is added to dx.
// Without c: c = 1, S = C. Nothing aliases, but sum may lie over a or b, and dx over residual. Overwrites. Gradients of gain and bias: norm_parameter_grad.h.
// Sources: Ba, Kiros & Hinton 2016, arXiv:1607.06450; channel weights: Yao et al. 2023 (MSG), arXiv:2305.02869.
#pragma once
#include "executor/op.h"

namespace espalier {
namespace ESPALIER_ISA {
extern const OpKernel layer_norm_kernel;
extern const OpKernel layer_norm_grad_kernel;
extern const OpKernel add_layer_norm_kernel;
extern const OpKernel layer_norm_grad_add_kernel;
}  // namespace ESPALIER_ISA
}  // namespace espalier
