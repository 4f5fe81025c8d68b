// device.cc -- executor/device.h and memory.h on a CUDA device.
#include "executor/device.h"

#include <string>
#include <utility>

#include "cuda/device.h"
#include "cuda/libraries.h"
#include "executor/memory.h"

namespace espalier {

CudaStreams::CudaStreams(uint64_t seed) : seed(seed) {
  expect_success(cudaStreamCreateWithFlags(&compute, cudaStreamNonBlocking), "creating a stream");
  expect_success(cudaStreamCreateWithFlags(&copy, cudaStreamNonBlocking), "creating a stream");
}

CudaStreams::~CudaStreams() {
  if (compute) cudaStreamDestroy(compute);
  if (copy) cudaStreamDestroy(copy);
}

// A device has no use for a number of threads; the emulation takes it as its seed: 1 is the order of the threads.
std::shared_ptr<void> open_device(int num_threads) {
  return std::make_shared<CudaStreams>(static_cast<uint64_t>(num_threads - 1));
}

std::size_t runs_under_way() { return 2; }
bool stores_bf16() { return true; }

const char* device_summary() {
  static const std::string summary = [] {
    int count = 0;
    const cudaError_t error = cudaGetDeviceCount(&count);
    if (error != cudaSuccess) return std::string("no CUDA device: ") + cudaGetErrorString(error);
#if defined(ESPALIER_EMULATED)
    std::string text = "CUDA emulated on the CPU, for tests";
#else
    if (count == 0) return std::string("no CUDA device");
    cudaDeviceProp properties{};
    if (cudaGetDeviceProperties(&properties, 0) != cudaSuccess) return std::string("a CUDA device that does not answer");
    std::string text = std::string(properties.name) + ", compute capability " + std::to_string(properties.major) + "." +
                       std::to_string(properties.minor) + ", " + std::to_string(properties.totalGlobalMem >> 20) + " MiB" +
                       (count > 1 ? ", the first of " + std::to_string(count) : "");
#endif
    return text + "; " + libraries_summary();
  }();
  return summary.c_str();
}

void device_write(void* target, const void* source, std::size_t bytes) {
  expect_success(cudaMemcpy(target, source, bytes, cudaMemcpyHostToDevice), "copying to the device");
  // The copy may still be on its way from a staging buffer, and the executor's streams do not wait for the default one.
  expect_success(cudaStreamSynchronize(nullptr), "copying to the device");
}

void device_read(void* target, const void* source, std::size_t bytes) {
  expect_success(cudaMemcpy(target, source, bytes, cudaMemcpyDeviceToHost), "copying from the device");
}

Memory::Memory(std::size_t bytes) : bytes_(bytes) {
  const std::size_t wanted = bytes ? bytes : 1;
  if (cudaMalloc(&base_, wanted) != cudaSuccess) {
    cudaGetLastError();
    base_ = nullptr;
    return;
  }
  data_ = static_cast<char*>(base_);
  expect_success(cudaMemset(base_, 0, wanted), "clearing memory");
  expect_success(cudaStreamSynchronize(nullptr), "clearing memory");
}

Memory::~Memory() {
  if (base_) cudaFree(base_);
}

Memory::Memory(Memory&& other) noexcept { *this = std::move(other); }

Memory& Memory::operator=(Memory&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(bytes_, other.bytes_);
  std::swap(base_, other.base_);
  return *this;
}

}  // namespace espalier
