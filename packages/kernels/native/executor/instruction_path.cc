#include "executor/instruction_path.h"

#include <cstring>

namespace espalier {

namespace portable { extern const OpTable op_table; }
#if defined(__x86_64__) || defined(_M_X64)
#define ESPALIER_X86 1
namespace avx2 { extern const OpTable op_table; }
namespace avx512 { extern const OpTable op_table; }
#endif

namespace {

struct Candidate {
  InstructionPath path;
  bool (*supported)();
};

bool always() { return true; }

#if ESPALIER_X86
bool has_avx2() {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}
bool has_avx512() {
  __builtin_cpu_init();
  return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}
#endif

// Best first.
const Candidate kCandidates[] = {
#if ESPALIER_X86
    {{"avx512", &avx512::op_table}, has_avx512},
    {{"avx2", &avx2::op_table}, has_avx2},
#endif
    {{"portable", &portable::op_table}, always},
};

}  // namespace

const InstructionPath* find_instruction_path(const char* name) {
  for (const Candidate& candidate : kCandidates) {
    if ((!name || std::strcmp(name, candidate.path.name) == 0) && candidate.supported()) return &candidate.path;
  }
  return nullptr;
}

const OpKernel* find_op(const OpTable& table, const char* name) {
  for (int32_t i = 0; i < table.count; ++i) {
    if (std::strcmp(table.kernels[i]->name, name) == 0) return table.kernels[i];
  }
  return nullptr;
}

}  // namespace espalier
