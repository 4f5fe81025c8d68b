// write_rows.h -- rows of a batch to their places in a pool, in place.
//
//   pool [P, ...], owned    x [R, ...]    rows i32 [R]
//   pool[rows[r]] = x[r]; rows outside 0..P-1 are not written.
// Nothing aliases. Two rows must not name the same place.
#pragma once
#include "executor/op.h"

namespace espalier {
namespace ESPALIER_ISA {
extern const OpKernel write_rows_kernel;
}
}  // namespace espalier
