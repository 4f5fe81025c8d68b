// grad_norm.h -- norm = sqrt(sum over all inputs and elements of g^2): the length of the whole gradient.
//
//   g_1 ... g_n f32, any shapes    norm [1]
//
// Squares and sums are double. Every input is cut into blocks of 64k elements, each summed by one task over eight
// lanes; lanes, blocks and inputs are then added in order, so the result depends on shapes and values alone.
#pragma once
#include "executor/op.h"

namespace espalier {
namespace ESPALIER_ISA {
extern const OpKernel grad_norm_kernel;
}  // namespace ESPALIER_ISA
}  // namespace espalier
