#include "cuda/hopper_code.h"

namespace espalier {
namespace cuda {

#if defined(ESPALIER_EMULATED)

bool has_hopper_code(const void*) { return true; }

#else

bool has_hopper_code(const void* kernel) {
  int major = 0, minor = 0;
  if (cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, 0) != cudaSuccess ||
      cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, 0) != cudaSuccess || major != 9 || minor != 0) {
    return false;
  }
  // Code for sm_90, which a driver might choose beside that for sm_90a, has no body: its registers tell.
  cudaFuncAttributes attributes{};
  return cudaFuncGetAttributes(&attributes, kernel) == cudaSuccess && attributes.numRegs > 100;
}

#endif

}  // namespace cuda
}  // namespace espalier
