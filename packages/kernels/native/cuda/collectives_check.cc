// collectives_check.cc -- one rank alone: whether the prototypes of nccl.h are those of the library that is there.
#include <cstdint>
#include <cstring>
#include <vector>

#include "cuda/launch.h"
#include "cuda/nccl.h"
#include "executor/device.h"
#include "executor/memory.h"

namespace espalier {

namespace {

constexpr std::size_t kNumbers = 1000;

// Of one rank the sums are the numbers themselves: whatever bits they had are there again, and those behind them are as they were.
void check_format(Communicator& alone, cudaStream_t stream, bool bf16) {
  const std::size_t bytes = kNumbers * (bf16 ? 2 : 4);
  std::vector<uint8_t> given(bytes + 64), found(bytes + 64);
  for (std::size_t i = 0; i < kNumbers; ++i) {
    const float value = static_cast<float>(i) - 500.0f;  // exact in both formats up to 256, else rounded towards zero
    uint32_t word;
    std::memcpy(&word, &value, 4);
    const uint16_t half = static_cast<uint16_t>(word >> 16);
    if (bf16) std::memcpy(&given[2 * i], &half, 2);
    else std::memcpy(&given[4 * i], &word, 4);
  }
  Memory memory(given.size());
  if (!memory.data()) throw Failure{ESPALIER_OUT_OF_MEMORY, "collectives: there is no memory for 4 KB on the device."};
  device_write(memory.data(), given.data(), given.size());
  alone.sum(memory.data(), kNumbers, bf16, stream);
  expect_success(cudaStreamSynchronize(stream), "summing over ranks");
  device_read(found.data(), memory.data(), found.size());
  if (found != given) {
    throw Failure{ESPALIER_DEVICE, std::string("collectives: the sums of one rank in ") + (bf16 ? "bf16" : "fp32") +
                  " are other numbers than it gave. NCCL is of a version with other constants: install another."};
  }
}

struct OwnStream {
  OwnStream() { expect_success(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "creating a stream"); }
  ~OwnStream() { cudaStreamDestroy(stream); }
  OwnStream(const OwnStream&) = delete;
  OwnStream& operator=(const OwnStream&) = delete;
  cudaStream_t stream = nullptr;
};

}  // namespace

void check_collectives() {
  nccl();  // says what was tried before anything of the device is asked for
  const OwnStream own;
  Communicator alone(1, Communicator::new_id(), 0);
  check_format(alone, own.stream, false);
  check_format(alone, own.stream, true);
}

}  // namespace espalier
