// launch.h -- how the host side of an op puts kernels into the stream of an executor.
#pragma once
#include <string>
#include <type_traits>

#include "cuda/platform.h"
#include "espalier.h"
#include "executor/op.h"
#include "executor/status.h"

namespace espalier {

class CublasLt;

// What launches need of an executor.
struct CudaContext {
  cudaStream_t stream;
};

inline void expect_success(cudaError_t error, const char* where) {
  if (error == cudaSuccess) return;
  const int32_t status = error == cudaErrorMemoryAllocation ? ESPALIER_OUT_OF_MEMORY : ESPALIER_DEVICE;
  const std::string sentence = cudaGetErrorString(error);
  cudaGetLastError();  // it has been told
  throw Failure{status, std::string(where) + ": " + sentence};
}

// Puts kernel(arguments...) into the stream, in blocks of `threads` threads with `shared_bytes` of dynamic shared memory.
// A grid without blocks is no launch. Throws Failure when the launch is refused.
template <class... Parameters, class... Arguments>
void launch(const CudaContext& context, const char* name, void (*kernel)(Parameters...), dim3 grid, int threads,
            std::size_t shared_bytes, Arguments... arguments) {
  if (grid.x == 0 || grid.y == 0 || grid.z == 0) return;
#if defined(ESPALIER_EMULATED)
  const cudaError_t error = emulation::enqueue(context.stream, [=] {
    emulation::run_grid(name, grid, dim3(static_cast<unsigned>(threads)), shared_bytes, [=] { kernel(arguments...); });
  });
#else
  const void* const function = reinterpret_cast<const void*>(kernel);
  if (shared_bytes > 48 * 1024) {  // beyond the default a kernel must be told
    expect_success(cudaFuncSetAttribute(function, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(shared_bytes)), name);
  }
  // By value, in the types that the kernel has them.
  const auto launch_with = [&](std::decay_t<Parameters>... values) {
    void* pointers[] = {&values...};
    return cudaLaunchKernel(function, grid, dim3(static_cast<unsigned>(threads)), pointers, shared_bytes, context.stream);
  };
  const cudaError_t error = launch_with(arguments...);
#endif
  expect_success(error, name);
}

inline unsigned blocks_for(int64_t items, int64_t per_block) { return static_cast<unsigned>((items + per_block - 1) / per_block); }

// The registry's entry of an op with one launch function.
constexpr OpKernel cuda_op(const char* name, const char* attributes, void (*launch)(const OpCall&, const CudaContext&),
                           std::size_t (*scratch_bytes)(const OpCall&) = nullptr) {
  return {name, attributes, nullptr, nullptr, nullptr, scratch_bytes, nullptr, nullptr, nullptr, nullptr, launch};
}

}  // namespace espalier
