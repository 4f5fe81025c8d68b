// cached_attention.h -- softmax attention of single rows over a pool of keys and values, for inference.
//
//   y, q [R, N, D]    k, v [P, G, D], N = G * group    positions, starts i32 [R]    keyRows i32 [M]
//   attribute scale
//   y[r] = sum over m <= positions[r] of softmax_m(scale q[r].k[key(m)]) v[key(m)],  key(m) = keyRows[starts[r] + m]
// A row with a position below 0 is 0. A row whose list leaves keyRows or the pool is not a number.
// Neighbouring rows with the same start read their keys together. How rows are grouped does not change their bits:
// keys are taken in chunks at multiples of 128 from the start of the list, and within a chunk one at a time, in order.
// Nothing aliases. Overwrites. Any D.
// Source: Milakov & Gimelshein 2018, arXiv:1805.02867 (online softmax).
#pragma once
#include "executor/op.h"

namespace espalier {
namespace ESPALIER_ISA {
extern const OpKernel cached_attention_kernel;
}
}  // namespace espalier
