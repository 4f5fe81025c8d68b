// add.h -- add: y = a + b.
//   y, a, b: f32, one shape. y may alias a or b.
#pragma once
#include "executor/op.h"

namespace espalier {
namespace ESPALIER_ISA {
extern const OpKernel add_kernel;
}
}  // namespace espalier
