// emulation.h -- CUDA on the CPU, for tests: what a .cu file needs to be compiled as C++ and run.
//
// A block runs as one fiber a thread on one OS thread; blocks run one after the other, launches one at a time in the
// whole process. A thread runs until it waits (__syncthreads, a warp operation, mma, ldmatrix); which one runs next is
// decided by a seed: 0 in order, others shuffled anew at every turn, so that a missing barrier shows under some seed.
// What the emulation finds:
//   - barriers that not all live threads of a block reach, and warp operations whose named lanes do not all take part:
//     reported with kernel, block and who waits where, instead of a hang;
//   - reads of shared memory before it is written: it is poisoned with not-a-numbers at the start of every block;
//   - reads of asynchronous copies before their wait: the target is poisoned until then, and the source is read only then;
//   - shared memory beyond what the launch asked for (a guard behind it is checked), misaligned vector copies.
// What it cannot find is listed in README.md beside this file.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>

#include "emulation/runtime.h"

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)
#define __grid_constant__
#define __align__(n) __attribute__((aligned(n)))

struct uint3 {
  unsigned x, y, z;
};
struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
};
struct __align__(16) float4 {
  float x, y, z, w;
};
struct __align__(16) uint4 {
  unsigned x, y, z, w;
};
struct __align__(8) float2 {
  float x, y;
};
struct __align__(8) uint2 {
  unsigned x, y;
};
inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }
inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) { return {x, y, z, w}; }
inline uint2 make_uint2(unsigned x, unsigned y) { return {x, y}; }

namespace espalier {
namespace emulation {

constexpr int kWarp = 32;
constexpr std::size_t kMostShared = 227 * 1024;  // of a Hopper block; 163 KB on sm_80, see kernels that ask for more

// The running thread, and what its block shares.
struct Position {
  uint3 thread, block;
  dim3 block_dim, grid_dim;
  char* shared;
};
extern Position here;

// Waits until every live thread of the block is here.
void block_barrier();
// Waits until `threads` threads of the block are at the barrier of this number, 1 to 15.
void named_barrier(unsigned number, unsigned threads);
void named_arrive(unsigned number, unsigned threads);  // without waiting
// Leaves `bytes` for the lanes of `mask` to see and waits until all of them have; `lane_bytes(l)` is then theirs, until
// this lane's next exchange but one.
void warp_exchange(unsigned mask, const void* mine, std::size_t bytes);
const void* lane_bytes(int lane);

void async_copy(void* target, const void* source, int bytes, int source_bytes);
void commit_group();
void wait_group(int pending);

// Runs a grid; throws std::runtime_error with what went wrong. Waits for other launches of the process.
void run_grid(const char* kernel, dim3 grid, dim3 block, std::size_t shared_bytes, const std::function<void()>& thread);
// For launches from this OS thread.
void set_seed(uint64_t seed);
// The seed's: true one time in four, always without one.
bool chance();

template <class T>
T exchanged(unsigned mask, T value, int source_lane) {
  static_assert(sizeof(T) <= 8, "shuffles move 4 or 8 bytes");
  warp_exchange(mask, &value, sizeof(T));
  T result;
  std::memcpy(&result, lane_bytes(source_lane), sizeof(T));
  return result;
}
inline int lane() { return static_cast<int>((here.thread.x + here.block_dim.x * (here.thread.y + here.block_dim.y * here.thread.z)) % kWarp); }

}  // namespace emulation
}  // namespace espalier

#define threadIdx (::espalier::emulation::here.thread)
#define blockIdx (::espalier::emulation::here.block)
#define blockDim (::espalier::emulation::here.block_dim)
#define gridDim (::espalier::emulation::here.grid_dim)

inline void __syncthreads() { espalier::emulation::block_barrier(); }
inline void __syncwarp(unsigned mask = ~0u) { espalier::emulation::warp_exchange(mask, nullptr, 0); }
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int lane_mask) {
  return espalier::emulation::exchanged(mask, value, espalier::emulation::lane() ^ lane_mask);
}
template <class T>
T __shfl_sync(unsigned mask, T value, int source) {
  return espalier::emulation::exchanged(mask, value, source & 31);
}
template <class T>
T __shfl_up_sync(unsigned mask, T value, unsigned delta) {
  const int source = espalier::emulation::lane() - static_cast<int>(delta);
  return espalier::emulation::exchanged(mask, value, source < 0 ? espalier::emulation::lane() : source);
}
template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned delta) {
  const int source = espalier::emulation::lane() + static_cast<int>(delta);
  return espalier::emulation::exchanged(mask, value, source > 31 ? espalier::emulation::lane() : source);
}

// One OS thread runs the blocks, so plain arithmetic is atomic; the order is the seed's.
inline int atomicAdd(int* at, int value) {
  const int old = *at;
  *at += value;
  return old;
}
inline unsigned atomicAdd(unsigned* at, unsigned value) {
  const unsigned old = *at;
  *at += value;
  return old;
}

template <class T>
T __ldg(const T* at) { return *at; }
inline float rsqrtf(float x) { return 1.0f / std::sqrt(x); }
inline float __expf(float x) { return std::exp(x); }
inline float __fdividef(float a, float b) { return a / b; }
inline float __int_as_float(int bits) { float x; std::memcpy(&x, &bits, 4); return x; }
inline int __float_as_int(float x) { int bits; std::memcpy(&bits, &x, 4); return bits; }
inline float __uint_as_float(unsigned bits) { float x; std::memcpy(&x, &bits, 4); return x; }
inline unsigned __float_as_uint(float x) { unsigned bits; std::memcpy(&bits, &x, 4); return bits; }
using std::max;
using std::min;
