// causal_attention_forward_cpu.cc -- see causal_attention.h.
//
// Queries are in the lanes: a block of queries is transposed once, scores are [key, query], so softmax needs no step
// across lanes, and keys and values are read in place, one number broadcast at a time.
#include "math/broadcast_product.h"
#include "math/transpose.h"
#include "math/vector.h"
#include "ops/causal_attention_cpu.h"

namespace espalier {
namespace ESPALIER_ISA {
namespace {

using namespace causal_attention;

constexpr int64_t kKeyChunk = 128;        // keys scored at a time: 16 KB of scores with 32 lanes
constexpr int64_t kQueriesPerTask = 128;  // whole blocks

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

double work(const OpCall& call) { return attention_work(call, 2.0); }

}  // namespace

const OpKernel causal_attention_kernel = {
    "causalAttention", "scale", num_tasks, run, nullptr, nullptr, work, nullptr, nullptr, nullptr,
};

}  // namespace ESPALIER_ISA
}  // namespace espalier
