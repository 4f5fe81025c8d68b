// registry.cc -- the op table of one instruction set, from op_list.h.
#include "executor/op.h"

namespace espalier {
namespace ESPALIER_ISA {

// A device library may lack an op: its entry is then null.
#if defined(ESPALIER_OPS_MAY_BE_ABSENT)
#define ESPALIER_OP(name) extern const OpKernel name##_kernel __attribute__((weak));
#else
#define ESPALIER_OP(name) extern const OpKernel name##_kernel;
#endif
#include "ops/op_list.h"
#undef ESPALIER_OP

#if defined(ESPALIER_EMULATED)
extern const OpKernel emulation_probe_kernel;  // faults for tests, emulation/probes.cu
#endif
extern const OpTable op_table;

#define ESPALIER_OP(name) &name##_kernel,
static const OpKernel* const kernels[] = {
#include "ops/op_list.h"
#if defined(ESPALIER_EMULATED)
    &emulation_probe_kernel,
#endif
};
#undef ESPALIER_OP

const OpTable op_table = {kernels, static_cast<int32_t>(sizeof(kernels) / sizeof(kernels[0]))};

}  // namespace ESPALIER_ISA
}  // namespace espalier
