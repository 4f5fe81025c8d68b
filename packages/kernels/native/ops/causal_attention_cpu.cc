// causal_attention_cpu.cc -- see causal_attention.h.
//
// Vectors never run along D, which is small (16 to 128) and rarely a multiple of 16. The forward has queries in its
// lanes: a block of queries is transposed once, scores are [key, query], so softmax needs no step across lanes, and
// keys and values are read in place, one number broadcast at a time. The backward has keys in its lanes, for the same
// reason: of its five products only dq sums across lanes, and that one runs along D, over a padded copy of the keys.
#include "ops/causal_attention.h"

#include "math/broadcast_product.h"
#include "math/transpose.h"
#include "math/vector.h"
#include "ops/blocks.h"

namespace espalier {
namespace ESPALIER_ISA {
namespace {

constexpr int64_t kBlock = 2 * kWidth;     // queries (forward) or keys (backward) in the lanes of one block
constexpr int64_t kKeyChunk = 128;         // keys scored at a time in the forward: 16 KB of scores with 32 lanes
constexpr int64_t kQueryChunk = 32;        // queries at a time in the backward
constexpr int64_t kQueriesPerTask = 128;   // whole blocks

struct Shape {
  int64_t B, T, N, G, D, group;
  int64_t query_stride, key_stride;  // floats from one position to the next
  const int32_t* lengths;            // null: every sequence is full
  const int32_t* starts;             // null: all 0
  float scale;

  // The first key that position t sees.
  int64_t start(int64_t b, int64_t t) const { return starts ? larger(0, smaller(starts[b * T + t], t)) : 0; }
  int64_t length(int64_t b) const { return lengths ? larger(0, smaller(lengths[b], T)) : T; }
  int64_t query_offset(int64_t b, int64_t t, int64_t n) const { return (b * T + t) * query_stride + n * D; }
  int64_t key_offset(int64_t b, int64_t t, int64_t g) const { return (b * T + t) * key_stride + g * D; }
};

Shape shape_of(const OpCall& call, int32_t lengths_input) {
  const int64_t* q = call.inputs[0].dims;
  const int64_t G = call.inputs[1].dims[2];
  return {q[0], q[1], q[2], G, q[3], q[2] / G, q[2] * q[3], G * q[3],
          call.num_inputs > lengths_input ? call.inputs[lengths_input].i32() : nullptr,
          call.num_inputs > lengths_input + 1 ? call.inputs[lengths_input + 1].i32() : nullptr,
          static_cast<float>(call.attributes[0])};
}

void clear(float* p, int64_t count) { std::memset(p, 0, static_cast<std::size_t>(count) * sizeof(float)); }

// target [D][kBlock] = factor * the `count` rows of source, transposed; lanes beyond `count` are 0.
void load_transposed(float* target, const float* source, int64_t stride, int64_t count, int64_t D, float factor) {
  if (count < kBlock) clear(target, D * kBlock);
  transpose(target, kBlock, source, stride, count, D);
  if (factor == 1.0f) return;
  for (int64_t i = 0; i < D * kBlock; i += kWidth) store(target + i, splat(factor) * load(target + i));
}

// ---- forward ----

// One block of queries against the keys seen so far. Arrays are [row][kBlock].
struct QueryBlock {
  float *queries, *scores, *values;  // [D], scaled; [kKeyChunk]; [D], sum of p v
  vf top[2], total[2];               // running maximum and sum of exp(score - top)
  int64_t low, last_start;           // least and greatest first key of the queries
  float starts[kBlock];              // first keys
};

// The score of a key before a query's start. Finite, because a lane may see none of the first keys of its block: what it
// sums then has weight exp(kUnseen - top) = 0 as soon as it sees one, and each sees its own.
constexpr float kUnseen = -1e38f;

// Adds keys [begin, end) for the kVecs vectors of queries that start at lane `lane`, position `first`.
template <int kVecs>
void attend(const Shape& s, QueryBlock& block, const float* k, const float* v, int64_t first, int64_t lane,
            int64_t begin, int64_t end) {
  const int64_t part = lane / kWidth;
  float* scores = block.scores + lane;
  const int64_t keys = end - begin;
  broadcast_product<kVecs>(scores, kBlock, {k + begin * s.key_stride, s.key_stride, 1}, block.queries + lane, kBlock,
                           keys, s.D, false);
  for (int64_t m = begin; m < smaller(end, block.last_start); ++m) {  // other documents, of lanes with start > m
    for (int64_t i = 0; i < kVecs; ++i) {
      float* at = scores + (m - begin) * kBlock + i * kWidth;
      const vm before = splat(static_cast<float>(m)) < load(block.starts + lane + i * kWidth);
      store(at, select(before, splat(kUnseen), load(at)));
    }
  }
  for (int64_t m = larger(begin, first + 1); m < end; ++m) {  // the future of lanes with position < m
    for (int64_t i = 0; i < kVecs; ++i) {
      float* at = scores + (m - begin) * kBlock + i * kWidth;
      const vm past = lane_numbers(first + i * kWidth) < splat(static_cast<float>(m));
      store(at, select(past, splat(kMinusInfinity), load(at)));
    }
  }
  vf top[kVecs], total[kVecs];
  for (int i = 0; i < kVecs; ++i) top[i] = begin == block.low ? splat(kMinusInfinity) : block.top[part + i];
  for (int64_t m = 0; m < keys; ++m) {
    for (int i = 0; i < kVecs; ++i) top[i] = max(load(scores + m * kBlock + i * kWidth), top[i]);
  }
  for (int i = 0; i < kVecs; ++i) {
    total[i] = zero();
    if (begin > block.low) {
      const vf shrink = exp(block.top[part + i] - top[i]);
      total[i] = block.total[part + i] * shrink;
      for (int64_t d = 0; d < s.D; ++d) {
        float* at = block.values + d * kBlock + lane + i * kWidth;
        store(at, load(at) * shrink);
      }
    }
    block.top[part + i] = top[i];
  }
  for (int64_t m = 0; m < keys; ++m) {
    for (int i = 0; i < kVecs; ++i) {
      float* at = scores + m * kBlock + i * kWidth;
      const vf p = exp(load(at) - top[i]);
      store(at, p);
      total[i] += p;
    }
  }
  for (int i = 0; i < kVecs; ++i) block.total[part + i] = total[i];
  broadcast_product<kVecs>(block.values + lane, kBlock, {v + begin * s.key_stride, 1, s.key_stride}, scores, kBlock,
                           s.D, keys, begin > block.low);
}

// First keys of the block's queries; lanes beyond `count` see all.
void set_starts(const Shape& s, QueryBlock& block, int64_t b, int64_t first, int64_t count) {
  block.low = s.starts ? s.start(b, first) : 0;
  block.last_start = 0;
  if (!s.starts) return;
  for (int64_t i = 0; i < kBlock; ++i) {
    const int64_t start = i < count ? s.start(b, first + i) : 0;
    block.starts[i] = static_cast<float>(start);
    block.last_start = larger(block.last_start, start);
    if (i < count) block.low = smaller(block.low, start);
  }
}

int64_t tasks_per_head(const Shape& s) { return ceil_div(s.T, kQueriesPerTask); }

int64_t num_tasks(const OpCall& call) {
  const Shape s = shape_of(call, 3);
  return s.B * s.N * tasks_per_head(s);
}

void run(const OpCall& call, int64_t task_begin, int64_t task_end) {
  const Shape s = shape_of(call, 3);
  QueryBlock block{};
  block.queries = static_cast<float*>(
      thread_scratch(sizeof(float) * static_cast<std::size_t>((2 * s.D + kKeyChunk) * kBlock)));
  block.values = block.queries + s.D * kBlock;
  block.scores = block.values + s.D * kBlock;
  for (int64_t task = task_begin; task < task_end; ++task) {
    const int64_t head = task / tasks_per_head(s), b = head / s.N, n = head % s.N, g = n / s.group;
    const int64_t length = s.length(b);
    const int64_t begin = task % tasks_per_head(s) * kQueriesPerTask, end = smaller(begin + kQueriesPerTask, s.T);
    const float* k = call.inputs[1].f32() + s.key_offset(b, 0, g);
    const float* v = call.inputs[2].f32() + s.key_offset(b, 0, g);
    float* lse = call.outputs[1].f32() + head * s.T;
    for (int64_t first = begin; first < smaller(end, length); first += kBlock) {
      const int64_t count = smaller(kBlock, length - first);
      const float* q = call.inputs[0].f32() + s.query_offset(b, first, n);
      load_transposed(block.queries, q, s.query_stride, count, s.D, s.scale);
      set_starts(s, block, b, first, count);
      // All lanes see the keys up to the end of the first vector of queries, only the second vector those after it.
      const int64_t shared_end = smaller(first + kWidth, length);
      for (int64_t m = block.low; m < shared_end; m += kKeyChunk) {
        const int64_t chunk_end = smaller(m + kKeyChunk, shared_end);
        if (count > kWidth) attend<2>(s, block, k, v, first, 0, m, chunk_end);
        else attend<1>(s, block, k, v, first, 0, m, chunk_end);
      }
      if (count > kWidth) attend<1>(s, block, k, v, first + kWidth, kWidth, shared_end, first + count);
      for (int64_t i = 0; i * kWidth < count; ++i) {
        const vf share = splat(1.0f) / block.total[i];
        for (int64_t d = 0; d < s.D; ++d) {
          float* at = block.values + d * kBlock + i * kWidth;
          store(at, load(at) * share);
        }
        store_some(lse + first + i * kWidth, block.top[i] + log(block.total[i]), smaller(kWidth, count - i * kWidth));
      }
      transpose(call.outputs[0].f32() + s.query_offset(b, first, n), s.query_stride, block.values, kBlock, s.D, count);
    }
    for (int64_t t = larger(begin, length); t < end; ++t) {
      clear(call.outputs[0].f32() + s.query_offset(b, t, n), s.D);
      lse[t] = 0.0f;
    }
  }
}

// Multiply-adds of the causal half, and 16 operations an exponential.
double attention_work(const OpCall& call, double products) {
  const Shape s = shape_of(call, 99);
  return static_cast<double>(s.B * s.N) * static_cast<double>(s.T * s.T) * (products * static_cast<double>(s.D) + 8.0);
}
double work(const OpCall& call) { return attention_work(call, 2.0); }

// ---- backward ----

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

const OpKernel causal_attention_kernel = {
    "causalAttention", "scale", num_tasks, run, nullptr, nullptr, work, nullptr, nullptr, nullptr,
};
const OpKernel causal_attention_grad_kernel = {
    "causalAttentionGrad", "scale", num_grad_tasks, run_grad, nullptr, nullptr, grad_work, nullptr, nullptr, nullptr,
};

}  // namespace ESPALIER_ISA
}  // namespace espalier
