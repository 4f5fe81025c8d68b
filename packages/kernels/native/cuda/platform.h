// platform.h -- CUDA, or its emulation on the CPU: what every .cu file and the CUDA executor include first.
#pragma once
#if defined(ESPALIER_EMULATED)
#include "emulation/emulation.h"
#else
#include <cuda_runtime.h>
#endif

#include <cstddef>
#include <cstdint>

#if defined(ESPALIER_EMULATED) || defined(__CUDACC__)
namespace espalier {

// The dynamic shared memory of the running block, aligned to 1024 bytes.
template <class T>
__device__ __forceinline__ T* block_memory() {
#if defined(ESPALIER_EMULATED)
  return reinterpret_cast<T*>(emulation::here.shared);
#else
  extern __shared__ __align__(1024) char espalier_shared[];
  return reinterpret_cast<T*>(espalier_shared);
#endif
}

}  // namespace espalier
#endif
