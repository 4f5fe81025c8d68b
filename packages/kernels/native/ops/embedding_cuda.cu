// embedding_cuda.cu -- see embedding.h. The gradient adds the positions of each token in order, without atomics on
// floats: positions are sorted by token, stably, by counting. A chunk of positions is one block: it counts its tokens
// (integers, so the order does not matter), chunks and tokens are summed up, and each position then knows its place:
// those of smaller tokens, of its token in earlier chunks, and earlier in its chunk. One block then adds a token's rows.
#include "ops/embedding.h"

#include "cuda/elementwise.h"

namespace espalier {
namespace cuda {
namespace {

struct Embedding {
  Out y;
  In table;
  const int32_t* tokens;
  int64_t C, V;
  float factor;
  template <int W>
  __device__ void at(int64_t i) const {
    const int64_t token = tokens[i / C];
    float v[W];
    if (token >= 0 && token < V) {
      table.load<W>(token * C + i % C, v);
#pragma unroll
      for (int j = 0; j < W; ++j) v[j] *= factor;
    } else {
#pragma unroll
      for (int j = 0; j < W; ++j) v[j] = nanf("");
    }
    y.store<W>(i, v);
  }
};

void launch_embedding(const OpCall& call, const CudaContext& context) {
  const TensorView& table = call.inputs[1];
  const Embedding f{out(call.outputs[0]), in(table), call.inputs[0].i32(), table.last(), table.rows(), static_cast<float>(call.attributes[0])};
  launch_elementwise(context, "embedding", f, call.outputs[0].count, f.C % kWide == 0);
}

// ---- gradient ----

#if defined(ESPALIER_EMULATED)
constexpr int kChunk = 64;  // so that small tests have several
#else
constexpr int kChunk = 1024;
#endif
constexpr int kScanThreads = 1024;
constexpr int kMostChunks = 64;  // longer chunks beyond: several rounds of a block

struct Sorting {
  const int32_t* tokens;
  int32_t* counts;    // [chunks, V]: of a token in a chunk, then in the chunks before
  int32_t* first;     // [V + 1]: where a token's positions begin
  int32_t* positions; // [R], by token
  int64_t R, V;
  int chunks, rounds; // a chunk is `rounds` times kChunk positions
};

__device__ __forceinline__ bool known(int32_t token, int64_t V) { return token >= 0 && token < V; }

__global__ void count_tokens(Sorting s) {
  for (int round = 0; round < s.rounds; ++round) {
    const int64_t r = (int64_t(blockIdx.x) * s.rounds + round) * kChunk + threadIdx.x;
    if (r < s.R && known(s.tokens[r], s.V)) atomicAdd(&s.counts[blockIdx.x * s.V + s.tokens[r]], 1);
  }
}

// counts become those of the chunks before; first[v] the total of v.
__global__ void sum_over_chunks(Sorting s) {
  const int64_t v = int64_t(blockIdx.x) * blockDim.x + threadIdx.x;
  if (v >= s.V) return;
  int32_t before = 0;
  for (int chunk = 0; chunk < s.chunks; ++chunk) {
    const int32_t count = s.counts[chunk * s.V + v];
    s.counts[chunk * s.V + v] = before;
    before += count;
  }
  s.first[v] = before;
}

// Totals become the sums of what is before. One block; each thread has a run of tokens of its own.
__global__ void sum_over_tokens(Sorting s) {
  int32_t* sums = block_memory<int32_t>();
  const int64_t run = (s.V + blockDim.x - 1) / blockDim.x;
  const int64_t begin = min(int64_t(threadIdx.x) * run, s.V), end = min(begin + run, s.V);
  int32_t total = 0;
  for (int64_t v = begin; v < end; ++v) total += s.first[v];
  sums[threadIdx.x] = total;
  __syncthreads();
  for (unsigned step = 1; step < blockDim.x; step *= 2) {
    const int32_t left = threadIdx.x >= step ? sums[threadIdx.x - step] : 0;
    __syncthreads();
    sums[threadIdx.x] += left;
    __syncthreads();
  }
  int32_t before = sums[threadIdx.x] - total;
  for (int64_t v = begin; v < end; ++v) {
    const int32_t count = s.first[v];
    s.first[v] = before;
    before += count;
  }
  if (threadIdx.x == blockDim.x - 1) s.first[s.V] = before;
}

__global__ void place_positions(Sorting s) {
  int32_t* chunk = block_memory<int32_t>();
  for (int round = 0; round < s.rounds; ++round) {
    const int64_t r = (int64_t(blockIdx.x) * s.rounds + round) * kChunk + threadIdx.x;
    const int32_t token = r < s.R && known(s.tokens[r], s.V) ? s.tokens[r] : -1;
    chunk[threadIdx.x] = token;
    __syncthreads();
    int32_t earlier = 0, all = 0;
    for (int i = 0; i < kChunk; ++i) {
      const bool same = chunk[i] == token;
      earlier += same && i < static_cast<int>(threadIdx.x);
      all += same;
    }
    int32_t* count = token >= 0 ? &s.counts[blockIdx.x * s.V + token] : nullptr;
    if (token >= 0) s.positions[s.first[token] + *count + earlier] = static_cast<int32_t>(r);
    __syncthreads();
    if (token >= 0 && earlier == 0) *count += all;  // the first of its kind, for the next round
    __syncthreads();
  }
}

struct Rows {
  Out table;
  In dy;
  int64_t C;
  float factor;
  Accumulate accumulate;
};

template <int W>
__global__ void add_rows(Rows a, Sorting s) {
  const int64_t v = blockIdx.x;
  const int32_t begin = s.first[v], end = s.first[v + 1];
  const bool adds = a.accumulate.on();
  if (adds && begin == end) return;
  for (int64_t c = int64_t(threadIdx.x) * W; c < a.C; c += int64_t(blockDim.x) * W) {
    float sum[W] = {};
    if (adds) In{a.table.data, a.table.bf16}.template load<W>(v * a.C + c, sum);
    for (int32_t p = begin; p < end; ++p) {
      float d[W];
      a.dy.template load<W>(int64_t(s.positions[p]) * a.C + c, d);
#pragma unroll
      for (int j = 0; j < W; ++j) sum[j] += a.factor * d[j];
    }
    a.table.template store<W>(v * a.C + c, sum);
  }
}

Sorting sorting_of(const OpCall& call) {
  Sorting s{};
  s.tokens = call.inputs[0].i32();
  s.R = call.inputs[0].count;
  s.V = call.outputs[0].count / call.inputs[1].last();
  const int64_t pieces = (s.R + kChunk - 1) / kChunk;
  s.rounds = static_cast<int>((pieces + kMostChunks - 1) / kMostChunks);
  s.chunks = static_cast<int>((pieces + s.rounds - 1) / s.rounds);
  s.counts = static_cast<int32_t*>(call.scratch);
  s.first = s.counts + s.chunks * s.V;
  s.positions = s.first + s.V + 1;
  return s;
}

void launch_embedding_grad(const OpCall& call, const CudaContext& context) {
  const Sorting s = sorting_of(call);
  const char* name = "embeddingGrad";
  expect_success(cudaMemsetAsync(s.counts, 0, static_cast<std::size_t>(s.chunks * s.V) * sizeof(int32_t), context.stream), name);
  launch(context, name, count_tokens, dim3(static_cast<unsigned>(s.chunks)), kChunk, 0, s);
  launch(context, name, sum_over_chunks, dim3(blocks_for(s.V, 256)), 256, 0, s);
  launch(context, name, sum_over_tokens, dim3(1), kScanThreads, kScanThreads * sizeof(int32_t), s);
  launch(context, name, place_positions, dim3(static_cast<unsigned>(s.chunks)), kChunk, kChunk * sizeof(int32_t), s);
  const Rows rows{out(call.outputs[0]), in(call.inputs[1]), call.inputs[1].last(), static_cast<float>(call.attributes[0]),
                  accumulate_of(call, call.attributes[1])};
  const bool wide = rows.C % kWide == 0;
  const int64_t lanes = rows.C / (wide ? kWide : 1);
  const int threads = lanes >= 128 ? 128 : lanes > 32 ? 64 : 32;
  launch(context, name, wide ? add_rows<kWide> : add_rows<1>, dim3(static_cast<unsigned>(s.V)), threads, 0, rows, s);
}

std::size_t scratch_bytes(const OpCall& call) {
  const Sorting s = sorting_of(call);
  return static_cast<std::size_t>(s.chunks * s.V + s.V + 1 + s.R) * sizeof(int32_t);
}

}  // namespace

const OpKernel embedding_kernel = cuda_op("embedding", "factor", launch_embedding);
const OpKernel embedding_grad_kernel = cuda_op("embeddingGrad", "factor,accumulate", launch_embedding_grad, scratch_bytes);

}  // namespace cuda
}  // namespace espalier
