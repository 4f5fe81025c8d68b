// swiglu.h -- swiglu: y = silu(gate) up, silu(x) = x sigmoid(x).
// swigluGrad: dGate = dy up (s + gate s (1 - s)), dUp = dy gate s, with s = sigmoid(gate).
//   y, gate, up, dy, dGate, dUp: f32, one shape. Nothing aliases. Overwrites.
// Source: Shazeer 2020, arXiv:2002.05202, section 2.
#pragma once
#include "executor/op.h"

namespace espalier {
namespace ESPALIER_ISA {
extern const OpKernel swiglu_kernel;
extern const OpKernel swiglu_grad_kernel;
}  // namespace ESPALIER_ISA
}  // namespace espalier
