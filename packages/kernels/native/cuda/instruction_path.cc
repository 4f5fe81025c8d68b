// instruction_path.cc -- the one "instruction path" of a CUDA library: its kernels, when a device is there.
#include "executor/instruction_path.h"

#include <cstring>
#include <string>

#include "cuda/platform.h"

namespace espalier {

namespace cuda { extern const OpTable op_table; }

namespace {

// The first device's, or none: "sm_90".
const InstructionPath* path_of_device() {
  int count = 0, major = 0, minor = 0;
  if (cudaGetDeviceCount(&count) != cudaSuccess || count == 0 ||
      cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, 0) != cudaSuccess ||
      cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, 0) != cudaSuccess) {
    cudaGetLastError();
    return nullptr;
  }
#if defined(ESPALIER_EMULATED)
  static const std::string name = "emulated";
#else
  static const std::string name = "sm_" + std::to_string(major) + std::to_string(minor);
#endif
  static const InstructionPath path = {name.c_str(), &cuda::op_table};
  return &path;
}

}  // namespace

const InstructionPath* find_instruction_path(const char* name) {
  const InstructionPath* path = path_of_device();
  return path && (!name || std::strcmp(name, path->name) == 0) ? path : nullptr;
}

const OpTable& plainest_op_table() { return cuda::op_table; }

}  // namespace espalier
