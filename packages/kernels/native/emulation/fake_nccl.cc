// fake_nccl.cc -- a stand-in for NCCL with one rank, for tests without a GPU. Built as a library of that name, found through
// ESPALIER_CUDA_LIBRARIES. With ESPALIER_FAKE_NCCL_LOG it appends a line for every call to that file. ESPALIER_FAKE_NCCL_FAULT
// names a call that fails (id, init, sum), or `wrong` for sums that are wrong.
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#define EXPORT extern "C" __attribute__((visibility("default")))

namespace {

constexpr int kOk = 0, kInvalidArgument = 4, kInternal = 3;
constexpr int kMark = 0x6e63;

struct Comm {
  int mark;
};

void note(const char* what) {
  const char* path = std::getenv("ESPALIER_FAKE_NCCL_LOG");
  if (!path) return;
  if (FILE* file = std::fopen(path, "a")) {
    std::fprintf(file, "%s\n", what);
    std::fclose(file);
  }
}

bool fault(const char* call) {
  const char* named = std::getenv("ESPALIER_FAKE_NCCL_FAULT");
  return named && std::strcmp(named, call) == 0;
}

std::size_t bytes_of(int dtype) { return dtype == 7 ? 4 : dtype == 9 ? 2 : 0; }  // ncclFloat32, ncclBfloat16

}  // namespace

struct Id {
  char bytes[128];
};

EXPORT int ncclGetVersion(int* version) {
  *version = 22703;
  return kOk;
}
EXPORT int ncclGetUniqueId(Id* id) {
  note("id");
  if (fault("id")) return kInternal;
  for (std::size_t i = 0; i < sizeof(id->bytes); ++i) id->bytes[i] = static_cast<char>(i + 1);
  return kOk;
}
// The id by value, as nccl.h has it: 128 bytes on the stack, which a wrong prototype would not bring.
EXPORT int ncclCommInitRank(void** comm, int num_ranks, Id id, int rank) {
  note("init");
  if (fault("init")) return kInternal;
  for (std::size_t i = 0; i < sizeof(id.bytes); ++i) {
    if (id.bytes[i] != static_cast<char>(i + 1)) return kInvalidArgument;
  }
  if (num_ranks != 1 || rank != 0) return kInvalidArgument;
  *comm = new Comm{kMark};
  return kOk;
}
EXPORT int ncclCommDestroy(void* comm) {
  note("destroy");
  if (!comm || static_cast<Comm*>(comm)->mark != kMark) return kInvalidArgument;
  delete static_cast<Comm*>(comm);
  return kOk;
}
EXPORT int ncclAllReduce(const void* send, void* receive, std::size_t count, int dtype, int operation, void* comm, void* stream) {
  char line[64];
  std::snprintf(line, sizeof(line), "sum of %zu, type %d", count, dtype);
  note(line);
  if (fault("sum") || !comm || static_cast<Comm*>(comm)->mark != kMark || operation != 0 || !bytes_of(dtype) || !stream) return kInvalidArgument;
  std::memmove(receive, send, count * bytes_of(dtype));
  if (fault("wrong")) static_cast<char*>(receive)[bytes_of(dtype)] ^= 1;
  return kOk;
}
EXPORT const char* ncclGetErrorString(int) { return "a status of the stand-in"; }
