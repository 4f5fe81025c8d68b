// fake_nccl.cc -- a stand-in for NCCL with one rank, for tests of its opening without a GPU.
#include <cstddef>
#include <cstring>

#define EXPORT extern "C" __attribute__((visibility("default")))

struct Id {
  char bytes[128];
};

EXPORT int ncclGetVersion(int* version) {
  *version = 22703;
  return 0;
}
EXPORT int ncclGetUniqueId(Id* id) {
  std::memset(id->bytes, 1, sizeof(id->bytes));
  return 0;
}
EXPORT int ncclCommInitRank(void** comm, int num_ranks, Id, int rank) {
  *comm = nullptr;
  return num_ranks == 1 && rank == 0 ? 0 : 4;
}
EXPORT int ncclCommDestroy(void*) { return 0; }
EXPORT int ncclAllReduce(const void* send, void* receive, std::size_t count, int dtype, int, void*, void*) {
  std::memmove(receive, send, count * (dtype == 7 ? 4 : 2));
  return 0;
}
EXPORT const char* ncclGetErrorString(int) { return "a status of the stand-in"; }
