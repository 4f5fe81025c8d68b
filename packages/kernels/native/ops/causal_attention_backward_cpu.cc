// causal_attention_backward_cpu.cc -- see causal_attention.h.
//
// Keys are in the lanes, so that softmax needs no step across lanes: of the five products only dq sums across lanes, and
// that one runs along D, over a padded copy of the keys.
#include "math/broadcast_product.h"
#include "math/transpose.h"
#include "math/vector.h"
#include "ops/causal_attention_cpu.h"

namespace espalier {
namespace ESPALIER_ISA {
namespace {

using namespace causal_attention;

constexpr int64_t kQueryChunk = 32;  // queries at a time

// One block of keys of one key/value head. Arrays are [row][kBlock], except key_rows.
struct KeyBlock {
  int64_t first, count;      // `count` keys from position `first`
  float *keys, *values;      // [D], transposed; keys are scaled
  float* key_rows;           // [kBlock][padded D]
  float *d_keys, *d_values;  // [D], sums
  float *p, *ds;             // [kQueryChunk], probabilities and gradients of the scores
};

struct Gradients {
  const float *q, *dy, *lse, *delta;  // of one query head; lse and delta per position
  float* dq;
  int64_t b;
};

int64_t padded(int64_t D) { return ceil_div(D, kWidth) * kWidth; }

// Queries [begin, end) against the first kVecs vectors of the block's keys.
template <int kVecs>
void backward_queries(const Shape& s, const KeyBlock& block, const Gradients& head, int64_t begin, int64_t end) {
  const int64_t queries = end - begin;
  const float* q = head.q + begin * s.query_stride;
  const float* dy = head.dy + begin * s.query_stride;
  broadcast_product<kVecs>(block.p, kBlock, {q, s.query_stride, 1}, block.keys, kBlock, queries, s.D, false);
  broadcast_product<kVecs>(block.ds, kBlock, {dy, s.query_stride, 1}, block.values, kBlock, queries, s.D, false);
  for (int64_t n = 0; n < queries; ++n) {
    const vf lse = splat(head.lse[begin + n]), delta = splat(head.delta[begin + n]);
    const int64_t unseen = s.start(head.b, begin + n) - block.first;  // keys of the block before the query's document
    const bool diagonal = begin + n - block.first < kVecs * kWidth - 1;
    for (int64_t i = 0; i < kVecs; ++i) {
      float* p_at = block.p + n * kBlock + i * kWidth;
      float* ds_at = block.ds + n * kBlock + i * kWidth;
      vf p = exp(load(p_at) - lse);
      if (diagonal) p = keep_first(p, begin + n + 1 - block.first - i * kWidth);
      if (unseen > 0) p = select(lane_numbers(i * kWidth) < splat(static_cast<float>(unseen)), zero(), p);
      store(p_at, p);
      store(ds_at, p * (load(ds_at) - delta) * splat(s.scale));
    }
  }
  broadcast_product<kVecs>(block.d_values, kBlock, {dy, 1, s.query_stride}, block.p, kBlock, s.D, queries, true);
  broadcast_product<kVecs>(block.d_keys, kBlock, {q, 1, s.query_stride}, block.ds, kBlock, s.D, queries, true);
  const int64_t keys = smaller(kVecs * kWidth, block.count);
  for (int64_t d = 0; d < s.D; d += 2 * kWidth) {
    float* dq = head.dq + begin * s.query_stride + d;
    const Broadcast ds = {block.ds, kBlock, 1};
    const bool add = block.first > 0 || s.starts;  // the first block of keys is seen by every query, or dq was cleared
    const int64_t left = s.D - d;
    if (left > kWidth) {
      broadcast_product<2>(dq, s.query_stride, ds, block.key_rows + d, padded(s.D), queries, keys, add,
                           smaller(kWidth, left - kWidth));
    } else {
      broadcast_product<1>(dq, s.query_stride, ds, block.key_rows + d, padded(s.D), queries, keys, add, left);
    }
  }
}

// Whether any of the queries [begin, end) sees a key of the block.
bool sees(const Shape& s, const KeyBlock& block, int64_t b, int64_t begin, int64_t end) {
  if (!s.starts) return true;
  for (int64_t t = begin; t < end; ++t) {
    if (s.start(b, t) < block.first + block.count) return true;
  }
  return false;
}

int64_t num_grad_tasks(const OpCall& call) {
  const Shape s = shape_of(call, 6);
  return s.B * s.G;
}

void run_grad(const OpCall& call, int64_t task_begin, int64_t task_end) {
  const Shape s = shape_of(call, 6);
  const int64_t tile = s.D * kBlock;
  KeyBlock block{};
  const int64_t floats = 4 * tile + kBlock * padded(s.D) + 2 * kQueryChunk * kBlock + s.group * s.T;
  block.keys = static_cast<float*>(thread_scratch(sizeof(float) * static_cast<std::size_t>(floats)));
  block.values = block.keys + tile;
  block.d_keys = block.values + tile;
  block.d_values = block.d_keys + tile;
  block.key_rows = block.d_values + tile;
  block.p = block.key_rows + kBlock * padded(s.D);
  block.ds = block.p + kQueryChunk * kBlock;
  float* delta = block.ds + kQueryChunk * kBlock;

  const float* q = call.inputs[0].f32();
  const float* y = call.inputs[3].f32();
  const float* lse = call.inputs[4].f32();
  const float* dy = call.inputs[5].f32();
  float* dq = call.outputs[0].f32();

  for (int64_t task = task_begin; task < task_end; ++task) {
    const int64_t b = task / s.G, g = task % s.G, length = s.length(b);
    const float* k = call.inputs[1].f32() + s.key_offset(b, 0, g);
    const float* v = call.inputs[2].f32() + s.key_offset(b, 0, g);
    float* dk = call.outputs[1].f32() + s.key_offset(b, 0, g);
    float* dv = call.outputs[2].f32() + s.key_offset(b, 0, g);
    for (int64_t h = 0; h < s.group; ++h) {
      for (int64_t t = 0; t < length; ++t) {
        const int64_t at = s.query_offset(b, t, g * s.group + h);
        vf sum = zero();
        for_each_vector(s.D, [&](int64_t i, int64_t lanes) {
          sum = fma(load_some(dy + at + i, lanes), load_some(y + at + i, lanes), sum);
        });
        delta[h * s.T + t] = reduce_add(sum);
      }
      for (int64_t t = s.starts ? 0 : length; t < s.T; ++t) clear(dq + s.query_offset(b, t, g * s.group + h), s.D);
    }
    for (block.first = 0; block.first < length; block.first += kBlock) {
      const int64_t first = block.first, count = smaller(kBlock, length - first);
      block.count = count;
      load_transposed(block.keys, k + first * s.key_stride, s.key_stride, count, s.D, s.scale);
      load_transposed(block.values, v + first * s.key_stride, s.key_stride, count, s.D, 1.0f);
      for (int64_t m = 0; m < count; ++m) {
        float* row = block.key_rows + m * padded(s.D);
        for_each_vector(s.D, [&](int64_t i, int64_t lanes) {
          store(row + i, load_some(k + (first + m) * s.key_stride + i, lanes));
        });
      }
      clear(block.d_keys, 2 * tile);
      for (int64_t h = 0; h < s.group; ++h) {
        const int64_t n = g * s.group + h;
        const int64_t offset = s.query_offset(b, 0, n);
        const Gradients head = {q + offset, dy + offset, lse + (b * s.N + n) * s.T, delta + h * s.T, dq + offset, b};
        // The first queries of the diagonal see only the first vector of keys.
        const int64_t narrow_end = smaller(first + kWidth, length);
        backward_queries<1>(s, block, head, first, narrow_end);
        for (int64_t t = narrow_end; t < length; t += kQueryChunk) {
          const int64_t end = smaller(t + kQueryChunk, length);
          if (sees(s, block, b, t, end)) backward_queries<2>(s, block, head, t, end);
        }
      }
      transpose(dk + first * s.key_stride, s.key_stride, block.d_keys, kBlock, s.D, count);
      transpose(dv + first * s.key_stride, s.key_stride, block.d_values, kBlock, s.D, count);
    }
    for (int64_t t = length; t < s.T; ++t) {
      clear(dk + t * s.key_stride, s.D);
      clear(dv + t * s.key_stride, s.D);
    }
  }
}

double grad_work(const OpCall& call) { return attention_work(call, 5.0); }

}  // namespace

const OpKernel causal_attention_grad_kernel = {
    "causalAttentionGrad", "scale", num_grad_tasks, run_grad, nullptr, nullptr, grad_work, nullptr, nullptr, nullptr,
};

}  // namespace ESPALIER_ISA
}  // namespace espalier

