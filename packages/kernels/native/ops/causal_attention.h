// causal_attention.h -- causal softmax attention, grouped heads, and its backward; no T x T tensor.
//
//   q, y, dy, dq [B,T,N,D]   k, v, dk, dv [B,T,G,D], N = G * group   lengths i32 [B] and starts i32 [B,T], optional   lse [B,N,T], saved
//   attribute scale
//   y[n] = sum over starts[n] <= m <= n of softmax(scale q[n].k[m]) v[m];  lse[n] = log sum exp(scale q[n].k[m])
//   backward, from p = exp(scale q.k - lse) and delta = dy.y:
//   dv = p^T dy,  ds = p (dy.v - delta),  dq = scale ds k,  dk = scale ds^T q, summed over the heads of a group
// A sequence with a length has only its first lengths[b] positions: rows beyond them are 0 in y, lse, dq, dk and dv,
// and no key there is seen (it would come after every live query anyhow).
// Starts are the first keys that positions see: 0 <= starts[n] <= n, and they do not fall. Without them all are 0. Values out
// of this range are brought into it, so that no softmax is over nothing.
// Nothing aliases. Overwrites. Any D.
// Sources: Milakov & Gimelshein 2018, arXiv:1805.02867 (online softmax); Dao et al. 2022, arXiv:2205.14135, B.4.
#pragma once
#include "executor/op.h"

namespace espalier {
namespace ESPALIER_ISA {
extern const OpKernel causal_attention_kernel;
extern const OpKernel causal_attention_grad_kernel;
}  // namespace ESPALIER_ISA
}  // namespace espalier
