// nccl.h -- NVIDIA's collectives, opened at run time with prototypes of our own (nccl.h of NCCL 2).
#pragma once
#include <cstddef>
#include <string>

#include "cuda/platform.h"

namespace espalier {

constexpr std::size_t kNcclIdBytes = 128;
struct NcclId {
  char bytes[kNcclIdBytes];
};

// The functions that data-parallel training needs; ranks share the id over any channel.
struct Nccl {
  int version;  // 22703 is 2.27.3
  int (*get_unique_id)(NcclId* id);
  int (*comm_init_rank)(void** comm, int num_ranks, NcclId id, int rank);
  int (*comm_destroy)(void* comm);
  int (*all_reduce)(const void* send, void* receive, std::size_t count, int dtype, int operation, void* comm, cudaStream_t stream);
  const char* (*get_error_string)(int status);
};
constexpr int kNcclFloat32 = 7, kNcclBfloat16 = 9, kNcclSum = 0;

// Opened when first asked for. Throws Failure (ESPALIER_UNSUPPORTED) that says what was tried, or which function is missing.
const Nccl& nccl();

// "NCCL 2.27.3 from libnccl.so.2", or why there is none.
std::string nccl_sentence();

// One rank of a communicator. Every call of NCCL that fails throws Failure (ESPALIER_DEVICE) with the call and NCCL's own words.
class Communicator {
 public:
  // What rank 0 makes and all ranks are given, over any channel.
  static NcclId new_id();

  // Returns when all ranks have come. 0 <= rank < num_ranks.
  Communicator(int num_ranks, const NcclId& id, int rank);
  ~Communicator();
  Communicator(const Communicator&) = delete;
  Communicator& operator=(const Communicator&) = delete;

  // Puts into the stream: `count` numbers on the device become their sums over all ranks, in place.
  void sum(void* numbers, std::size_t count, bool bf16, cudaStream_t stream);

 private:
  void* comm_ = nullptr;
};

}  // namespace espalier
