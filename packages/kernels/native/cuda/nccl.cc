#include "cuda/nccl.h"

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
  get_version(&nccl.version);
  return nccl;
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

}  // namespace espalier
