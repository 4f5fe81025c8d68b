// rotary_cuda.cu -- see rotary.h. A table of scaled sines and cosines [T, D/2], in double precision and then rounded, is
// made first: all sequences and heads use it, and it stays in L2.
#include "ops/rotary.h"

#include "cuda/elementwise.h"

namespace espalier {
namespace cuda {
namespace {

struct Table {
  float2* rows;  // (cos, sin)
  In frequencies;
  bool xpos, inverse;
  double side, base, scale_base, gamma, centre;
  int64_t half;

  template <int W>
  __device__ void at(int64_t index) const {
#pragma unroll
    for (int j = 0; j < W; ++j) {
      const int64_t i = (index + j) % half, n = (index + j) / half;
      const double share = static_cast<double>(i) / static_cast<double>(half);
      const double frequency = frequencies.data ? static_cast<double>(frequencies[i]) : pow(base, -share);
      const double angle = (inverse ? -frequency : frequency) * static_cast<double>(n);
      const double scale = xpos ? pow((share + gamma) / (1.0 + gamma), side * (static_cast<double>(n) - centre) / scale_base) : 1.0;
      rows[index + j] = {static_cast<float>(scale * cos(angle)), static_cast<float>(scale * sin(angle))};
    }
  }
};

// Element numbers are those of the first halves of all heads: [B, T, heads, D/2].
struct Turn {
  Out y;
  In x;
  const float2* table;
  int64_t T, heads, half;

  template <int W>
  __device__ void at(int64_t index) const {
    const int64_t i = index % half, row = index / half, n = row / heads % T;
    const int64_t low = row * 2 * half + i;
    float u[W], v[W];
    x.load<W>(low, u);
    x.load<W>(low + half, v);
#pragma unroll
    for (int j = 0; j < W; ++j) {
      const float2 turn = table[n * half + i + j];
      const float first = u[j] * turn.x - v[j] * turn.y;
      v[j] = v[j] * turn.x + u[j] * turn.y;
      u[j] = first;
    }
    y.store<W>(low, u);
    y.store<W>(low + half, v);
  }
};

void launch_rotary(const OpCall& call, const CudaContext& context) {
  const double* attributes = call.attributes;
  const int64_t T = call.inputs[0].dims[1], heads = call.inputs[0].dims[2], half = call.inputs[0].dims[3] / 2;
  const Table table{static_cast<float2*>(call.scratch), in_or_none(call, 1), attributes[0] != 0.0, attributes[6] != 0.0,
                    attributes[1], attributes[2], attributes[3], attributes[4], attributes[5], half};
  launch_elementwise(context, "rotary table", table, T * half, false);
  const Turn turn{out(call.outputs[0]), in(call.inputs[0]), table.rows, T, heads, half};
  launch_elementwise(context, "rotary", turn, call.inputs[0].count / 2, half % kWide == 0);
}

std::size_t scratch_bytes(const OpCall& call) {
  return static_cast<std::size_t>(call.inputs[0].dims[1] * (call.inputs[0].dims[3] / 2)) * sizeof(float2);
}

}  // namespace

const OpKernel rotary_kernel = cuda_op("rotary", "kind,side,base,scaleBase,gamma,centre,inverse", launch_rotary, scratch_bytes);

}  // namespace cuda
}  // namespace espalier
