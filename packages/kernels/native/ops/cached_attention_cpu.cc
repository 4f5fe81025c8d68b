// cached_attention_cpu.cc -- see cached_attention.h.
//
// A query is a row and one of its heads. Queries that share a list of keys and a key/value head form blocks. A large
// block has queries in the lanes of its vectors, as causal_attention_forward_cpu.cc; a small one (decoding, or the few
// tokens of an answer) would leave most lanes empty and has keys in the lanes of its scores and head channels in those of
// its values. Both do the same operations on each number in the same order, so a row does not show which one made it.
#include "ops/cached_attention.h"

#include "math/broadcast_product.h"
#include "math/transpose.h"
#include "math/vector.h"
#include "ops/blocks.h"

namespace espalier {
namespace ESPALIER_ISA {
namespace {

constexpr int64_t kBlock = 2 * kWidth;      // queries of one block
constexpr int64_t kFewQueries = kWidth / 2;  // up to here keys are in the lanes
constexpr int64_t kKeyChunk = 128;          // a multiple of 2 kWidth
constexpr int64_t kRowsPerTask = 32;

struct Shape {
  int64_t R, N, G, D, P, M, group;
  int64_t key_stride;  // floats from one row of the pool to the next
  float scale;
};

Shape shape_of(const OpCall& call) {
  const int64_t* k = call.inputs[1].dims;
  const int64_t R = call.inputs[3].count, D = k[2], N = call.inputs[0].count / larger(1, R * D);
  return {R, N, k[1], D, k[0], call.inputs[5].count, N / k[1], k[1] * D, static_cast<float>(call.attributes[0])};
}

// Head channels and, after them, a column of ones whose sum is the total of the weights; whole vectors.
int64_t value_width(int64_t D) { return ceil_div(D + 1, kWidth) * kWidth; }

struct Scratch {
  float* rows;         // [kBlock][D], queries or results
  float* queries;      // [D][kBlock]
  float* values;       // [D][kBlock], or [kFewQueries][value_width]
  float* scores;       // [kKeyChunk][kBlock], or [kFewQueries][kKeyChunk]
  float* keys;         // [kKeyChunk][D], or [D][kKeyChunk]
  float* key_values;   // [kKeyChunk][D or value_width]
  float* positions;    // [kBlock]
};

std::size_t scratch_floats(int64_t D) {
  return static_cast<std::size_t>(2 * kBlock * D + kBlock * value_width(D) + kKeyChunk * kBlock + kKeyChunk * D +
                                  kKeyChunk * value_width(D) + kBlock);
}

Scratch scratch_of(int64_t D) {
  Scratch s{};
  s.rows = static_cast<float*>(thread_scratch(sizeof(float) * scratch_floats(D)));
  s.queries = s.rows + kBlock * D;
  s.values = s.queries + kBlock * D;
  s.scores = s.values + kBlock * value_width(D);
  s.keys = s.scores + kKeyChunk * kBlock;
  s.key_values = s.keys + kKeyChunk * D;
  s.positions = s.key_values + kKeyChunk * value_width(D);
  return s;
}

// Keys and values of one chunk of a list: where they stand in the pool, at this key/value head.
struct Chunk {
  const float *k, *v;
  const int32_t* rows;
  int64_t count;
  bool contiguous;
};

Chunk chunk_of(const OpCall& call, const Shape& s, int64_t start, int64_t begin, int64_t end, int64_t g) {
  const int32_t* rows = call.inputs[5].i32() + start + begin;
  Chunk chunk{call.inputs[1].f32() + g * s.D, call.inputs[2].f32() + g * s.D, rows, end - begin, true};
  for (int64_t m = 1; m < chunk.count; ++m) chunk.contiguous = chunk.contiguous && rows[m] == rows[0] + m;
  return chunk;
}

void collect(float* target, int64_t target_stride, const float* source, const Chunk& chunk, const Shape& s) {
  for (int64_t m = 0; m < chunk.count; ++m) {
    std::memcpy(target + m * target_stride, source + chunk.rows[m] * s.key_stride,
                static_cast<std::size_t>(s.D) * sizeof(float));
  }
}

// ---- queries in the lanes ----

template <int kVecs>
void attend_many(const Shape& s, const Scratch& at, const Chunk& chunk, int64_t begin, float least, vf* top, vf* total) {
  const float *k = at.keys, *v = at.key_values;
  int64_t stride = s.D;
  if (chunk.contiguous) {
    k = chunk.k + chunk.rows[0] * s.key_stride;
    v = chunk.v + chunk.rows[0] * s.key_stride;
    stride = s.key_stride;
  } else {
    collect(at.keys, s.D, chunk.k, chunk, s);
    collect(at.key_values, s.D, chunk.v, chunk, s);
  }
  broadcast_product<kVecs>(at.scores, kBlock, {k, stride, 1}, at.queries, kBlock, chunk.count, s.D, false);
  for (int64_t m = 0; m < chunk.count; ++m) {  // the future of lanes with an earlier position
    const float position = static_cast<float>(begin + m);
    if (position <= least) continue;
    for (int64_t i = 0; i < kVecs; ++i) {
      float* score = at.scores + m * kBlock + i * kWidth;
      store(score, select(load(at.positions + i * kWidth) < splat(position), splat(kMinusInfinity), load(score)));
    }
  }
  for (int i = 0; i < kVecs; ++i) {
    vf highest = begin == 0 ? splat(kMinusInfinity) : top[i];
    for (int64_t m = 0; m < chunk.count; ++m) highest = max(load(at.scores + m * kBlock + i * kWidth), highest);
    vf sum = zero();
    if (begin > 0) {
      const vf shrink = exp(top[i] - highest);
      sum = total[i] * shrink;
      for (int64_t d = 0; d < s.D; ++d) {
        float* value = at.values + d * kBlock + i * kWidth;
        store(value, load(value) * shrink);
      }
    }
    for (int64_t m = 0; m < chunk.count; ++m) {
      float* score = at.scores + m * kBlock + i * kWidth;
      const vf p = exp(load(score) - highest);
      store(score, p);
      sum += p;
    }
    top[i] = highest;
    total[i] = sum;
  }
  broadcast_product<kVecs>(at.values, kBlock, {v, 1, stride}, at.scores, kBlock, s.D, chunk.count, begin > 0);
}

// Takes `count` queries in at.rows to their results in the same place.
template <int kVecs>
void many_queries(const OpCall& call, const Shape& s, const Scratch& at, int64_t count, int64_t start, int64_t g,
                  float least, int64_t num_keys) {
  std::memset(at.queries, 0, static_cast<std::size_t>(s.D * kBlock) * sizeof(float));
  transpose(at.queries, kBlock, at.rows, s.D, count, s.D);
  for (int64_t i = 0; i < s.D * kBlock; i += kWidth) store(at.queries + i, splat(s.scale) * load(at.queries + i));
  vf top[kVecs], total[kVecs];
  for (int64_t begin = 0; begin < num_keys; begin += kKeyChunk) {
    const Chunk chunk = chunk_of(call, s, start, begin, smaller(begin + kKeyChunk, num_keys), g);
    attend_many<kVecs>(s, at, chunk, begin, least, top, total);
  }
  for (int64_t i = 0; i < kVecs; ++i) {
    const vf share = splat(1.0f) / total[i];
    for (int64_t d = 0; d < s.D; ++d) {
      float* value = at.values + d * kBlock + i * kWidth;
      store(value, load(value) * share);
    }
  }
  transpose(at.rows, s.D, at.values, kBlock, s.D, count);
}

// ---- keys in the lanes ----

void few_queries(const OpCall& call, const Shape& s, const Scratch& at, int64_t count, int64_t start, int64_t g,
                 int64_t num_keys) {
  const int64_t width = value_width(s.D);
  for (int64_t i = 0; i < count * s.D; ++i) at.rows[i] *= s.scale;
  float top[kFewQueries];
  for (int64_t begin = 0; begin < num_keys; begin += kKeyChunk) {
    const Chunk chunk = chunk_of(call, s, start, begin, smaller(begin + kKeyChunk, num_keys), g);
    const int64_t lanes = ceil_div(chunk.count, 2 * kWidth) * 2 * kWidth;
    collect(at.key_values, s.D, chunk.k, chunk, s);
    transpose(at.keys, kKeyChunk, at.key_values, s.D, chunk.count, s.D);
    for (int64_t d = 0; d < s.D; ++d) {
      for (int64_t m = chunk.count; m < lanes; ++m) at.keys[d * kKeyChunk + m] = 0.0f;
    }
    collect(at.key_values, width, chunk.v, chunk, s);
    for (int64_t m = 0; m < chunk.count; ++m) {
      for (int64_t d = s.D; d < width; ++d) at.key_values[m * width + d] = d == s.D ? 1.0f : 0.0f;
    }
    for (int64_t m = 0; m < lanes; m += 2 * kWidth) {
      broadcast_product<2>(at.scores + m, kKeyChunk, {at.rows, s.D, 1}, at.keys + m, kKeyChunk, count, s.D, false);
    }
    for (int64_t i = 0; i < count; ++i) {
      float* scores = at.scores + i * kKeyChunk;
      const vf seen = splat(at.positions[i] + 1.0f);
      vf highest = splat(kMinusInfinity);
      for (int64_t m = 0; m < lanes; m += kWidth) {
        const vf score = select(lane_numbers(begin + m) < seen, load(scores + m), splat(kMinusInfinity));
        store(scores + m, score);
        highest = max(score, highest);
      }
      float now = reduce_max(highest);
      if (begin > 0 && now < top[i]) now = top[i];
      if (begin > 0) {
        const vf shrink = exp(splat(top[i]) - splat(now));
        float* value = at.values + i * width;
        for (int64_t d = 0; d < width; d += kWidth) store(value + d, load(value + d) * shrink);
      }
      top[i] = now;
      for (int64_t m = 0; m < lanes; m += kWidth) store(scores + m, exp(load(scores + m) - splat(now)));
    }
    for (int64_t d = 0; d < width; d += 2 * kWidth) {
      const Broadcast weights = {at.scores, kKeyChunk, 1};
      if (d + kWidth < width) {
        broadcast_product<2>(at.values + d, width, weights, at.key_values + d, width, count, chunk.count, begin > 0);
      } else {
        broadcast_product<1>(at.values + d, width, weights, at.key_values + d, width, count, chunk.count, begin > 0);
      }
    }
  }
  for (int64_t i = 0; i < count; ++i) {
    const float* value = at.values + i * width;
    const vf share = splat(1.0f) / splat(value[s.D]);
    for_each_vector(s.D, [&](int64_t d, int64_t lanes) {
      store_some(at.rows + i * s.D + d, load_some(value + d, lanes) * share, lanes);
    });
  }
}

// ---- rows ----

bool list_is_sound(const OpCall& call, const Shape& s, int64_t start, int64_t num_keys) {
  if (start < 0 || start + num_keys > s.M) return false;
  const int32_t* rows = call.inputs[5].i32() + start;
  bool sound = true;
  for (int64_t m = 0; m < num_keys; ++m) sound = sound && rows[m] >= 0 && rows[m] < s.P;
  return sound;
}

int64_t num_tasks(const OpCall& call) {
  const Shape s = shape_of(call);
  return ceil_div(s.R, kRowsPerTask) * s.G;
}

// Rows [begin, end), which have one list, at key/value head g.
void run_rows(const OpCall& call, const Shape& s, const Scratch& at, int64_t begin, int64_t end, int64_t g) {
  const int32_t* positions = call.inputs[3].i32();
  const int64_t start = call.inputs[4].i32()[begin];
  const std::size_t row_bytes = static_cast<std::size_t>(s.D) * sizeof(float);
  const auto offset = [&](int64_t query) {
    return ((begin + query / s.group) * s.N + g * s.group + query % s.group) * s.D;
  };
  const int64_t queries = (end - begin) * s.group;
  for (int64_t first = 0; first < queries; first += kBlock) {
    const int64_t count = smaller(kBlock, queries - first);
    int64_t least = positions[begin + first / s.group], last = least;
    for (int64_t i = 0; i < kBlock; ++i) {
      const int64_t position = i < count ? positions[begin + (first + i) / s.group] : last;
      at.positions[i] = static_cast<float>(position);
      least = smaller(least, position);
      last = larger(last, position);
      if (i < count) std::memcpy(at.rows + i * s.D, call.inputs[0].f32() + offset(first + i), row_bytes);
    }
    if (!list_is_sound(call, s, start, last + 1)) {
      for (int64_t i = 0; i < count * s.D; ++i) at.rows[i] = __builtin_nanf("");
    } else if (count <= kFewQueries) {
      few_queries(call, s, at, count, start, g, last + 1);
    } else if (count <= kWidth) {
      many_queries<1>(call, s, at, count, start, g, static_cast<float>(least), last + 1);
    } else {
      many_queries<2>(call, s, at, count, start, g, static_cast<float>(least), last + 1);
    }
    for (int64_t i = 0; i < count; ++i) {
      std::memcpy(call.outputs[0].f32() + offset(first + i), at.rows + i * s.D, row_bytes);
    }
  }
}

void run(const OpCall& call, int64_t task_begin, int64_t task_end) {
  const Shape s = shape_of(call);
  const Scratch at = scratch_of(s.D);
  const int32_t* positions = call.inputs[3].i32();
  const int32_t* starts = call.inputs[4].i32();
  for (int64_t task = task_begin; task < task_end; ++task) {
    const int64_t g = task % s.G, begin = task / s.G * kRowsPerTask, end = smaller(begin + kRowsPerTask, s.R);
    for (int64_t row = begin; row < end;) {
      int64_t next = row + 1;
      if (positions[row] < 0) {
        float* y = call.outputs[0].f32() + (row * s.N + g * s.group) * s.D;
        std::memset(y, 0, static_cast<std::size_t>(s.group * s.D) * sizeof(float));
      } else {
        while (next < end && starts[next] == starts[row] && positions[next] >= 0) ++next;
        run_rows(call, s, at, row, next, g);
      }
      row = next;
    }
  }
}

// How many keys are read is known when it runs: taken as 256 a row.
double work(const OpCall& call) { return 1024.0 * static_cast<double>(call.inputs[0].count); }

}  // namespace

const OpKernel cached_attention_kernel = {
    "cachedAttention", "scale", num_tasks, run, nullptr, nullptr, work, nullptr, nullptr, nullptr,
};

}  // namespace ESPALIER_ISA
}  // namespace espalier
