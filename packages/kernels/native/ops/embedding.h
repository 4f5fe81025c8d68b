// embedding.h -- embedding: y = factor table[token].   embeddingGrad: dTable[v] = sum of factor dy over positions of v.
//   tokens i32 [B,T]   table, dTable [V,C]   y, dy [B,T,C]
//   attributes: factor; embeddingGrad also accumulate, with accumulateFlag i32 [1] as last input in mode 2
// Nothing aliases. y is overwritten; dTable is overwritten or added to, positions in order.
// A token outside of [0, V) is not read through: its row of y is not a number, and it adds nothing to dTable.
#pragma once
#include "executor/op.h"

namespace espalier {
namespace ESPALIER_ISA {
extern const OpKernel embedding_kernel;
extern const OpKernel embedding_grad_kernel;
}  // namespace ESPALIER_ISA
}  // namespace espalier
