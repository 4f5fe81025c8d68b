// gather_rows.h -- gatherRows: y[b] = x[b, index[b]].
//   y [B,C]   x [B,T,C]   index i32 [B]
// Nothing aliases. An index outside of [0, T) gives a row that is not a number. Decoding only: no gradient.
#pragma once
#include "executor/op.h"

namespace espalier {
namespace ESPALIER_ISA {
extern const OpKernel gather_rows_kernel;
}
}  // namespace espalier
