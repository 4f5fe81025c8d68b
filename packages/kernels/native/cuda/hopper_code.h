// hopper_code.h -- which of two kernels a device can run: those of hopper.h have a body in machine code for sm_90a alone.
#pragma once
#include "cuda/platform.h"

namespace espalier {
namespace cuda {

// Whether this process's device has machine code of the kernel that does something. Kernels of hopper.h take more than 100
// registers a thread.
bool has_hopper_code(const void* kernel);

}  // namespace cuda
}  // namespace espalier
