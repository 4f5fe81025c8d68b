// probes.cu -- kernels with known faults, as an op of the emulated library alone, so that tests can see each of them found
// (src/emulation.test.ts). `emulationProbe` writes y [64] with attribute `kind`:
//   0 reverses 0 ... 63 through shared memory, as it should       1 without the barrier
//   2 half of the threads reach the barrier                       3 half of a warp takes part in a shuffle
//   4 reads shared memory that nobody wrote                       5 reads an asynchronous copy before its wait
//   6 reads it after                                              7 writes behind its shared memory
//   8 uses one buffer twice without a barrier between             9 multiplies matrices whose product is known
// Of Hopper's: 10 multiplies tiles that bulk copies bring, as it should
//  11 does not wait for the copies                               12 reads the sums before their wait
//  13 has the tile written again before that wait                14 waits for a phase that nobody ends
#include "cuda/async_copy.h"
#include "cuda/hopper.h"
#include "cuda/tensor_map.h"
#include "cuda/launch.h"
#include "cuda/tensor_core.h"

namespace espalier {
namespace cuda {
namespace {

constexpr int kThreads = 64;

__global__ void faulty(float* y, const float* x, int kind) {
  float* room = block_memory<float>();
  const int i = static_cast<int>(threadIdx.x);
  room[i] = kind == 4 ? room[i] : static_cast<float>(i);
  if (kind == 2) {  // the others wait for lanes of their warps that are at the barrier
    if (i % 2) __syncthreads();
    else __syncwarp();
    y[i] = 0.0f;
    return;
  }
  if (kind == 3) {
    y[i] = i % 2 ? __shfl_xor_sync(~0u, 1.0f, 1) : 0.0f;
    return;
  }
  if (kind == 5 || kind == 6) {
    __syncthreads();
    if (i < kThreads / 4) {
      copy_async_16(room + 4 * i, x + 4 * i);
      commit_async();
      if (kind == 6) wait_async<0>();
    }
    __syncthreads();
    y[i] = room[i];
    return;
  }
  if (kind == 7 && i == 0) room[kThreads] = 1.0f;
  if (kind != 1) __syncthreads();
  float value = room[kThreads - 1 - i];
  if (kind == 8) {
    room[i] = 2.0f * static_cast<float>(i);
    __syncthreads();
    value = room[kThreads - 1 - i] - value;
  }
  y[i] = value;
}

// One warp: a [16 x 16] has 1 + row + 2 column, b [16 x 8] the numbers row - 3 column; y = the first 64 of a b, row by row.
__global__ void known_product(float* y) {
  uint16_t* a = block_memory<uint16_t>();
  uint16_t* b = a + 256;
  const int lane = static_cast<int>(threadIdx.x);
  for (int i = lane; i < 256; i += kWarpSize) a[i] = to_bf16(static_cast<float>(1 + i / 16 + 2 * (i % 16)));
  for (int i = lane; i < 128; i += kWarpSize) b[i] = to_bf16(static_cast<float>(i / 8 - 3 * (i % 8)));
  __syncwarp();
  uint32_t fragment_a[4], four[4];
  load_matrices<false>(fragment_a, a + (lane % 16) * 16 + lane / 16 * 8);
  load_matrices<true>(four, b + (lane % 16) * 8);
  const uint32_t fragment_b[2] = {four[0], four[1]};
  float d[4] = {};
  mma_bf16(d, fragment_a, fragment_b);
  const int at = lane / 4 * 8 + 2 * (lane % 4);
  y[at] = d[0];
  y[at + 1] = d[1];
}

// Four warps: x as a matrix of bf16, [2 x 64], padded with zeros to [64 x 64] and [256 x 64]; the product of its first 16
// columns with themselves.
__global__ void tiles(float* y, const TensorMap map_64, const TensorMap map_256, int kind) {
  unsigned char* const a = block_memory<unsigned char>();
  unsigned char* const b = a + 64 * 128;
  uint64_t* const full = reinterpret_cast<uint64_t*>(b + 256 * 128);
  if (threadIdx.x == 0) {
    init_barrier(full, 1);
    publish_barriers();
  }
  __syncthreads();
  const auto fill = [&](int row) {
    arrive_expecting(full, (64 + 256) * 128);
    copy_tile(a, map_64, 0, row, full);
    copy_tile(b, map_256, 0, row, full);
  };
  if (threadIdx.x == 0 && kind != 14) fill(0);
  if (kind != 11) wait_phase(full, 0);
  float sums[128] = {};
  fence_products();
  multiply_64x256<false, false>(sums, tile_descriptor(a, 16), tile_descriptor(b, 16));
  commit_products();
  if (kind == 13) {
    __syncthreads();
    if (threadIdx.x == 0) fill(1);
    wait_phase(full, 1);
  }
  const float early = sums[0];
  wait_products<0>();
  if (threadIdx.x < kThreads) y[threadIdx.x] = kind == 12 ? early : sums[0];
}

void launch_probe(const OpCall& call, const CudaContext& context) {
  const int kind = static_cast<int>(call.attributes[0]);
  if (kind >= 10) {
    TensorMap map_64{}, map_256{};
    describe_matrix(map_64, call.inputs[0].data, 2, 64, 64, 64);
    describe_matrix(map_256, call.inputs[0].data, 2, 64, 64, 256);
    launch(context, "emulationProbe", tiles, dim3(1), 128, (64 + 256) * 128 + 8, call.outputs[0].f32(), map_64, map_256, kind);
    return;
  }
  if (kind == 9) launch(context, "emulationProbe", known_product, dim3(1), kWarpSize, 768, call.outputs[0].f32());
  else launch(context, "emulationProbe", faulty, dim3(1), kThreads, kThreads * sizeof(float), call.outputs[0].f32(), static_cast<const float*>(call.inputs[0].f32()), kind);
}

}  // namespace

extern const OpKernel emulation_probe_kernel;
const OpKernel emulation_probe_kernel = cuda_op("emulationProbe", "kind", launch_probe);

}  // namespace cuda
}  // namespace espalier
