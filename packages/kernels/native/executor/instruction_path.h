// instruction_path.h -- the instruction sets that kernels are compiled for, and which of them this processor has.
#pragma once
#include "executor/op.h"

namespace espalier {

struct InstructionPath {
  const char* name;
  const OpTable* table;
};

// The named path, or the best one when `name` is null; null when this build or this processor lacks it.
const InstructionPath* find_instruction_path(const char* name);

// The table that every machine can list, whatever it can run.
const OpTable& plainest_op_table();

// The kernel of an op on a path, or null.
const OpKernel* find_op(const OpTable& table, const char* name);

}  // namespace espalier
