// rotary_at_cuda.cu -- see rotary_at.h. Angles in double precision, then rounded.
#include "ops/rotary_at.h"

#include "cuda/elementwise.h"

namespace espalier {
namespace cuda {
namespace {

struct Angles {
  float* angles;
  const int32_t* positions;
  In frequencies;
  bool xpos;
  double side, base, scale_base, gamma, centre;
  int64_t pairs;

  template <int W>
  __device__ void at(int64_t index) const {
    const int64_t i = index % pairs, r = index / pairs;
    const double n = positions[r], share = static_cast<double>(i) / static_cast<double>(pairs);
    const double angle = n * (frequencies.data ? static_cast<double>(frequencies[i]) : pow(base, -share));
    const double scale = xpos ? pow((share + gamma) / (1.0 + gamma), side * (n - centre) / scale_base) : 1.0;
    angles[2 * r * pairs + i] = static_cast<float>(scale * cos(angle));
    angles[(2 * r + 1) * pairs + i] = static_cast<float>(scale * sin(angle));
  }
};

struct Turn {
  Out y;
  In x;
  const float* angles;
  int64_t heads, half;

  template <int W>
  __device__ void at(int64_t index) const {
    const int64_t i = index % half, head = index / half, r = head / heads;
    const int64_t low = head * 2 * half + i;
    float u[W], v[W];
    x.load<W>(low, u);
    x.load<W>(low + half, v);
#pragma unroll
    for (int j = 0; j < W; ++j) {
      const float c = angles[2 * r * half + i + j], s = angles[(2 * r + 1) * half + i + j];
      const float first = u[j] * c - v[j] * s;
      v[j] = v[j] * c + u[j] * s;
      u[j] = first;
    }
    y.store<W>(low, u);
    y.store<W>(low + half, v);
  }
};

void launch_angles(const OpCall& call, const CudaContext& context) {
  const double* a = call.attributes;
  const int64_t pairs = call.outputs[0].last();
  const Angles f{call.outputs[0].f32(), call.inputs[0].i32(), in_or_none(call, 1), a[1] != 0.0, a[2], a[3], a[4], a[5], a[6], pairs};
  launch_elementwise(context, "rotaryAngles", f, call.inputs[0].count * pairs, false);
}

void launch_turn(const OpCall& call, const CudaContext& context) {
  const int64_t R = call.inputs[1].dims[0], half = call.inputs[1].last();
  if (R == 0) return;
  const Turn f{out(call.outputs[0]), in(call.inputs[0]), call.inputs[1].f32(), call.inputs[0].count / (R * 2 * half), half};
  launch_elementwise(context, "rotaryAt", f, call.inputs[0].count / 2, half % kWide == 0);
}

}  // namespace

const OpKernel rotary_angles_kernel = cuda_op("rotaryAngles", "numPairs,kind,side,base,scaleBase,gamma,centre", launch_angles);
const OpKernel rotary_at_kernel = cuda_op("rotaryAt", "", launch_turn);

}  // namespace cuda
}  // namespace espalier
