#include "cuda/nccl.h"

#include "cuda/launch.h"
#include "cuda/libraries.h"
#include "executor/status.h"

namespace espalier {

namespace {

template <class F>
void set(F& function, const char* symbol) {
  function = reinterpret_cast<F>(nccl_library().function(symbol));
}

Nccl opened() {
  nccl_library().expect_there("NCCL");
  Nccl nccl{};
  int (*get_version)(int*) = nullptr;
  set(get_version, "ncclGetVersion");
  set(nccl.get_unique_id, "ncclGetUniqueId");
  set(nccl.comm_init_rank, "ncclCommInitRank");
  set(nccl.comm_destroy, "ncclCommDestroy");
  set(nccl.all_reduce, "ncclAllReduce");
  set(nccl.get_error_string, "ncclGetErrorString");
  if (const int status = get_version(&nccl.version)) {
    throw Failure{ESPALIER_UNSUPPORTED, "NCCL: " + nccl_library().path + " does not tell its version: status " + std::to_string(status) + ". Install another, or name its directory in ESPALIER_CUDA_LIBRARIES."};
  }
  return nccl;
}

// 8, a value of ncclResult_t, would be "in progress": of communicators that do not block, which are not made here.
void expect_ok(int status, const char* what) {
  if (status) throw Failure{ESPALIER_DEVICE, std::string("NCCL: ") + what + ": " + nccl().get_error_string(status) + " (status " + std::to_string(status) + "). NCCL_DEBUG=INFO tells more."};
}

}  // namespace

const Nccl& nccl() {
  static const Nccl functions = opened();
  return functions;
}

std::string nccl_sentence() {
  if (!nccl_library().handle) return nccl_library().sentence();
  try {
    const int version = nccl().version;
    return "NCCL " + std::to_string(version / 10000) + "." + std::to_string(version / 100 % 100) + "." + std::to_string(version % 100) +
           " from " + nccl_library().path;
  } catch (const Failure& failure) {
    return failure.message;
  }
}

NcclId Communicator::new_id() {
  NcclId id{};
  expect_ok(nccl().get_unique_id(&id), "making an id");
  return id;
}

Communicator::Communicator(int num_ranks, const NcclId& id, int rank) {
  expect_ok(nccl().comm_init_rank(&comm_, num_ranks, id, rank), "joining the other ranks");
}

Communicator::~Communicator() { nccl().comm_destroy(comm_); }

void Communicator::sum(void* numbers, std::size_t count, bool bf16, cudaStream_t stream) {
  const auto call = [comm = comm_, numbers, count, bf16, stream] {
    expect_ok(nccl().all_reduce(numbers, numbers, count, bf16 ? kNcclBfloat16 : kNcclFloat32, kNcclSum, comm, stream), "summing over ranks");
  };
#if defined(ESPALIER_EMULATED)
  expect_success(emulation::enqueue(stream, call), "NCCL");
#else
  call();
#endif
}

}  // namespace espalier
