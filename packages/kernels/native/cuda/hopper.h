// hopper.h -- what sm_90a has for products: barriers with phases (mbarrier), bulk copies of tensor tiles (cp.async.bulk.tensor)
// and products of a warpgroup of four warps whose factors lie in shared memory (wgmma), as functions that the emulation has too.
//
// Tiles are rows of 64 bf16 (128 bytes) in the 128-byte swizzle: of the 16-byte columns of row r, column c lies at c ^ (r % 8).
// A tile begins at a multiple of 1024 bytes.
#pragma once
#include "cuda/platform.h"
#if defined(ESPALIER_EMULATED)
#include "emulation/hopper.h"
#endif

// Only machine code for sm_90a has these instructions; other code of a library gets kernels without a body.
#if defined(ESPALIER_EMULATED) || defined(__CUDA_ARCH_FEAT_SM90_ALL)
#define ESPALIER_HOPPER 1
#endif

namespace espalier {
namespace cuda {

// A row-major matrix of bf16 and the box that one copy takes of it, as the driver describes it (a CUtensorMap).
struct alignas(64) TensorMap {
  unsigned char bytes[128];
};

#if defined(ESPALIER_HOPPER) && (defined(ESPALIER_EMULATED) || defined(__CUDACC__))

__device__ __forceinline__ unsigned shared_place(const void* pointer) {
#if defined(ESPALIER_EMULATED)
  return emulation::shared_address(pointer);
#else
  return static_cast<unsigned>(__cvta_generic_to_shared(pointer));
#endif
}

// A phase ends after `arrivals` arrivals and all bytes that were announced in it.
__device__ __forceinline__ void init_barrier(uint64_t* barrier, unsigned arrivals) {
#if defined(ESPALIER_EMULATED)
  emulation::barrier_init(barrier, arrivals);
#else
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(shared_place(barrier)), "r"(arrivals) : "memory");
#endif
}

// Makes initialised barriers visible to bulk copies; a __syncthreads follows, for the threads.
__device__ __forceinline__ void publish_barriers() {
#if !defined(ESPALIER_EMULATED)
  asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
#endif
}

__device__ __forceinline__ void arrive(uint64_t* barrier) {
#if defined(ESPALIER_EMULATED)
  emulation::barrier_arrive(barrier);
#else
  asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(shared_place(barrier)) : "memory");
#endif
}

__device__ __forceinline__ void arrive_expecting(uint64_t* barrier, unsigned bytes) {
#if defined(ESPALIER_EMULATED)
  emulation::barrier_arrive_expecting(barrier, bytes);
#else
  asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(shared_place(barrier)), "r"(bytes) : "memory");
#endif
}

// Waits until the phase of this parity has ended: the first of a barrier has parity 0.
__device__ __forceinline__ void wait_phase(uint64_t* barrier, unsigned parity) {
#if defined(ESPALIER_EMULATED)
  emulation::barrier_wait(barrier, parity);
#else
  asm volatile(
      "{\n"
      ".reg .pred done;\n"
      "again_%=:\n"
      "mbarrier.try_wait.parity.shared::cta.b64 done, [%0], %1;\n"
      "@done bra ended_%=;\n"
      "bra again_%=;\n"
      "ended_%=:\n"
      "}" ::"r"(shared_place(barrier)), "r"(parity) : "memory");
#endif
}

// The box at (row, column) of the matrix, zeros where there is none; its bytes arrive at the barrier. Issued by one thread.
__device__ __forceinline__ void copy_tile(void* target, const TensorMap& map, int column, int row, uint64_t* barrier) {
#if defined(ESPALIER_EMULATED)
  emulation::TileMap tile;
  std::memcpy(&tile, map.bytes, sizeof(tile));
  emulation::bulk_copy(target, tile, column, row, 0, barrier);
#else
  asm volatile("cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%0], [%1, {%3, %4}], [%2];" ::"r"(shared_place(target)),
               "l"(&map), "r"(shared_place(barrier)), "r"(column), "r"(row)
               : "memory");
#endif
}
// Of one of several matrices.
__device__ __forceinline__ void copy_tile(void* target, const TensorMap& map, int column, int row, int matrix, uint64_t* barrier) {
#if defined(ESPALIER_EMULATED)
  emulation::TileMap tile;
  std::memcpy(&tile, map.bytes, sizeof(tile));
  emulation::bulk_copy(target, tile, column, row, matrix, barrier);
#else
  asm volatile("cp.async.bulk.tensor.3d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%0], [%1, {%3, %4, %5}], [%2];" ::"r"(shared_place(target)),
               "l"(&map), "r"(shared_place(barrier)), "r"(column), "r"(row), "r"(matrix)
               : "memory");
#endif
}
// Bytes as they lie: addresses and size are multiples of 16.
__device__ __forceinline__ void copy_line(void* target, const void* source, int bytes, uint64_t* barrier) {
#if defined(ESPALIER_EMULATED)
  emulation::bulk_copy_line(target, source, bytes, barrier);
#else
  asm volatile("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];" ::"r"(shared_place(target)), "l"(source), "r"(bytes),
               "r"(shared_place(barrier))
               : "memory");
#endif
}

// After threads have written into shared memory what products are to read.
__device__ __forceinline__ void publish_writes() {
#if !defined(ESPALIER_EMULATED)
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
#endif
}

// A barrier of `threads` threads, whole warps; numbers are 1 to 15.
__device__ __forceinline__ void sync_threads(int number, int threads) {
#if defined(ESPALIER_EMULATED)
  emulation::named_barrier(static_cast<unsigned>(number), static_cast<unsigned>(threads));
#else
  asm volatile("bar.sync %0, %1;" ::"r"(number), "r"(threads) : "memory");
#endif
}

// Counts as being there, as whole warps, without waiting: for threads that let others go on.
__device__ __forceinline__ void arrive_threads(int number, int threads) {
#if defined(ESPALIER_EMULATED)
  emulation::named_arrive(static_cast<unsigned>(number), static_cast<unsigned>(threads));
#else
  asm volatile("bar.arrive %0, %1;" ::"r"(number), "r"(threads) : "memory");
#endif
}

// A factor as wgmma finds it. Along k, rows are M or N, 8 of them take 1024 bytes. Across, rows are k; blocks of 64 along M or
// N are `block_bytes` apart.
__device__ __forceinline__ uint64_t tile_descriptor(const void* start, unsigned block_bytes) {
  constexpr uint64_t kGroupBytes = 1024, kSwizzle128 = uint64_t(1) << 62;
  return (shared_place(start) >> 4 & 0x3fffu) | uint64_t(block_bytes >> 4) << 16 | (kGroupBytes >> 4) << 32 | kSwizzle128;
}

// Before the first product, and whenever sums were touched by anything else.
__device__ __forceinline__ void fence_products() {
#if !defined(ESPALIER_EMULATED)
  asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
#endif
}
__device__ __forceinline__ void commit_products() {
#if defined(ESPALIER_EMULATED)
  emulation::commit_products();
#else
  asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
#endif
}
// All but the newest kPending groups have been computed; sums may be read when none is under way.
template <int kPending>
__device__ __forceinline__ void wait_products() {
#if defined(ESPALIER_EMULATED)
  emulation::wait_products(kPending);
#else
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(kPending) : "memory");
#endif
}

// Keeps the compiler from moving reads and writes of these registers across this place: it does not know when products write.
template <int kCount>
__device__ __forceinline__ void hold([[maybe_unused]] float (&registers)[kCount]) {
#if !defined(ESPALIER_EMULATED)
#pragma unroll
  for (int i = 0; i < kCount; ++i) asm volatile("" : "+f"(registers[i])::"memory");
#endif
}
template <int kCount>
__device__ __forceinline__ void hold([[maybe_unused]] uint32_t (&registers)[kCount]) {
#if !defined(ESPALIER_EMULATED)
#pragma unroll
  for (int i = 0; i < kCount; ++i) asm volatile("" : "+r"(registers[i])::"memory");
#endif
}

// Registers of a thread of this warpgroup, from here on.
template <int kRegisters>
__device__ __forceinline__ void take_registers() {
#if !defined(ESPALIER_EMULATED)
  asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(kRegisters));
#endif
}
template <int kRegisters>
__device__ __forceinline__ void give_registers() {
#if !defined(ESPALIER_EMULATED)
  asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(kRegisters));
#endif
}

// d [64 x 256] += a b, 16 deep, in fp32: issued by all four warps. Of warp w and lane l a thread has, for j below 32,
//   d[4j], d[4j+1]: row 16 w + l / 4, columns 8 j + 2 (l % 4) and the next;  d[4j+2], d[4j+3]: eight rows below.
template <bool kAAcross, bool kBAcross>
__device__ __forceinline__ void multiply_64x256(float (&d)[128], uint64_t a, uint64_t b) {
#if defined(ESPALIER_EMULATED)
  emulation::warpgroup_product(d, 256, {a, kAAcross, nullptr}, b, kBAcross, true);
#else
#define ESPALIER_EIGHT(i) "+f"(d[i]), "+f"(d[i + 1]), "+f"(d[i + 2]), "+f"(d[i + 3]), "+f"(d[i + 4]), "+f"(d[i + 5]), "+f"(d[i + 6]), "+f"(d[i + 7])
  asm volatile(
      "{\n"
      ".reg .pred adds;\n"
      "setp.ne.b32 adds, 1, 0;\n"
      "wgmma.mma_async.sync.aligned.m64n256k16.f32.bf16.bf16 {"
      "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
      "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, "
      "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, "
      "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63, "
      "%64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79, "
      "%80, %81, %82, %83, %84, %85, %86, %87, %88, %89, %90, %91, %92, %93, %94, %95, "
      "%96, %97, %98, %99, %100, %101, %102, %103, %104, %105, %106, %107, %108, %109, %110, %111, "
      "%112, %113, %114, %115, %116, %117, %118, %119, %120, %121, %122, %123, %124, %125, %126, %127"
      "}, %128, %129, adds, 1, 1, %130, %131;\n"
      "}"
      : ESPALIER_EIGHT(0), ESPALIER_EIGHT(8), ESPALIER_EIGHT(16), ESPALIER_EIGHT(24), ESPALIER_EIGHT(32), ESPALIER_EIGHT(40), ESPALIER_EIGHT(48),
        ESPALIER_EIGHT(56), ESPALIER_EIGHT(64), ESPALIER_EIGHT(72), ESPALIER_EIGHT(80), ESPALIER_EIGHT(88), ESPALIER_EIGHT(96), ESPALIER_EIGHT(104),
        ESPALIER_EIGHT(112), ESPALIER_EIGHT(120)
      : "l"(a), "l"(b), "n"(kAAcross ? 1 : 0), "n"(kBAcross ? 1 : 0));
#undef ESPALIER_EIGHT
#endif
}

#endif  // of device code

}  // namespace cuda
}  // namespace espalier
