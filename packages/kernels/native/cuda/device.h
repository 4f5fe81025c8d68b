// device.h -- the streams of one executor.
#pragma once
#include "cuda/launch.h"

namespace espalier {

struct CudaStreams {
  explicit CudaStreams(uint64_t seed);
  ~CudaStreams();
  CudaStreams(const CudaStreams&) = delete;
  CudaStreams& operator=(const CudaStreams&) = delete;

  cudaStream_t compute = nullptr;
  cudaStream_t copy = nullptr;  // inputs of the next run, while the compute stream is busy
  // Of the emulation alone: the order in which threads run (emulation.h).
  uint64_t seed;
};

}  // namespace espalier
