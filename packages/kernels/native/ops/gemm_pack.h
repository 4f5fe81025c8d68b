// gemm_pack.h -- how operands of gemm.h become packed words: lanes side by side, k after k.
#pragma once
#include "math/transpose.h"
#include "ops/gemm.h"

namespace espalier {
namespace ESPALIER_ISA {

// Rows of a, or columns of b, that are packed beside each other.
struct Lanes {
  const float* data;
  int64_t stride;  // between rows as stored
  bool along_k;    // a lane's k are neighbours in memory; else lanes of one k are
  int64_t count;
};

template <Precision kPrecision>
constexpr int64_t kNumbersInWord = kHasBf16Pairs && kPrecision == Precision::bf16 ? 2 : 1;

// kWidth words of one lane, from `left` numbers of neighbouring k; words beyond them are 0.
template <Precision kPrecision>
ESPALIER_INLINE vf words_along(const float* from, int64_t left) {
  const vf first = load_some(from, smaller(left, kWidth));
  if constexpr (kPrecision == Precision::f32) return first;
  if constexpr (!kHasBf16Pairs) return round_to_bf16(first);
  const int64_t more = left - kWidth;
  return pairs_along(first, more > 0 ? load_some(from + kWidth, smaller(more, kWidth)) : zero());
}

// One word of `lanes` lanes beside each other; `next`: there is a k after this one.
template <Precision kPrecision>
ESPALIER_INLINE vf words_across(const float* from, int64_t stride, bool next, int64_t lanes) {
  const vf first = load_some(from, lanes);
  if constexpr (kPrecision == Precision::f32) return first;
  if constexpr (!kHasBf16Pairs) return round_to_bf16(first);
  return pairs_across(first, next ? load_some(from + stride, lanes) : zero());
}

// A square of kWidth lanes by kWidth words, of which `lanes` and `left` numbers are there, to `to`, words `width` apart.
template <Precision kPrecision>
ESPALIER_INLINE void pack_square(float* to, int64_t width, const float* from, int64_t stride, int64_t lanes, int64_t left) {
  vf square[kWidth];
#pragma GCC unroll 16
  for (int i = 0; i < kWidth; ++i) square[i] = i < lanes ? words_along<kPrecision>(from + i * stride, left) : zero();
  transpose_square(square);
  const int64_t words = ceil_div(left, kNumbersInWord<kPrecision>);
#pragma GCC unroll 16
  for (int w = 0; w < kWidth; ++w) {
    if (w < words) store(to + w * width, square[w]);
  }
}

template <Precision kPrecision>
__attribute__((flatten)) void pack_as(float* to, int64_t width, const Lanes& lanes, int64_t K) {
  constexpr int64_t kNumbers = kNumbersInWord<kPrecision>, kStep = kNumbers * kWidth;
  if (lanes.along_k) {
    for (int64_t lane = 0; lane < width; lane += kWidth) {
      const float* from = lanes.data + lane * lanes.stride;
      const int64_t count = lanes.count - lane;
      int64_t k = 0;
      if (count >= kWidth) {
        for (; k + kStep <= K; k += kStep) pack_square<kPrecision>(to + k / kNumbers * width + lane, width, from + k, lanes.stride, kWidth, kStep);
      } else {
        for (; k + kStep <= K; k += kStep) pack_square<kPrecision>(to + k / kNumbers * width + lane, width, from + k, lanes.stride, count, kStep);
      }
      if (k < K) pack_square<kPrecision>(to + k / kNumbers * width + lane, width, from + k, lanes.stride, count, K - k);
    }
    return;
  }
  for (int64_t lane = 0; lane < width; lane += kWidth) {
    const float* from = lanes.data + lane;
    const int64_t count = smaller(kWidth, lanes.count - lane);
    for (int64_t k = 0; k < K; k += kNumbers, from += kNumbers * lanes.stride) {
      store(to + k / kNumbers * width + lane, count > 0 ? words_across<kPrecision>(from, lanes.stride, k + 1 < K, count) : zero());
    }
  }
}

// Strips beside each other in memory, whose lanes of one k are neighbours, packed together: memory is good at reading
// long pieces of a row, and numbers on a cache line that two strips share are there for both. Where the next rows are it
// does not see.
struct Strips {
  const float* from[kStrips];
  float* to[kStrips];
  int64_t lanes[kStrips];
  int64_t count, stride;
};

template <Precision kPrecision, int kVectors>
__attribute__((flatten)) void pack_strips_as(const Strips& strips, int64_t K) {
  constexpr int64_t kNumbers = kNumbersInWord<kPrecision>, kLine = 64 / sizeof(float);
  // 6 rows fit one set of L1 at any stride, and 32 fit L2.
  constexpr int64_t kNear = 6, kFar = 32;
  constexpr int64_t kStripWidth = kVectors * kWidth;
  const int64_t last = strips.count - 1;
  const float* const begin = strips.from[0];
  const int64_t span = strips.from[last] + strips.lanes[last] - begin;
  for (int64_t k = 0; k < K; k += kNumbers) {
    const int64_t at = k * strips.stride;
    for (int64_t next = 0; next < kNumbers; ++next) {
      const float* const ahead = begin + at + next * strips.stride;
      for (int64_t i = 0; i < span; i += kLine) {
        __builtin_prefetch(ahead + kFar * strips.stride + i, 0, 2);
        __builtin_prefetch(ahead + kNear * strips.stride + i);
      }
    }
    const bool more = k + 1 < K;
    for (int64_t s = 0; s <= last; ++s) {
      const float* const from = strips.from[s] + at;
      float* const to = strips.to[s] + k / kNumbers * kStripWidth;
      if (strips.lanes[s] == kStripWidth) {
#pragma GCC unroll 2
        for (int v = 0; v < kVectors; ++v) store(to + v * kWidth, words_across<kPrecision>(from + v * kWidth, strips.stride, more, kWidth));
        continue;
      }
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) {
        const int64_t lanes = smaller(kWidth, strips.lanes[s] - v * kWidth);
        store(to + v * kWidth, lanes > 0 ? words_across<kPrecision>(from + v * kWidth, strips.stride, more, lanes) : zero());
      }
    }
  }
}

template <int kVectors>
inline void pack_strips(const Strips& strips, int64_t K, Precision precision) {
  if (precision == Precision::bf16) pack_strips_as<Precision::bf16, kVectors>(strips, K);
  else pack_strips_as<Precision::f32, kVectors>(strips, K);
}

// to[word * width + lane]; width is a multiple of kWidth, lanes beyond lanes.count are 0.
inline void pack(float* to, int64_t width, const Lanes& lanes, int64_t K, Precision precision) {
  if (precision == Precision::bf16) pack_as<Precision::bf16>(to, width, lanes, K);
  else pack_as<Precision::f32>(to, width, lanes, K);
}

}  // namespace ESPALIER_ISA
}  // namespace espalier
