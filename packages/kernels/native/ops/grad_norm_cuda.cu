// grad_norm_cuda.cu -- see grad_norm.h. Many tensors a launch: their places travel as a kernel argument. A block sums the
// squares of 64k elements in double precision, one more block adds the blocks in order.
#include "ops/grad_norm.h"

#include "cuda/device_math.h"
#include "cuda/launch.h"

namespace espalier {
namespace cuda {
namespace {

constexpr int64_t kBlock = 65536;
constexpr int kThreads = 256, kTensors = 96;  // 96 x 32 bytes fit the 4 KB of kernel arguments

struct Part {
  In g;
  int64_t count;
  unsigned first_block;
};
struct Parts {
  Part part[kTensors];
  int num;
  unsigned first_block;  // of this launch, among all
};

__global__ void sum_squares(double* partial, const __grid_constant__ Parts parts) {
  double* room = block_memory<double>();
  int p = 0;
  while (p + 1 < parts.num && parts.part[p + 1].first_block <= blockIdx.x) ++p;
  const Part part = parts.part[p];
  const int64_t begin = int64_t(blockIdx.x - part.first_block) * kBlock, end = min(begin + kBlock, part.count);
  double sum = 0.0;
  for (int64_t i = begin + threadIdx.x; i < end; i += kThreads) {
    const double g = part.g[i];
    sum += g * g;
  }
  sum = block_sum(sum, room);
  if (threadIdx.x == 0) partial[parts.first_block + blockIdx.x] = sum;
}

__global__ void root_of_sum(Out norm, const double* partial, int64_t count) {
  double* room = block_memory<double>();
  double sum = 0.0;
  for (int64_t i = threadIdx.x; i < count; i += kThreads) sum += partial[i];
  sum = block_sum(sum, room);
  if (threadIdx.x == 0) norm.set(0, static_cast<float>(sqrt(sum)));
}

int64_t num_blocks(const OpCall& call) {
  int64_t blocks = 0;
  for (int32_t i = 0; i < call.num_inputs; ++i) blocks += blocks_for(call.inputs[i].count, kBlock);
  return blocks;
}

void launch_grad_norm(const OpCall& call, const CudaContext& context) {
  double* partial = static_cast<double*>(call.scratch);
  constexpr std::size_t kRoom = kThreads / kWarpSize * sizeof(double);
  unsigned done = 0;
  for (int32_t i = 0; i < call.num_inputs;) {
    Parts parts{};
    parts.first_block = done;
    unsigned blocks = 0;
    for (; i < call.num_inputs && parts.num < kTensors; ++i) {
      if (call.inputs[i].count == 0) continue;
      parts.part[parts.num++] = {in(call.inputs[i]), call.inputs[i].count, blocks};
      blocks += blocks_for(call.inputs[i].count, kBlock);
    }
    launch(context, "gradNorm", sum_squares, dim3(blocks), kThreads, kRoom, partial, parts);
    done += blocks;
  }
  launch(context, "gradNorm", root_of_sum, dim3(1), kThreads, kRoom, out(call.outputs[0]), static_cast<const double*>(partial), static_cast<int64_t>(done));
}

std::size_t scratch_bytes(const OpCall& call) { return static_cast<std::size_t>(num_blocks(call)) * sizeof(double); }

}  // namespace

const OpKernel grad_norm_kernel = cuda_op("gradNorm", "", launch_grad_norm, scratch_bytes);

}  // namespace cuda
}  // namespace espalier
