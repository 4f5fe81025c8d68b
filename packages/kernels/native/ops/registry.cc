// registry.cc -- the op table of one instruction set, from op_list.h.
#include "executor/op.h"

namespace espalier {
namespace ESPALIER_ISA {

#define ESPALIER_OP(name) extern const OpKernel name##_kernel;
#include "ops/op_list.h"
#undef ESPALIER_OP

extern const OpTable op_table;

#define ESPALIER_OP(name) &name##_kernel,
static const OpKernel* const kernels[] = {
#include "ops/op_list.h"
};
#undef ESPALIER_OP

const OpTable op_table = {kernels, static_cast<int32_t>(sizeof(kernels) / sizeof(kernels[0]))};

}  // namespace ESPALIER_ISA
}  // namespace espalier
