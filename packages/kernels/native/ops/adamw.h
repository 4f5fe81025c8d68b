// adamw.h -- AdamW with births: entries that grew into a parameter later have their own age, and so their own bias
// correction and learning rate. In place.
//
//   param, m, v [rows, cols]   outputs, updated in place
//   grad [rows, cols]   norm [1] global gradient norm
//   step [2] = (learningRate, clipNorm), or [3] with stochasticSeed, then the number of the step
//   births [E, 3] = (1 - beta1^age, 1 - beta2^age, rateMultiplier) of each growth event
//   rowBirth i32 [rows], colBirth i32 [cols]   growth event of each unit; absent: event 0
//
//   g = grad * min(1, clipNorm / norm)        e = max(rowBirth, colBirth)
//   m = beta1 m + (1 - beta1) g               v = beta2 v + (1 - beta2) g^2
//   param -= learningRate rateScale births[e].rate (mhat / (sqrt(vhat) + epsilon) + weightDecay param)
//
// stochasticSeed, which may be left out, rounds param to bf16, up or down with probabilities that make the mean right: nearest
// rounding loses updates below half a last bit. The random bits are a hash of seed, step and element, the same on every device
// and in the reference; 0: not so. On CUDA param, m and v may also be bf16 in memory; param is then rounded to nearest at seed 0.
//
// Nothing is written when the norm is not finite. Source: Loshchilov & Hutter 2019, arXiv:1711.05101, algorithm 2.
#pragma once

namespace espalier {
namespace adamw_input {
constexpr int grad = 0, norm = 1, step = 2, births = 3, row_birth = 4, col_birth = 5;
}
namespace adamw_attribute {
constexpr int beta1 = 0, beta2 = 1, epsilon = 2, weight_decay = 3, rate_scale = 4, stochastic_seed = 5;
constexpr const char* names = "beta1,beta2,epsilon,weightDecay,rateScale,stochasticSeed?";
}
}  // namespace espalier
