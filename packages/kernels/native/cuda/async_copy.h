// async_copy.h -- copies of 16 bytes from global to shared memory that go on while the thread computes (cp.async, sm_80).
//
// A thread's copies form groups; after wait_async<n>() all but its newest n groups have landed for this thread, and after
// a barrier for the block.
#pragma once
#include "cuda/platform.h"

namespace espalier {
namespace cuda {

// Both addresses must be multiples of 16. Of the 16 bytes the first `source_bytes` are read, the rest become 0.
__device__ __forceinline__ void copy_async_16(void* shared, const void* global, int source_bytes = 16) {
#if defined(ESPALIER_EMULATED)
  emulation::async_copy(shared, global, 16, source_bytes);
#else
  const unsigned target = static_cast<unsigned>(__cvta_generic_to_shared(shared));
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(target), "l"(global), "r"(source_bytes) : "memory");
#endif
}

__device__ __forceinline__ void commit_async() {
#if defined(ESPALIER_EMULATED)
  emulation::commit_group();
#else
  asm volatile("cp.async.commit_group;" ::: "memory");
#endif
}

template <int kPending>
__device__ __forceinline__ void wait_async() {
#if defined(ESPALIER_EMULATED)
  emulation::wait_group(kPending);
#else
  asm volatile("cp.async.wait_group %0;" ::"n"(kPending) : "memory");
#endif
}

}  // namespace cuda
}  // namespace espalier
