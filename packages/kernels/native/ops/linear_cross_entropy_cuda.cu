// linear_cross_entropy_cuda.cu -- see linear_cross_entropy.h. Rows go in chunks: the logits of a chunk are a product into
// scratch memory, one block a row finds maximum, sum and loss in one pass, and with gradients turns the logits into g in place, from
// which two more products make dx and dHead. At most kMostLogits logits are held. With bf16, x and head are rounded once,
// before the first chunk, and g is written rounded, beside the logits.
#include "ops/linear_cross_entropy.h"

#include "cuda/round_bf16.h"
#include "ops/gemm_cuda.h"

namespace espalier {
namespace cuda {
namespace {

#if defined(ESPALIER_EMULATED)
constexpr int64_t kMostLogits = 1 << 20;  // so that small tests have several chunks
#else
constexpr int64_t kMostLogits = int64_t(1) << 28;
#endif
constexpr int kThreads = 256;

struct Head {
  In x, head, weights;
  const int32_t* targets;
  int64_t R, V, C;
  float factor;
};

struct RowResults {
  Out loss, token_loss, greedy, lse;
};

struct Largest {
  float value;
  int64_t index;
};
// The larger value; of equal ones the first. What is not a number never wins.
__device__ __forceinline__ Largest larger_of(Largest a, Largest b) {
  return b.value > a.value || (b.value == a.value && b.index < a.index) ? b : a;
}

// The largest of some logits, and the sum of exp(logit - largest) over them.
struct Partial {
  Largest largest;
  float sum;

  __device__ __forceinline__ void take(float logit, int64_t index) {
    if (logit > largest.value) {
      sum = sum * expf(largest.value - logit) + 1.0f;
      largest = {logit, index};
    } else {
      sum += expf(logit - largest.value);
    }
  }
};
// In this order of the two, so that rounding does not depend on which thread asks.
__device__ __forceinline__ Partial joined(const Partial& a, const Partial& b) {
  const Largest best = larger_of(a.largest, b.largest);
  const auto scaled = [&](const Partial& p) { return p.largest.value == best.value ? p.sum : p.sum * expf(p.largest.value - best.value); };
  return {best, scaled(a) + scaled(b)};
}

struct RowRoom {
  Partial partial[kThreads / kWarpSize];
};

__device__ __forceinline__ float gradient_of(const Head& h, int64_t r, int64_t v, float logit, float lse) {
  const int64_t target = h.targets[r];
  if (target >= h.V) return nanf("");
  return target < 0 ? 0.0f : h.factor * h.weights[r] * (expf(logit - lse) - (v == target ? 1.0f : 0.0f));
}

// logits [rows, V] of rows first ... of the whole, a block each: one pass for the results, and with gradients another, whose
// reads the cache still has, that writes factor * g in rows of `stride` numbers, those beyond V zero.
template <bool kGradients>
__global__ void __launch_bounds__(kThreads) row_losses(RowResults results, Out gradients, Head h, const float* logits, int64_t first, int64_t stride) {
  RowRoom& room = *block_memory<RowRoom>();
  const int64_t r = first + blockIdx.x;
  const float* row = logits + int64_t(blockIdx.x) * h.V;
  Partial mine{{-INFINITY, h.V}, 0.0f};
  if (h.V % 4 == 0) {
    for (int64_t v = 4 * int64_t(threadIdx.x); v < h.V; v += 4 * kThreads) {
      const float4 four = *reinterpret_cast<const float4*>(row + v);
      mine.take(four.x, v);
      mine.take(four.y, v + 1);
      mine.take(four.z, v + 2);
      mine.take(four.w, v + 3);
    }
  } else {
    for (int64_t v = threadIdx.x; v < h.V; v += kThreads) mine.take(row[v], v);
  }
  const int lane = threadIdx.x % kWarpSize;
#pragma unroll
  for (int s = 1; s < kWarpSize; s *= 2) {
    Partial other;
    other.largest.value = __shfl_xor_sync(~0u, mine.largest.value, s);
    other.largest.index = __shfl_xor_sync(~0u, mine.largest.index, s);
    other.sum = __shfl_xor_sync(~0u, mine.sum, s);
    mine = lane & s ? joined(other, mine) : joined(mine, other);
  }
  if (lane == 0) room.partial[threadIdx.x / kWarpSize] = mine;
  __syncthreads();
  Partial all = room.partial[0];
  for (int w = 1; w < kThreads / kWarpSize; ++w) all = joined(all, room.partial[w]);
  const float lse = all.largest.value + logf(all.sum);
  const int64_t target = h.targets[r];
  if (threadIdx.x == 0) {
    results.lse.set(r, lse);
    results.token_loss.set(r, target < 0 ? 0.0f : target < h.V ? lse - row[target] : nanf(""));
    results.greedy.set(r, target == all.largest.index ? 1.0f : 0.0f);
  }
  if constexpr (kGradients) {
    __syncthreads();  // gradients may lie over the logits, of which the target's has now been read
    for (int64_t v = threadIdx.x; v < stride; v += kThreads) {
      gradients.set(int64_t(blockIdx.x) * stride + v, v < h.V ? gradient_of(h, r, v, row[v], lse) : 0.0f);
    }
  }
}

// factor * g of a chunk, rows of `stride` numbers, those beyond V zero; over the logits when it is fp32.
__global__ void __launch_bounds__(kThreads) logit_gradients(Out gradients, const float* logits, Head h, In lse, int64_t first, int64_t stride) {
  const int64_t r = first + blockIdx.y;
  const int64_t v = int64_t(blockIdx.x) * kThreads + threadIdx.x;
  if (v >= stride) return;
  const float g = v < h.V ? gradient_of(h, r, v, logits[int64_t(blockIdx.y) * h.V + v], lse[r]) : 0.0f;
  gradients.set(int64_t(blockIdx.y) * stride + v, g);
}

__global__ void __launch_bounds__(kThreads) total_loss(RowResults results, Head h) {
  double sum = 0.0;
  for (int64_t r = threadIdx.x; r < h.R; r += kThreads) {
    if (h.targets[r] >= 0) sum += static_cast<double>(h.weights[r]) * static_cast<double>(results.token_loss[r]);
  }
  sum = block_sum(sum, block_memory<double>());
  if (threadIdx.x == 0) results.loss.set(0, static_cast<float>(sum));
}

Head head_of(const OpCall& call) {
  const TensorView& head = call.inputs[1];
  return {in(call.inputs[0]), in(head), in(call.inputs[3]), call.inputs[2].i32(), call.inputs[2].count, head.rows(), head.last(),
          static_cast<float>(call.attributes[0])};
}

int64_t rows_per_chunk(const Head& h) {
  const int64_t fit = kMostLogits / h.V;
  const int64_t rows = fit < 1 ? 1 : fit > 128 ? fit / 128 * 128 : fit;
  const int64_t most = 65535;  // rows are an axis of a grid
  return rows < h.R ? (rows < most ? rows : most) : (h.R < most ? h.R : most);
}

// The last attribute, `bf16`, may be left out: the products on tensor cores.
bool wants_bf16(const OpCall& call, bool gradients) { return call.attributes[gradients ? 2 : 1] != 0; }

std::size_t logits_bytes(const Head& h) { return static_cast<std::size_t>((rows_per_chunk(h) * h.V * 4 + 255) / 256 * 256); }

std::size_t scratch_bytes(const OpCall& call, bool gradients) {
  const Head h = head_of(call);
  const bool bf16 = wants_bf16(call, gradients);
  const int64_t rows = rows_per_chunk(h);
  // Factors come to the products as bf16 with whole rows, so these need no room to round them; but for sums of parts of k, of whole
  // chunks and of the last one.
  std::size_t parts = 0;
  for (const int64_t each : {rows, rows > 0 ? h.R % rows : 0}) {
    if (!bf16 || each == 0) continue;
    for (const std::size_t bytes : {gemm_parts_bytes(each, h.V, h.C), gemm_parts_bytes(each, h.C, h.V), gemm_parts_bytes(h.V, h.C, each)}) {
      if (bytes > parts) parts = bytes;
    }
  }
  const std::size_t products = product_bytes(rows, h.V, h.C, false) + parts;
  return logits_bytes(h) + products + (bf16 ? rounded_bytes(h.R, h.C) + rounded_bytes(h.V, h.C) + (gradients ? rounded_bytes(rows, h.V) : 0) : 0);
}
std::size_t forward_scratch(const OpCall& call) { return scratch_bytes(call, false); }
std::size_t gradient_scratch(const OpCall& call) { return scratch_bytes(call, true); }

// Row `row` of a matrix whose rows are `stride` elements apart.
In rows_from(const In& x, int64_t row, int64_t stride) {
  return {static_cast<const char*>(x.data) + row * stride * (x.bf16 ? 2 : 4), x.bf16};
}

// A factor with its stride.
struct Factor {
  In data;
  int64_t stride;
};

struct Gradients {
  Out dx, d_head;
  Accumulate accumulate;
};

// `results` absent: lse is an input; `gradients` absent: only losses are wanted.
void run_chunks(const OpCall& call, const CudaContext& context, const char* name, const RowResults* results, In lse, const Gradients* gradients) {
  const Head h = head_of(call);
  float* logits = static_cast<float*>(call.scratch);
  const int64_t chunk = rows_per_chunk(h);
  const bool bf16 = wants_bf16(call, gradients != nullptr);
  char* room = static_cast<char*>(call.scratch) + logits_bytes(h);
  const auto factor_of = [&](const In& data, int64_t rows) {
    if (!bf16) return Factor{data, h.C};
    const Rounded made = rounded(context, data, rows, h.C, h.C, room);
    return Factor{{made.data, true}, made.stride};
  };
  const Factor x = factor_of(h.x, h.R), head = factor_of(h.head, h.V);
  Out g{logits, false};
  int64_t g_stride = h.V;
  if (bf16 && gradients) {
    g = {room, true};
    g_stride = padded_row(h.V);
    room += rounded_bytes(chunk, h.V);
  }
  const auto multiply = [&](const Gemm& gemm) { launch_product(context, name, gemm, bf16, room); };
  for (int64_t first = 0; first < h.R; first += chunk) {
    const int64_t rows = h.R - first < chunk ? h.R - first : chunk;
    Gemm product{};
    product.y = {logits, false};
    product.a = rows_from(x.data, first, x.stride);
    product.b = head.data;
    product.M = rows;
    product.N = h.V;
    product.K = h.C;
    product.lda = x.stride;
    product.ldb = head.stride;
    product.trans_b = true;
    product.alpha = h.factor;
    multiply(product);
    const dim3 a_row_each(static_cast<unsigned>(rows));
    const float* const read = logits;
    if (results && gradients) launch(context, name, row_losses<true>, a_row_each, kThreads, sizeof(RowRoom), *results, g, h, read, first, g_stride);
    else if (results) launch(context, name, row_losses<false>, a_row_each, kThreads, sizeof(RowRoom), *results, g, h, read, first, g_stride);
    if (!gradients) continue;
    if (!results) {
      launch(context, name, logit_gradients, dim3(blocks_for(g_stride, kThreads), static_cast<unsigned>(rows)), kThreads, 0, g, read, h, lse, first, g_stride);
    }
    Gemm dx{};
    const In to = rows_from({gradients->dx.data, gradients->dx.bf16}, first, h.C);
    dx.y = {const_cast<void*>(to.data), to.bf16};
    dx.a = {g.data, g.bf16};
    dx.b = head.data;
    dx.M = rows;
    dx.N = h.C;
    dx.ldb = head.stride;
    dx.K = h.V;
    dx.lda = g_stride;
    dx.alpha = 1.0f;
    multiply(dx);
    Gemm d_head{};
    d_head.y = gradients->d_head;
    d_head.a = {g.data, g.bf16};
    d_head.b = rows_from(x.data, first, x.stride);
    d_head.M = h.V;
    d_head.lda = g_stride;
    d_head.N = h.C;
    d_head.ldb = x.stride;
    d_head.K = rows;
    d_head.trans_a = true;
    d_head.alpha = 1.0f;
    d_head.accumulate = first == 0 ? gradients->accumulate : Accumulate{1, nullptr};
    multiply(d_head);
  }
  if (results) launch(context, name, total_loss, dim3(1), kThreads, kThreads / kWarpSize * sizeof(double), *results, h);
}

RowResults results_of(const OpCall& call) { return {out(call.outputs[0]), out(call.outputs[1]), out(call.outputs[2]), out(call.outputs[3])}; }

void launch_forward(const OpCall& call, const CudaContext& context) {
  const RowResults results = results_of(call);
  run_chunks(call, context, "linearCrossEntropy", &results, {}, nullptr);
}

void launch_backward(const OpCall& call, const CudaContext& context) {
  const Gradients gradients{out(call.outputs[0]), out(call.outputs[1]), accumulate_of(call, call.attributes[1])};
  run_chunks(call, context, "linearCrossEntropyGrad", nullptr, in(call.inputs[4]), &gradients);
}

void launch_both(const OpCall& call, const CudaContext& context) {
  const RowResults results = results_of(call);
  const Gradients gradients{out(call.outputs[4]), out(call.outputs[5]), accumulate_of(call, call.attributes[1])};
  run_chunks(call, context, "linearCrossEntropyWithGrad", &results, in(call.outputs[3]), &gradients);
}

}  // namespace

const OpKernel linear_cross_entropy_kernel = cuda_op("linearCrossEntropy", "factor,bf16?", launch_forward, forward_scratch);
const OpKernel linear_cross_entropy_grad_kernel = cuda_op("linearCrossEntropyGrad", "factor,accumulate,bf16?", launch_backward, gradient_scratch);
const OpKernel linear_cross_entropy_with_grad_kernel = cuda_op("linearCrossEntropyWithGrad", "factor,accumulate,bf16?", launch_both, gradient_scratch);

}  // namespace cuda
}  // namespace espalier
