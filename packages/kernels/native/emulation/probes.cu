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
//  15 multiplies registers by a tile read across, into two sets of sums, as it should
//  16 writes those registers before the wait                     17 reads the second set when only the first is waited for
//  18 reverses through shared memory with a named barrier        19 half of its threads do not come
//  22 one warp lets another go on that waits for it, as it should
//  23 nobody lets it                                             24 it does not wait
//  20 reads a line that a bulk copy brings, as it should         21 does not wait for it
#include "cuda/async_copy.h"
#include "cuda/hopper.h"
#include "cuda/launch.h"
#include "cuda/tensor_core.h"
#include "cuda/tensor_map.h"
#include "cuda/warpgroup_products.h"

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
  if (kind == 18) sync_threads(3, kThreads);
  if (kind == 19 && i < kThreads / 2) sync_threads(3, kThreads);
  if (kind == 7 && i == 0) room[kThreads] = 1.0f;
  if (kind != 1 && kind != 18) __syncthreads();
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

// Four warps: a [64 x 16], row - 3 column, in registers; b [16 x 64] the tile of x, whose rows from 2 on are zeros. y = element 1 of
// a b + 2 a b of each of the first threads.
__global__ void registers(float* y, const TensorMap map, int kind) {
  unsigned char* const b = block_memory<unsigned char>();
  uint64_t* const full = reinterpret_cast<uint64_t*>(b + 64 * 128);
  const int lane = static_cast<int>(threadIdx.x) % kWarpSize, row = static_cast<int>(threadIdx.x) / kWarpSize * 16 + lane / 4;
  if (threadIdx.x == 0) {
    init_barrier(full, 1);
    publish_barriers();
  }
  __syncthreads();
  if (threadIdx.x == 0) {
    arrive_expecting(full, 64 * 128);
    copy_tile(b, map, 0, 0, full);
  }
  uint32_t a[2][4];
  for (int i = 0; i < 4; ++i) {
    const auto value = [&](int e) { return static_cast<float>(row + i % 2 * 8 - 3 * (2 * (lane % 4) + i / 2 * 8 + e)); };
    a[0][i] = pack_bf16(value(0), value(1));
    a[1][i] = pack_bf16(2.0f * value(0), 2.0f * value(1));
  }
  wait_phase(full, 0);
  float one[32], two[32];
  fence_products();
  multiply_registers<true>(one, a[0], tile_descriptor(b, 64 * 128), false);
  commit_products();
  multiply_registers<true>(two, a[1], tile_descriptor(b, 64 * 128), false);
  commit_products();
  if (kind == 16) a[1][0] = 0;
  wait_products<1>();
  const float first = one[1], early = two[1];
  wait_products<0>();
  if (threadIdx.x < kThreads) y[threadIdx.x] = first + (kind == 17 ? early : two[1]);
}

// The first warp writes what the second one reads.
__global__ void handed_over(float* y, int kind) {
  float* const room = block_memory<float>();
  const int i = static_cast<int>(threadIdx.x) % kWarpSize;
  if (threadIdx.x < kWarpSize) {
    for (int at = i; at < kThreads; at += kWarpSize) room[at] = static_cast<float>(at);
    if (kind != 23) arrive_threads(3, kThreads);
    return;
  }
  if (kind != 24) sync_threads(3, kThreads);
  for (int at = i; at < kThreads; at += kWarpSize) y[at] = room[kThreads - 1 - at];
}

// The line is x.
__global__ void line(float* y, const float* x, int kind) {
  float* const room = block_memory<float>();
  uint64_t* const full = reinterpret_cast<uint64_t*>(room + kThreads);
  if (threadIdx.x == 0) {
    init_barrier(full, 1);
    publish_barriers();
    arrive_expecting(full, kThreads * sizeof(float));
    copy_line(room, x, kThreads * sizeof(float), full);
  }
  __syncthreads();
  if (kind == 20) wait_phase(full, 0);
  y[threadIdx.x] = room[threadIdx.x];
}

void launch_probe(const OpCall& call, const CudaContext& context) {
  const int kind = static_cast<int>(call.attributes[0]);
  if (kind >= 22) return launch(context, "emulationProbe", handed_over, dim3(1), kThreads, kThreads * sizeof(float), call.outputs[0].f32(), kind);
  if (kind >= 20) return launch(context, "emulationProbe", line, dim3(1), kThreads, kThreads * sizeof(float) + 8, call.outputs[0].f32(), static_cast<const float*>(call.inputs[0].f32()), kind);
  if (kind >= 15 && kind <= 17) {
    TensorMap map{};
    describe_matrix(map, call.inputs[0].data, 2, 64, 64, 64);
    return launch(context, "emulationProbe", registers, dim3(1), 128, 64 * 128 + 8, call.outputs[0].f32(), map, kind);
  }
  if (kind >= 10 && kind <= 14) {
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
