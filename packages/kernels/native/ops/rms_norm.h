// rms_norm.h -- rmsNorm over the last axis with optional channel weights c, and its backward with respect to x.
//
//   y, x, dy, dx [..., C]   gain, c [C]   rstd [R], saved for backward   attribute epsilon (forward)
//   S = sum c;  rstd = 1/sqrt(sum(c x^2)/S + epsilon);  xhat = x rstd;  y = c xhat gain
//   a = c gain dy;  dx = rstd (a - c xhat/S sum(a xhat))
// addRmsNorm: x = sum = a + b, written as the last output [..., C]; inputs a, b in place of x.
// rmsNormGradAdd: residual [..., C], an input before c, is added to dx.
// Without c: c = 1, S = C. Nothing aliases, but sum may lie over a or b, and dx over residual. Overwrites. The gradient of gain: norm_parameter_grad.h.
// Source: Zhang & Sennrich 2019, arXiv:1910.07467, section 4.
#pragma once
#include "executor/op.h"

namespace espalier {
namespace ESPALIER_ISA {
extern const OpKernel rms_norm_kernel;
extern const OpKernel rms_norm_grad_kernel;
extern const OpKernel add_rms_norm_kernel;
extern const OpKernel rms_norm_grad_add_kernel;
}  // namespace ESPALIER_ISA
}  // namespace espalier
