// linear_cross_entropy.h -- the language-model head and its loss, without a matrix of logits in memory.
//
//   logits = factor * x head^T         x [R, C]   head [V, C]   targets i32 [R]   weights [R]
//   lse [R] = log sum exp(logits)      tokenLoss [R] = lse - logit[target], 0 where target < 0
//   greedy [R] = 1 where target is the first largest logit, else 0
//   loss [1] = sum weights tokenLoss   g = weights (softmax(logits) - onehot(target)), 0 where target < 0
//   dx [R, C] = factor g head          dHead [V, C] = factor g^T x, by `accumulate`
//
// A target of V or more is not read through: its tokenLoss, the loss and its gradients are not numbers.
//
//   linearCrossEntropy           x, head, targets, weights              -> loss, tokenLoss, greedy, lse
//   linearCrossEntropyGrad       x, head, targets, weights, lse, flag?  -> dx, dHead
//   linearCrossEntropyWithGrad   x, head, targets, weights, flag?       -> loss, tokenLoss, greedy, lse, dx, dHead
//
// bf16: 1 rounds x, head and g to bf16 before they are multiplied; softmax, loss and sums stay fp32.
//
// The vocabulary is cut into runs, each a task with a maximum and a sum of its own; the rows into blocks. The last op
// keeps exp(logit - maximum) of one block of rows, at most kBlockLogits numbers, until its lse is known; the second
// makes its logits anew. dHead adds the blocks in row order; dx is summed over at most kSegments segments of the
// vocabulary, which are then added in order.
// See Wijmans et al. 2024, Cut Your Losses, arXiv:2411.09009.
#pragma once
#include "executor/op.h"

namespace espalier {
namespace ESPALIER_ISA {
extern const OpKernel linear_cross_entropy_kernel;
extern const OpKernel linear_cross_entropy_grad_kernel;
extern const OpKernel linear_cross_entropy_with_grad_kernel;
}  // namespace ESPALIER_ISA
}  // namespace espalier
