// instruction_path.cc -- the one "instruction path" of a CUDA library: its kernels, when a device is there.
#include "executor/instruction_path.h"

#include <cstring>

#include "cuda/platform.h"

namespace espalier {

namespace cuda { extern const OpTable op_table; }

namespace {

#if defined(ESPALIER_EMULATED)
const InstructionPath kPath = {"cuda-emulated", &cuda::op_table};
#else
const InstructionPath kPath = {"cuda", &cuda::op_table};
#endif

bool has_device() {
  int count = 0;
  if (cudaGetDeviceCount(&count) != cudaSuccess) {
    cudaGetLastError();
    return false;
  }
  return count > 0;
}

}  // namespace

const InstructionPath* find_instruction_path(const char* name) {
  return (!name || std::strcmp(name, kPath.name) == 0) && has_device() ? &kPath : nullptr;
}

const OpTable& plainest_op_table() { return cuda::op_table; }

}  // namespace espalier
